"""Versions: what continues what, where earlier opinions are shown, and that none disappears."""

import datetime as dt
import re
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consult import comparisons, drafts, lineage, structure
from consult.comparisons import Fate
from consult.consultations import Consultation
from consult.drafts import Outline, Version
from consult.lineage import Standing
from consult.submissions import SubmissionState
from core import audit
from core.db import db
from core.errors import Refused
from tests import people
from tests.conftest import NOON
from tests.consultations_made import TEXT, a_consultation, a_prepared_draft, a_published_draft
from tests.opinions_made import an_opinion

pytestmark = pytest.mark.usefixtures("context")

BY: dict[str, Any] = {"by": audit.SYSTEM, "now": NOON}
# Of the five paragraphs of `TEXT`: the first gone, the second edited, the third edited, the list
# item moved to the first chapter, the table as it was; one is new.
SECOND = """\
# 第一章 总体要求
到2025年，城区综合实力和居民生活品质显著提升。
- 支持既有多层住宅加装电梯。
# 第二章 社会民生
## 第一节 养老服务
新增养老床位1500张。建设15分钟养老服务圈。
每个街道建设一处综合为老服务中心。
| 指标\t2025年目标
"""


def opine(
    consultation: Consultation,
    version: Version,
    place: int,
    words: str = "这一段写得很好，建议保留。",
) -> int:
    """A shown opinion on this paragraph; its number."""
    return an_opinion(
        consultation,
        words,
        key=f"{words}{place}",
        state=SubmissionState.SHOWN,
        version_id=version.id,
        place=place,
    ).number


def seal(version: Version, mark: int) -> str:
    return structure.seals(drafts.outline(version).entries)[mark]


def test_marks_follow_the_words() -> None:
    consultation = a_consultation()
    a_published_draft(consultation)
    second = a_published_draft(consultation, SECOND)
    # By hand: headings 1, 4, 5; paragraphs 2 (gone), 3; 6; list item 7; table 8; 9 is new.
    assert [entry.mark for entry in drafts.outline(second).entries] == [1, 3, 7, 4, 5, 6, 9, 8]


def test_every_fate_is_told() -> None:
    consultation = a_consultation()
    first = drafts.outline(a_published_draft(consultation))
    second = drafts.outline(a_published_draft(consultation, SECOND))
    found = comparisons.compare(first, second)
    fates = [(pair.mark, pair.fate, pair.moved) for pair in found.pairs]
    assert fates == [
        (1, Fate.SAME, False),
        (2, Fate.GONE, False),
        (3, Fate.EDITED, False),
        (7, Fate.SAME, True),
        (4, Fate.SAME, False),
        (5, Fate.SAME, False),
        (6, Fate.EDITED, False),
        (9, Fate.NEW, False),
        (8, Fate.SAME, False),
    ]
    assert dict(found.counts) == {Fate.SAME: 5, Fate.EDITED: 2, Fate.NEW: 1, Fate.GONE: 1}
    assert [pair.mark for pair in found.changed] == [2, 3, 7, 6, 9]


def test_an_opinion_keeps_its_words_and_is_shown_where_they_went(client: FlaskClient) -> None:
    consultation = a_consultation()
    first = a_published_draft(consultation)
    entries = {entry.mark: entry for entry in drafts.outline(first).entries}
    for mark in (2, 3, 7):
        opine(consultation, first, entries[mark].id, f"对第{mark}段的意见，请认真考虑。")
    db.session.commit()
    a_published_draft(consultation, SECOND)

    on_edited = client.get("/consultations/gangyao/opinions?on=3").get_data(as_text=True)
    assert "对第3段的意见" in on_edited
    assert "原文已修改" in on_edited
    assert "居民生活品质明显提升" in on_edited, "the words it was made on"
    assert "对第2段" not in on_edited
    on_moved = client.get("/consultations/gangyao/opinions?on=7").get_data(as_text=True)
    assert "对第7段的意见" in on_moved
    assert "原文没有改动" in on_moved
    gone = client.get("/consultations/gangyao/opinions?gone=1").get_data(as_text=True)
    assert "对第2段的意见" in gone
    assert "原段落已删去" in gone
    assert "人民城市为人民" in gone
    assert "对第3段" not in gone
    # In the version it was made on it stands as before.
    before = client.get("/consultations/gangyao/opinions?v=1&on=2").get_data(as_text=True)
    assert "对第2段的意见" in before
    assert "原段落已删去" not in before

    reader = client.get("/consultations/gangyao/draft").get_data(as_text=True)
    assert "原段落已删去：1件意见" in reader
    # The first chapter carries what was said on 3 and on 7, which moved into it.
    assert re.search(r'on=1">2件意见', reader)
    assert re.search(r'on=3">1件意见', reader)
    older = client.get("/consultations/gangyao/draft?v=1").get_data(as_text=True)
    assert "这是较早的一稿" in older
    assert re.search(r'on=1">2件意见', older), "2 and 3 stand in the first chapter there"


def test_an_opinion_on_a_later_version_is_not_shown_on_an_earlier_one() -> None:
    consultation = a_consultation()
    first = a_published_draft(consultation)
    second = a_published_draft(consultation, SECOND)
    entry = drafts.outline(second).by_mark[3]
    assert lineage.line(first).place(entry.id) is None
    assert lineage.line(first).places([drafts.outline(first).by_mark[3]]) == [
        drafts.outline(first).by_mark[3].id
    ]


# --- no opinion disappears --------------------------------------------------------------------

LINES = [f"第{n}项：" + "建设社区养老托育设施交通绿地品质"[n : n + 9] + "。" for n in range(8)]
edits = st.lists(
    st.tuples(st.sampled_from(["edit", "drop", "swap", "add"]), st.integers(0, 50)), max_size=8
)


def edited(lines: list[str], steps: list[tuple[str, int]], tag: str) -> list[str]:
    lines = lines.copy()
    for number, (what, at) in enumerate(steps):
        place = at % max(1, len(lines))
        if what == "add" or not lines:
            lines.insert(place, f"新增的内容{tag}{number}，前面没有说过。")
        elif what == "edit":
            lines[place] = lines[place].replace("社区", "街区") + "到二〇二五年完成。"
        elif what == "drop" and len(lines) > 1:
            del lines[place]
        else:
            lines.append(lines.pop(place))
    return lines


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(first=edits, second=edits)
def test_no_opinion_disappears_over_random_edits(
    first: list[tuple[str, int]], second: list[tuple[str, int]]
) -> None:
    slug = f"c{db.session.scalar(sa.select(sa.func.count(Consultation.id)))}"
    consultation = a_consultation(slug)
    made: dict[int, tuple[str, int]] = {}
    lines = LINES
    for number, steps in enumerate(([], first, second)):
        lines = edited(lines, steps, str(number))
        version = a_published_draft(consultation, "\n".join(lines))
        outline = drafts.outline(version)
        for entry in outline.entries:
            made[entry.id] = (entry.text, entry.mark)
        line = lineage.line(version)
        here = [id for entry in outline.entries for id in line.places([entry])]
        # Every place an opinion can ever have been made on is shown once: on a paragraph or gone.
        assert sorted([*here, *line.gone()]) == sorted(made)
        for id, (text, mark) in made.items():
            place = line.place(id)
            assert place is not None
            assert (place.entry.text, place.entry.mark) == (text, mark)
            now_there = outline.by_mark.get(mark)
            if place.standing in (Standing.UNCHANGED, Standing.HERE):
                assert now_there is not None
                assert now_there.text == text
            elif place.standing is Standing.EDITED:
                assert now_there is not None
                assert now_there.text != text
            else:
                assert now_there is None


# --- correcting -------------------------------------------------------------------------------


@pytest.fixture
def prepared() -> Version:
    consultation = a_consultation()
    first = a_published_draft(consultation)
    opine(consultation, first, drafts.outline(first).by_mark[2].id)
    db.session.commit()
    return a_prepared_draft(consultation, SECOND)


def test_staff_can_say_what_a_paragraph_continues(prepared: Version) -> None:
    # 9, proposed as new, is said to be what has become of 2.
    assert lineage.set_origin(prepared, 9, 2, seen=seal(prepared, 9), **BY) == 2
    outline = drafts.outline(prepared)
    assert 9 not in outline.by_mark
    assert outline.by_mark[2].text.startswith("每个街道")
    # And that another is new; the fresh mark was never given before.
    assert lineage.set_origin(prepared, 3, None, seen=seal(prepared, 3), **BY) == 10
    # Taking a mark away from the one that has it makes that one new.
    assert lineage.set_origin(prepared, 10, 2, seen=seal(prepared, 10), **BY) == 2
    assert drafts.outline(prepared).by_mark[11].text.startswith("每个街道")


def test_what_is_not_in_the_version_before_cannot_be_continued(prepared: Version) -> None:
    with pytest.raises(Refused):
        lineage.set_origin(prepared, 9, 77, seen=seal(prepared, 9), **BY)


def test_a_published_lineage_is_frozen(prepared: Version) -> None:
    seen = seal(prepared, 9)
    drafts.publish(prepared, **BY)
    with pytest.raises(Refused):
        lineage.set_origin(prepared, 9, 2, seen=seen, **BY)
    with pytest.raises(Refused):
        lineage.realign(prepared, **BY)


def test_what_a_colleague_changed_meanwhile_is_not_overwritten(prepared: Version) -> None:
    seen = seal(prepared, 9)
    structure.correct(prepared, 9, "换了一段话。", seen=seen, **BY)
    with pytest.raises(structure.Overtaken):
        lineage.set_origin(prepared, 9, 2, seen=seen, **BY)


def test_aligning_anew_follows_the_words_as_they_are_now(prepared: Version) -> None:
    structure.correct(
        prepared, 9, "坚持人民城市人民建，人民城市为人民。", seen=seal(prepared, 9), **BY
    )
    assert lineage.realign(prepared, **BY) == 8
    assert drafts.outline(prepared).by_mark[2].text.startswith("坚持人民城市")


def test_a_merge_keeps_the_older_lineage() -> None:
    consultation = a_consultation()
    a_published_draft(consultation, "第一段写总体要求和目标。\n第二段写养老服务。")
    version = a_prepared_draft(
        consultation, "这里是新写的一段引言文字。\n第一段写总体要求和目标。\n第二段写养老服务。"
    )
    assert [entry.mark for entry in drafts.outline(version).entries] == [3, 1, 2]
    structure.merge_with_next(version, 3, seen=seal(version, 3), **BY)
    assert [entry.mark for entry in drafts.outline(version).entries] == [1, 2]


def test_the_desk_shows_and_corrects(client: FlaskClient, prepared: Version) -> None:
    people.make("drc_staff", email="drc@example.invalid")
    people.sign_in(client, "drc@example.invalid")
    base = f"/desk/drafts/{prepared.id}/lineage"
    page = client.get(base).get_data(as_text=True)
    assert "已有意见1件" in page, "on the paragraph that is gone"
    form = client.get(f"{base}/9")
    assert "坚持人民城市人民建" in form.get_data(as_text=True), "offered although unlike"
    answer = client.post(f"{base}/9", data={"seen": seal(prepared, 9), "origin": "2"})
    assert answer.status_code == 302
    assert answer.headers["Location"].endswith("#p2")
    for bad in ("", "77", "-1", "二", "9" * 30):
        answer = client.post(f"{base}/2", data={"seen": seal(prepared, 2), "origin": bad})
        assert answer.status_code == 422, bad
    assert client.post(base).status_code == 302


# --- the page that compares -----------------------------------------------------------------


def test_two_versions_side_by_side(client: FlaskClient) -> None:
    consultation = a_consultation()
    a_published_draft(consultation)
    assert client.get("/consultations/gangyao/compare").status_code == 404, "there is only one"
    a_published_draft(consultation, SECOND, now=NOON + dt.timedelta(days=1))
    page = client.get("/consultations/gangyao/compare").get_data(as_text=True)
    plain = re.sub(r"<span class=\"visually-hidden\">[^<]*</span>", "", page)
    assert "<del>500</del>" in plain
    assert "<ins>1500</ins>" in plain
    assert "原在：第二章 社会民生 › 第一节 养老服务，“新增养老床位500张。…”之后" in page, (
        "moved is shown as moved"
    )
    # A reader who hears the page is told what is what.
    assert "［删去］</span>500<span" in page
    assert "指标" not in page, "what did not change is not shown"
    whole = client.get("/consultations/gangyao/compare?from=1&to=2&all=1&view=inline")
    assert "指标" in whole.get_data(as_text=True)
    # Two lists to choose from let one choose the same.
    same = client.get("/consultations/gangyao/compare?from=2&to=2")
    assert same.status_code == 200
    assert "两边是同一稿" in same.text
    assert client.get("/consultations/gangyao/compare?from=2&to=2&all=1").status_code == 200
    for wrong in ("from=1&to=3", "from=7&to=1"):
        assert client.get(f"/consultations/gangyao/compare?{wrong}").status_code == 404, wrong
    for odd in ("from=-1", "to=1e9", "view=upside-down", "all=2"):
        refused = client.get(f"/consultations/gangyao/compare?{odd}")
        assert refused.status_code == 400, odd
    passed_on = "/consultations/gangyao/compare?from=singlemessage&isappinstalled=0"
    assert client.get(passed_on).status_code == 200
    back = client.get("/consultations/gangyao/compare?from=2&to=1").get_data(as_text=True)
    assert re.search(r"<del><span[^>]*>［删去］</span>1500", back)


def test_what_a_paragraph_says_is_never_markup(client: FlaskClient) -> None:
    consultation = a_consultation()
    a_published_draft(consultation, TEXT.replace("养老床位", "<kbd>养老</kbd>&床位"))
    a_published_draft(consultation, TEXT.replace("养老床位", "<samp>养老</samp>&“床位”"))
    page = client.get("/consultations/gangyao/compare").get_data(as_text=True)
    assert "&lt;" in page
    assert "<kbd>" not in page
    assert "<samp>" not in page


def test_a_kept_comparison_follows_the_next_version(client: FlaskClient) -> None:
    consultation = a_consultation()
    a_published_draft(consultation)
    a_published_draft(consultation, SECOND)
    assert "第1稿与第2稿" in client.get("/consultations/gangyao/compare").get_data(as_text=True)
    a_published_draft(consultation, TEXT)
    assert "第2稿与第3稿" in client.get("/consultations/gangyao/compare").get_data(as_text=True)


def test_every_outline_of_one_text_compares_as_equal() -> None:
    consultation = a_consultation()
    first: Outline = drafts.outline(a_published_draft(consultation))
    again = drafts.outline(a_published_draft(consultation))
    assert comparisons.compare(first, again).changed == []

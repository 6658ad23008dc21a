"""What changed, and because of whom: links, what is unmet, and the pages that tell it."""

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any

import docx
import pytest
import python_calamine
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from consult import (
    adoption,
    archives,
    changes,
    drafts,
    point_acts,
    points,
    responses,
    revisions,
    screening,
    structure,
    submissions,
)
from consult.changes import Met, PointChange
from consult.comparisons import Fate
from consult.consultations import Consultation, ConsultationState, Phase
from consult.drafts import Version
from consult.points import Point
from consult.responses import Outcome
from consult.revisions import Revision
from consult.submissions import Submission
from core import audit
from core.audit import AuditEvent
from core.db import db
from core.errors import Refused
from tests import people
from tests.conftest import NOON
from tests.consultations_made import a_consultation, a_prepared_draft, a_published_draft
from tests.opinions_made import a_shown_opinion
from tests.summaries_made import hide

FIRST = """\
# 第一章 总体要求
到2025年，居民生活品质明显提升。
老旧小区逐步加装电梯，一楼居民的顾虑应当得到尊重。
# 第二章 社会民生
新增养老床位500张。
各处口袋公园夜间关门。
本段以后删去。
"""
# Edited: the lift, the beds. New: the library. Gone: the last one. Unchanged: the rest.
SECOND = """\
# 第一章 总体要求
到2025年，居民生活品质明显提升。
老旧小区逐步加装电梯，一楼居民按公开的办法得到补偿。
# 第二章 社会民生
新增养老床位1500张。
各处口袋公园夜间关门。
社区图书馆延长开放到晚上九点，周末不闭馆。
"""
WHO: dict[str, Any] = {"by": audit.SYSTEM, "now": NOON}
WHY = "已按这条意见修改了文稿的有关表述。"


@pytest.fixture
def round_(app: Flask) -> Iterator[Consultation]:
    with app.app_context():
        consultation = a_consultation("jingan", phase=Phase.CLOSED)
        a_published_draft(consultation, FIRST)
        yield consultation


def an_opinion(consultation: Consultation, body: str, on: str = "") -> Submission:
    """A shown opinion on the paragraph of the first version that holds these words."""
    version = drafts.versions(consultation)[-1]
    entries = drafts.outline(version).entries
    place = next((e.id for e in entries if on and on in e.text), submissions.WHOLE)
    return a_shown_opinion(consultation, body, version_id=version.id, place=place)


def a_point(consultation: Consultation, body: str, on: str = "") -> Point:
    return points.of(an_opinion(consultation, body, on).id)[0]


def answered(
    chosen: list[Point], outcome: Outcome = Outcome.ADOPTED, *, published: bool = False
) -> None:
    responses.draft(chosen, outcome, WHY, **WHO)
    responses.submit(chosen, **WHO)
    responses.approve(chosen, by=audit.COMMAND_LINE, now=NOON)
    if published:
        consultation = db.session.get_one(Consultation, chosen[0].consultation_id)
        responses.publish(consultation, **WHO)


def second(consultation: Consultation) -> tuple[Version, Revision]:
    version = a_published_draft(consultation, SECOND)
    revision = revisions.of(version)
    assert revision is not None
    return version, revision


def paragraph(revision: Revision, words: str) -> int:
    """The id of the changed paragraph that holds these words, before or after."""
    return next(
        pair.entry.id
        for pair in revision.pairs
        if any(e and words in e.text for e in (pair.before, pair.after))
    )


# --- what a version changed ----------------------------------------------------------------------


def test_a_revision_holds_what_changed_and_nothing_else(round_: Consultation) -> None:
    first = drafts.published(round_)
    assert first is not None
    assert revisions.of(first) is None
    _version, revision = second(round_)
    assert sorted((p.fate.value, p.entry.text[:7]) for p in revision.pairs) == sorted(
        [
            (Fate.EDITED.value, "老旧小区逐步加"),
            (Fate.EDITED.value, "新增养老床位1"),
            (Fate.GONE.value, "本段以后删去。"),
            (Fate.NEW.value, "社区图书馆延长"),
        ]
    )
    told = {revision.passage(pair).words for pair in revision.pairs}
    assert told == {
        "第2稿“第一章 总体要求”：“老旧小区逐步加装电梯，一楼居民的顾虑应当得到尊重。”改为"
        "“老旧小区逐步加装电梯，一楼居民按公开的办法得到补偿。”",
        "第2稿“第二章 社会民生”：“新增养老床位500张。”改为“新增养老床位1500张。”",
        "第2稿“第二章 社会民生”：删去“本段以后删去。”",
        "第2稿“第二章 社会民生”：新增“社区图书馆延长开放到晚上九点，周末不闭馆。”",
    }


def test_a_passage_tells_the_sentences_that_changed_and_no_others(round_: Consultation) -> None:
    a_published_draft(round_, FIRST.replace("新增养老床位500张。", "甲。新增养老床位500张。乙。"))
    version = a_published_draft(
        round_, FIRST.replace("新增养老床位500张。", "甲。新增养老床位800张。乙。丙。")
    )
    revision = revisions.of(version)
    assert revision is not None
    (pair,) = revision.pairs
    passage = revision.passage(pair)
    assert (passage.before, passage.after) == ("新增养老床位500张。", "新增养老床位800张。丙。")


# --- links ---------------------------------------------------------------------------------------


def test_an_adopted_point_is_unmet_until_it_is_linked_or_decided_anew(
    round_: Consultation,
) -> None:
    lift = a_point(round_, "一楼的补偿办法应当先公开。", "加装电梯")
    beds = a_point(round_, "床位太少，应当加到一千五百张。", "床位")
    other = a_point(round_, "建议写得短一些。")
    answered([lift])
    answered([beds], Outcome.PARTLY)
    answered([other], Outcome.ALREADY)
    # There is no later version yet: nothing could be linked.
    assert changes.unmet_count(round_.id) == 0
    version, revision = second(round_)
    assert [p.id for p, _s, _r in changes.unmet(round_.id, limit=9)] == [lift.id, beds.id]
    changes.link(lift, version, [paragraph(revision, "电梯")], **WHO)
    assert [p.id for p, _s, _r in changes.unmet(round_.id, limit=9)] == [beds.id]
    responses.hand_back([beds], "再想一想怎样答复。", **WHO)
    answered([beds], Outcome.KEPT_FOR_STUDY)
    assert changes.unmet_count(round_.id) == 0
    changes.unlink(lift, version, [paragraph(revision, "电梯")], **WHO)
    assert changes.unmet_count(round_.id) == 1
    acts = sa.select(AuditEvent).where(AuditEvent.action.like("change.%")).order_by(AuditEvent.id)
    told = [(each.action, each.before, each.after) for each in db.session.scalars(acts)]
    mark = revision.by_paragraph[paragraph(revision, "电梯")].mark
    facts = {"number": 2, "marks": [mark], "points": 1}
    assert told == [("change.linked", None, facts), ("change.unlinked", facts, None)]


def test_what_was_said_of_the_newest_version_is_not_due(round_: Consultation) -> None:
    """Each point is measured by the version it was made on, not by any other."""
    answered([a_point(round_, "一楼的补偿办法应当先公开。", "加装电梯")])
    version, _revision = second(round_)
    late = a_point(round_, "周末开放的图书馆请多设座位。")
    late.version_id = version.id
    answered([late])
    assert changes.unmet_count(round_.id) == 1


def test_a_group_is_linked_together_and_once(round_: Consultation) -> None:
    same = [a_point(round_, f"图书馆应当开放到晚上九点，第{n}封。") for n in range(3)]
    point_acts.merge(same, "图书馆", **WHO)
    answered(same)
    version, revision = second(round_)
    library = paragraph(revision, "图书馆")
    assert changes.link(same[0], version, [library], **WHO) == 3
    assert changes.link(same[1], version, [library], **WHO) == 0
    (voice,) = changes.behind(revision, revision.pairs, public=False)[
        revision.by_paragraph[library].mark
    ]
    assert (voice.point.id, voice.count) == (same[0].id, 3)
    assert changes.unlink(same[2], version, [library], **WHO) == 3
    assert db.session.scalars(sa.select(PointChange)).all() == []


def test_what_cannot_be_linked_is_refused(round_: Consultation) -> None:
    lift = a_point(round_, "一楼的补偿办法应当先公开。", "加装电梯")
    answered([lift], Outcome.ALREADY)
    first = drafts.published(round_)
    assert first is not None
    version, revision = second(round_)
    with pytest.raises(Refused, match="只有采纳"):
        changes.link(lift, version, [paragraph(revision, "电梯")], **WHO)
    responses.hand_back([lift], "应当写采纳。", **WHO)
    answered([lift])
    with pytest.raises(Refused, match="不晚于"):
        changes.link(lift, first, [paragraph(revision, "电梯")], **WHO)
    unchanged = drafts.outline(version).entries[1].id
    with pytest.raises(Refused, match="没有改动"):
        changes.link(lift, version, [unchanged], **WHO)
    with pytest.raises(Refused, match="请选择"):
        changes.link(lift, version, [], **WHO)
    with pytest.raises(Refused, match="已经解除"):
        changes.unlink(lift, version, [paragraph(revision, "电梯")], **WHO)


def test_new_and_removed_paragraphs_can_be_linked(round_: Consultation) -> None:
    both = a_point(round_, "最后一段没有用，换成图书馆。", "本段以后删去")
    answered([both])
    version, revision = second(round_)
    changes.link(
        both, version, [paragraph(revision, "图书馆"), paragraph(revision, "以后删去")], **WHO
    )
    told = changes.of_points([both.id])[both.id]
    assert sorted(each.pair.fate.value for each in told) == ["gone", "new"]


def test_proposals_say_why(round_: Consultation) -> None:
    lift = a_point(round_, "一楼的补偿办法应当先公开。", "加装电梯")
    library = a_point(round_, "希望社区图书馆延长开放，下班以后也能去。")
    chapter = a_point(round_, "这一章还不够具体。", "第二章")
    nothing = a_point(round_, "谢谢。")
    _version, revision = second(round_)

    def told(point: Point, words: str) -> list[tuple[str, bool, bool, str]]:
        return [
            (p.pair.entry.text[:4], p.on_it, p.near, p.shared)
            for p in changes.proposed(point, words, revision)
        ]

    assert told(lift, "一楼的补偿办法应当先公开。") == [("老旧小区", True, False, "")]
    assert told(library, "希望社区图书馆延长开放，下班以后也能去。") == [
        ("社区图书", False, False, "社区图书馆延长开放")
    ]
    assert {each[0] for each in told(chapter, "这一章还不够具体。")} == {
        "新增养老",
        "社区图书",
        "本段以后",
    }
    assert told(nothing, "谢谢。") == []


def test_a_version_that_is_prepared_can_be_linked_and_takes_its_links_with_it(
    round_: Consultation,
) -> None:
    lift = a_point(round_, "一楼的补偿办法应当先公开。", "加装电梯")
    answered([lift])
    version = a_prepared_draft(round_, SECOND)
    revision = revisions.of(version)
    assert revision is not None
    assert changes.unmet_count(round_.id) == 1
    changes.link(lift, version, [paragraph(revision, "电梯")], **WHO)
    assert changes.unmet_count(round_.id) == 0
    # The public does not know of it yet.
    assert changes.of_points([lift.id]) == {}
    assert len(changes.of_points([lift.id], public=False)[lift.id]) == 1
    structure.discard(version, **WHO)
    db.session.commit()
    assert db.session.scalars(sa.select(PointChange)).all() == []


def test_publishing_drops_links_to_what_did_not_change_in_the_end(round_: Consultation) -> None:
    lift = a_point(round_, "一楼的补偿办法应当先公开。", "加装电梯")
    answered([lift])
    version = a_prepared_draft(round_, SECOND)
    revision = revisions.of(version)
    assert revision is not None
    changes.link(lift, version, [paragraph(revision, "电梯")], **WHO)
    pair = revision.by_paragraph[paragraph(revision, "电梯")]
    assert pair.before is not None
    row = db.session.get_one(drafts.Paragraph, paragraph(revision, "电梯"))
    row.text = pair.before.text
    db.session.flush()
    assert changes.settle(version, **WHO) == 1
    drafts.publish(version, **WHO)
    assert changes.unmet_count(round_.id) == 1


def test_the_links_of_many_points_are_read_with_one_query(round_: Consultation) -> None:
    some = [a_point(round_, f"床位应当加到一千五百张，第{n}封。", "床位") for n in range(7)]
    answered(some)
    version, revision = second(round_)
    for each in some:
        changes.link(each, version, [paragraph(revision, "床位")], **WHO)
    db.session.commit()
    asked: list[str] = []
    ids = [each.id for each in some]
    revisions.of(version)

    def noted(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "point_change" in statement:
            asked.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", noted)
    try:
        found = changes.of_points(ids)
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", noted)
    assert (len(found), len(asked)) == (7, 1)


# --- pages ---------------------------------------------------------------------------------------


def a_told_round(consultation: Consultation) -> tuple[list[Point], Revision]:
    """Three published points on the lift, one of them hidden later, and one on the beds."""
    lift = [a_point(consultation, f"一楼的补偿办法应当先公开，第{n}封。", "电梯") for n in "一二"]
    beds = a_point(consultation, "床位应当加到一千五百张。", "床位")
    answered([*lift, beds], published=True)
    version, revision = second(consultation)
    for each in lift:
        changes.link(each, version, [paragraph(revision, "电梯")], **WHO)
    changes.link(beds, version, [paragraph(revision, "床位")], **WHO)
    db.session.commit()
    return [*lift, beds], revision


def test_the_public_page_tells_each_change_with_its_points(
    round_: Consultation, client: FlaskClient
) -> None:
    a_told_round(round_)
    page = client.get("/consultations/jingan/changes/").text
    assert "第2稿改了什么，因为谁的意见" in page
    # Counted by hand: four changed paragraphs, two asked for, two of the office.
    lift, beds, rest = (
        page.index(each) for each in ("一楼的补偿办法", "床位应当加到", "社区图书馆")
    )
    assert lift < beds < rest
    assert page.count("编制单位修改</span>") == 1 + 2
    assert page.count("因为这些意见") == 2
    assert WHY in page
    assert client.get("/consultations/jingan/changes/?to=1").status_code == 404
    compare = client.get("/consultations/jingan/compare").text
    assert "/consultations/jingan/changes/" in compare


def test_what_is_hidden_or_taken_back_leaves_the_page_in_the_same_act(
    round_: Consultation, client: FlaskClient
) -> None:
    (first, other, beds), _revision = a_told_round(round_)
    hide(db.session.get_one(Submission, first.submission_id))
    db.session.commit()
    page = client.get("/consultations/jingan/changes/").text
    assert "第一封" not in page
    assert "第二封" in page
    assert "另有1条意见，内容未公开。" in page
    screening.withdraw(db.session.get_one(Submission, beds.submission_id), now=NOON)
    screening.withdraw(db.session.get_one(Submission, other.submission_id), now=NOON)
    db.session.commit()
    page = client.get("/consultations/jingan/changes/").text
    assert "第二封" not in page
    assert "床位应当加到" not in page
    assert "有1条意见，内容未公开。" in page


def test_an_answer_that_is_not_out_is_not_told(round_: Consultation, client: FlaskClient) -> None:
    lift = a_point(round_, "一楼的补偿办法应当先公开。", "电梯")
    answered([lift])
    version, revision = second(round_)
    changes.link(lift, version, [paragraph(revision, "电梯")], **WHO)
    db.session.commit()
    page = client.get("/consultations/jingan/changes/").text
    assert "一楼的补偿办法" not in page
    assert "有关意见的答复公布以后，在这里列出。" in page


def test_the_desk_links_and_unlinks(round_: Consultation, client: FlaskClient) -> None:
    lift = a_point(round_, "一楼的补偿办法应当先公开。", "电梯")
    answered([lift])
    _version, revision = second(round_)
    people.make("drc_staff", email="a@example.invalid")
    db.session.commit()
    people.sign_in(client, "a@example.invalid")
    desk = "/desk/consultations/jingan"
    assert "采纳而尚未落实到文本" in client.get(f"{desk}/points").text
    assert "尚未落实到文本" in client.get(f"{desk}/points/{lift.id}").text
    assert "共1点" in client.get(f"{desk}/changes/unmet").text
    at = f"{desk}/points/{lift.id}/changes"
    assert "理由：意见就是针对这一段提的" in client.get(at).text
    one = str(paragraph(revision, "电梯"))
    form = {**people.token(client, at), "act": "link", "to": "2", "paragraphs": [one]}
    answer = client.post(at, data=form, follow_redirects=True)
    assert "已关联第2稿的改动" in answer.text
    assert "都已落实" in client.get(f"{desk}/changes/unmet").text
    page = client.get(f"{desk}/changes").text
    assert "第1件第1点" in page
    only = client.get(f"{desk}/changes?who=points").text
    assert "电梯" in only
    assert "图书馆" not in only
    own = client.get(f"{desk}/changes?who=office").text
    assert "图书馆" in own
    assert "第1件第1点" not in own
    form["act"] = "unlink"
    assert client.post(at, data=form).status_code == 303
    assert client.post(at, data=form).status_code == 409
    form["act"] = "link"
    form["paragraphs"] = ["999999"]
    assert client.post(at, data=form).status_code == 409


def test_changes_are_paged_by_the_paragraph(round_: Consultation, client: FlaskClient) -> None:
    long = "# 第一章\n" + "\n".join(f"第{n}件事情要办好，办法另定。" for n in range(130))
    a_published_draft(round_, long)
    a_published_draft(round_, long.replace("办法另定", "办法已经公布"))
    first = client.get("/consultations/jingan/changes/").text
    assert "第99件事情" in first
    assert "第100件事情" not in first
    after = first[first.index("after=") + 6 :].split('"')[0].split("&")[0]
    rest = client.get(f"/consultations/jingan/changes/?after={after}").text
    assert "第100件事情" in rest
    assert "第99件事情" not in rest
    assert "第129件事情" in rest
    # One paragraph's address leads to the page it stands on.
    mark = re.search(r'id="p(\d+)"(?:(?!id="p).)*第120件事情', rest, re.DOTALL)
    assert mark
    asked = client.get(f"/consultations/jingan/changes/?at={mark[1]}").text
    assert "第120件事情" in asked
    assert 'rel="prev"' in asked
    assert 'rel="prev"' not in client.get("/consultations/jingan/changes/?at=1").text


# --- what hangs on it ----------------------------------------------------------------------------


def test_the_author_reads_the_changed_words_by_receipt(
    round_: Consultation, client: FlaskClient
) -> None:
    (first, _other, beds), _revision = a_told_round(round_)
    late = a_point(round_, "请把口袋公园夜间开放。", "口袋公园")
    answered([late], published=True)
    db.session.commit()

    def page(point: Point) -> str:
        receipt = db.session.get_one(Submission, point.submission_id).receipt
        return client.get(f"/receipts/{receipt}").text

    told = page(beds)
    assert "因为您的意见，文稿这样改了" in told
    assert "500" in told
    assert "1500" in told
    assert "还没有落实" not in told
    assert "现在公布的文稿里还没有落实这一点" in page(late)
    # Its author still reads what was changed, also when others may not read the opinion.
    hide(db.session.get_one(Submission, first.submission_id))
    db.session.commit()
    assert "因为您的意见，文稿这样改了" in page(first)


def test_before_the_next_version_the_author_is_told_to_wait(
    round_: Consultation, client: FlaskClient
) -> None:
    lift = a_point(round_, "一楼的补偿办法应当先公开。", "电梯")
    answered([lift], published=True)
    a_prepared_draft(round_, SECOND)
    receipt = db.session.get_one(Submission, lift.submission_id).receipt
    assert "下一稿公布以后，这里会列出修改前后的文字。" in client.get(f"/receipts/{receipt}").text


def test_a_published_answer_that_changed_nothing_can_be_decided_anew(
    round_: Consultation, client: FlaskClient
) -> None:
    lift = a_point(round_, "一楼的补偿办法应当先公开。", "电梯")
    answered([lift], published=True)
    second(round_)
    assert changes.unmet_count(round_.id) == 1
    responses.hand_back([lift], "文稿没有改，改为留作研究。", **WHO)
    answer = responses.of(lift.id)
    assert answer is not None
    assert (answer.state, answer.published_at) == (responses.DRAFTED, None)
    assert changes.unmet_count(round_.id) == 0
    last = sa.select(AuditEvent).order_by(AuditEvent.id.desc()).limit(1)
    assert db.session.scalars(last).one().action == "response.reopened"
    round_.state = ConsultationState.ANSWERED
    db.session.commit()
    receipt = db.session.get_one(Submission, lift.submission_id).receipt
    assert "正在办理或更正" in client.get(f"/receipts/{receipt}").text
    answered([lift], Outcome.KEPT_FOR_STUDY, published=True)
    db.session.commit()
    page = client.get(f"/receipts/{receipt}").text
    assert "留作研究" in page
    assert "正在办理或更正" not in page


def test_the_table_says_what_was_changed_and_stays_as_it_was(
    round_: Consultation, client: FlaskClient
) -> None:
    lift = a_point(round_, "一楼的补偿办法应当先公开。", "电梯")
    beds = a_point(round_, "床位应当加到一千五百张。", "床位")
    other = a_point(round_, "建议写得短一些。")
    answered([lift, beds])
    answered([other], Outcome.ALREADY)
    early = adoption.gather(round_.id)
    assert adoption.count(round_.id) == adoption.Sums.of(early)
    assert [row.changed for row in early] == ["待下一稿落实", "待下一稿落实", ""]
    version, revision = second(round_)
    assert [row.met for row in adoption.gather(round_.id)][:2] == [Met.UNMET, Met.UNMET]
    changes.link(lift, version, [paragraph(revision, "电梯")], **WHO)
    assert adoption.count(round_.id) == adoption.Sums.of(adoption.gather(round_.id))
    feedback = "共收到三件意见，都已研究，逐条答复如下。"
    report = adoption.propose(round_, feedback=feedback, by=audit.SYSTEM, now=NOON)
    adoption.release(report, round_, site="", by=audit.COMMAND_LINE, now=NOON)
    db.session.commit()
    told = (
        "第2稿“第一章 总体要求”：“老旧小区逐步加装电梯，一楼居民的顾虑应当得到尊重。”改为"
        "“老旧小区逐步加装电梯，一楼居民按公开的办法得到补偿。”"
    )
    wanted = [told, "尚未落实到文本", ""]
    # A link made later belongs to the next edition.
    changes.link(beds, version, [paragraph(revision, "床位")], **WHO)
    db.session.commit()
    db.session.expire_all()
    assert [row.changed for row in adoption.frozen(report)] == wanted
    at = "/consultations/jingan/adoption/"
    page = client.get(at).text
    assert told in page
    assert "已落实到文本1条，尚未落实到文本1条，待下一稿落实0条" in page
    assert "/consultations/jingan/changes/" in page
    rows = json.loads(client.get(f"{at}json").data)["rows"]
    assert [row["changed"] for row in rows] == wanted
    table = list(csv.DictReader(io.StringIO(client.get(f"{at}csv").data.decode("utf-8-sig"))))
    assert [row["changed"] for row in table] == wanted
    paper = docx.Document(io.BytesIO(client.get(f"{at}docx").data))
    cells = [row.cells[7].text for row in paper.tables[1].rows]
    assert cells == ["修改后文字", *wanted]
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(client.get(f"{at}xlsx").data))
    sheet = book.get_sheet_by_name("社会公众").to_python()
    assert [row[7] for row in sheet] == ["修改后文字", *wanted]
    note = "补充了一处修改后文字。"
    further = adoption.propose(round_, note=note, by=audit.SYSTEM, now=NOON)
    adoption.release(further, round_, site="", by=audit.COMMAND_LINE, now=NOON)
    assert adoption.sums(further).met == {Met.LINKED: 2}


def test_an_edition_of_the_first_days_has_no_such_column_to_fill() -> None:
    kept = {"part": "public", "points": [1], "outcome": "adopted", "reason": "", "place": ""}
    assert adoption.Row.of(kept).changed == ""


def test_the_archive_holds_what_changed_because_of_which_points(round_: Consultation) -> None:
    a_told_round(round_)
    papers = {p.name: p.data for p in archives.papers(round_, archives.Variant.MASKED)}
    told = json.loads(papers["07-report/changes-02.json"])
    assert {each["after"][:4] or each["before"][:4]: each["points"] for each in told} == {
        "老旧小区": [[1, 1], [2, 1]],
        "新增养老": [[3, 1]],
        "本段以后": [],
        "社区图书": [],
    }

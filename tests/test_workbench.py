"""The workbench: themes that add up, letters that came many times, contrasts of any two sides,
stances put right; every number followed to its opinions."""

import datetime as dt
import json
import re
import zlib
from collections import Counter
from dataclasses import replace

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from lxml import html

from consult import lexicons, stance_corrections, summaries, term_index
from consult.submissions import Channel, Stance, Submission, SubmissionState
from consult.summaries import campaigns, contrasts, counting, readings, themes
from consult.summaries.counting import count, gather
from consult.summaries.items import UNCLASSIFIED, Filters, Item, select
from consult.summaries.payload import pack, unpack
from consult.summaries.words import lexicon_of
from consult.views import summary_workbench
from core import audit
from core.audit import AuditEvent
from core.db import db
from core.errors import Refused
from tests import people
from tests.conftest import NOON
from tests.consultations_made import a_consultation, a_published_draft
from tests.summaries_made import a_summary, an_opinion, hide
from tests.thirty_made import LETTER, LIFTS, PARKING, thirty_counted, thirty_opinions


@pytest.fixture
def counted(app: Flask) -> int:
    """The id of a summary of such a round."""
    return thirty_counted(app, "bench")


def items_of(summary_id: int) -> tuple[Item, ...]:
    """What a snapshot counts."""
    summary = summaries.by_id(summary_id)
    assert summary is not None
    consultations = summaries.consultations_of(summary.subject)
    return readings.read(summary, consultations).counted.items


def numbers_open_their_opinions(client: FlaskClient, address: str) -> int:
    """Follow every number that is a link, in a table or in a sentence; how many there were."""
    page = html.fromstring(client.get(address).get_data(as_text=True))
    followed = 0
    for link in page.xpath("//main//a"):
        number = re.fullmatch(r"([0-9]+)(?:件|条|组|人)?", link.text_content())
        if number is None:
            cell = link.getparent()
            assert cell.tag != "td" or "num" not in cell.classes, link.text_content()
            continue
        opened = html.fromstring(client.get(link.get("href")).get_data(as_text=True))
        assert opened.xpath("//@data-total") == [number[1]], link.get("href")
        followed += 1
    return followed


def bare_numbers(client: FlaskClient, address: str) -> list[str]:
    """The numbers of opinions or people on a page that open nothing."""
    main = html.fromstring(client.get(address).get_data(as_text=True)).xpath("//main")[0]
    # What is typed or chosen, and how a figure is made, count nothing.
    for part in main.xpath(".//form | .//details | .//nav | .//a"):
        part.drop_tree()
    # 第3件 names one, 不足10人 is a limit.
    return re.findall(r"(?<![0-9]|第|足)[1-9][0-9]*(?:件|条|组|人)", main.text_content())


def test_themes_part_the_opinions_and_add_up(app: Flask, counted: int) -> None:
    with app.app_context():
        items = items_of(counted)
        for word in ("加装电梯", "停车位"):
            held = Counter(i.theme for i in items if word in i.terms)
            assert held.most_common(1)[0][1] >= 6, held
        assert len({i.theme for i in items if i.channel == "letter"}) == 1
        again, found = themes.find(items)
        assert again == items
        summary = summaries.by_id(counted)
        assert summary is not None
        assert unpack(summary.payload).themes == found


def test_what_the_index_has_read_is_counted_as_if_read_anew(app: Flask, counted: int) -> None:
    with app.app_context():
        some = [item.id for item in items_of(counted)][::2]
        term_index.follow(some)
        db.session.commit()
        summary = summaries.by_id(counted)
        assert summary is not None
        gathered = gather(summaries.consultations_of(summary.subject))
        assert gathered.kept.keys() == set(some)
        assert pack(count(gathered).counted) == pack(count(replace(gathered, kept={})).counted)


def test_with_several_drafts_a_count_takes_from_the_index_what_the_index_read(
    app: Flask, counted: int
) -> None:
    """One lexicon for both: the headings of all newest drafts. A snapshot names those it was read with,
    so that it is read alike when more have come."""
    with app.app_context():
        a_published_draft(a_consultation("other"), "# 夜间停车位共享\n内容。")
        items = items_of(counted)
        term_index.follow([item.id for item in items])
        db.session.commit()
        first = summaries.by_id(counted)
        assert first is not None
        gathered = gather(summaries.consultations_of(first.subject))
        assert gathered.kept.keys() == {item.id for item in items}
        result = count(gathered)
        assert pack(result.counted) == pack(count(replace(gathered, kept={})).counted)
        second = a_summary(first.subject)
        assert result.lexicon == second.lexicon != first.lexicon
        a_published_draft(a_consultation("third"), "# 夜间停车位抽签\n内容。")
        for each in (first, second):
            base = lexicons.at(readings.lexicon_of(each))
            assert lexicon_of(unpack(each.payload), base).version == each.lexicon
        # As a snapshot of the second format, without the terms of headings.
        old = replace(unpack(first.payload), heading_terms=None)
        assert lexicon_of(old, lexicons.at(0)).version == first.lexicon


def test_letters_are_likened_on_another_core_or_in_another_process_with_the_same_bytes(
    app: Flask, counted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        summary = summaries.by_id(counted)
        assert summary is not None
        consultations = summaries.consultations_of(summary.subject)
        here = count(gather(consultations))
        for many in (10**9, 0):
            monkeypatch.setattr(counting, "MANY", many)
            with counting.beside(consultations) as where:
                assert pack(count(gather(consultations, where)).counted) == pack(here.counted)


def test_few_opinions_have_no_themes(app: Flask) -> None:
    with app.app_context():
        consultation = a_consultation("few", title="征求意见")
        for words in LIFTS[:9]:
            an_opinion(consultation, words)
        db.session.commit()
        result = count(gather([consultation]))
        assert result.counted.themes == ()


def test_texts_beyond_the_sample_go_where_they_are_likest(
    app: Flask, counted: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        items = items_of(counted)
        monkeypatch.setattr(themes, "MOST_GROUPED", 16)
        again, found = themes.find(items)
    assert found
    assert {i.theme for i in again} <= set(range(len(found) + 1))
    assert sum(i.theme != UNCLASSIFIED for i in again) > 8


def test_a_snapshot_of_the_first_format_is_still_read(app: Flask, counted: int) -> None:
    with app.app_context():
        summary = summaries.by_id(counted)
        assert summary is not None
        whole = unpack(summary.payload)
    plain = json.loads(zlib.decompress(pack(whole)))
    for name in ("corrected", "theme", "themes"):
        del plain[name]
    old = unpack(zlib.compress(json.dumps({**plain, "format": 1}).encode()))
    assert old.themes == ()
    assert [i.id for i in old.items] == [i.id for i in whole.items]
    assert {i.theme for i in old.items} == {UNCLASSIFIED}


def test_a_letter_that_came_many_times_is_one_group_and_a_burst(app: Flask, counted: int) -> None:
    with app.app_context():
        found = campaigns.find(items_of(counted))
    letter = next(c for c in found if c.submissions == 6)
    assert (letter.people, letter.peak, letter.is_burst) == (6, 6, True)
    assert (letter.since, letter.until) == (dt.date(2020, 10, 15), dt.date(2020, 10, 16))


def test_groups_of_letters_go_over_pages_and_every_burst_is_told(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summary_workbench, "CAMPAIGNS", 2)
    with app.app_context():
        consultation = a_consultation("letters", title="征求意见")
        for n, what in enumerate(
            (
                "垃圾中转站气味太大，请换个地方。",
                "路灯整夜不亮，老人摔了两次。",
                "去医院要换三趟公交，希望通一班直达车。",
                "小区绿地被改成停车场，孩子没有玩的地方。",
            )
        ):
            for k in range(5 if n == 3 else 3):
                an_opinion(consultation, what, person=f"{n}-{k}")
        db.session.commit()
        summary = a_summary(consultation).id
    people.sign_in_as(client)
    at, seen = f"/desk/summaries/{summary}/campaigns?sort=people", []
    while at:
        page = html.fromstring(client.get(at).get_data(as_text=True))
        said = page.text_content()
        assert "有1组的多数是在2天内寄来的" in said
        assert "共4组，合计14件、14人" in said
        seen += [cell.text_content() for cell in page.xpath("//tbody/tr/th")]
        at = next(iter(page.xpath("//nav[@class='pager']//a[@rel='next']/@href")), "")
    assert len(seen) == len(set(seen)) == 4
    assert "绿地被改成停车场" in seen[0]


def test_a_burst_is_told_where_the_figures_are_read(
    app: Flask, client: FlaskClient, counted: int
) -> None:
    people.sign_in_as(client)
    at = f"/desk/summaries/{counted}"
    page = client.get(at).get_data(as_text=True)
    said = html.fromstring(page).text_content()
    assert "有1组内容相近的来件集中在2天内寄来" in said
    assert f'href="{at}/campaigns"' in page
    assert "集中在2天内寄来" not in client.get(f"{at}?channel=web").get_data(as_text=True)


def test_a_contrast_names_what_one_side_says(app: Flask, counted: int) -> None:
    with app.app_context():
        items = items_of(counted)
    web = [i for i in items if i.channel == "web"]
    rest = [i for i in items if i.channel != "web"]
    found = contrasts.compare(contrasts.of_items(web), contrasts.of_items(rest))
    assert found is not None
    said = {d.term: d.group for d in found.findings}
    assert said["加装电梯"] == "a"
    assert said["停车位"] == "b"
    few = contrasts.of_items(web[:3])
    assert contrasts.compare(few, contrasts.of_items(rest)) is None


@pytest.mark.parametrize(
    "room",
    [
        "",
        "?sort=people",
        "/themes",
        "/themes?sort=oppose",
        "/contrast?a=channel:web&b=rest&sort=term",
        "/campaigns",
    ],
)
def test_cards_are_sorted_by_the_links_over_them(
    client: FlaskClient, counted: int, room: str
) -> None:
    """A phone shows no heads: each of their links stands over the cards, too, once, under its name."""
    people.sign_in_as(client)
    page = html.fromstring(client.get(f"/desk/summaries/{counted}{room}").text)
    (table,) = (each for each in page.find_class("cards") if each.findall("thead/tr/th/a"))
    upper, *under = table.findall("thead/tr")
    columns = [head for each in upper for head in (under[0] if each.get("colspan") else [each])]
    named = [" ".join(head.text_content().strip(" ↑↓").split()) for head in columns]
    for row in table.findall("tbody/tr"):
        for name, cell in zip(named, row, strict=True):
            # A bar says nothing aloud, and what is unfolded has words of its own.
            drawn = cell.find("svg") is not None or cell.find("details") is not None
            bare = cell.tag == "th" or "nothing" in cell.classes or drawn
            assert bare or cell.get("data-label") == name
    heads = {a.get("href"): a.text_content() for a in table.findall("thead/tr/th/a")}
    over = [(a.get("href"), a.text_content()) for a in page.xpath("//nav[@class='sorts']/a")]
    if len(table.findall("tbody/tr")) < 2:
        assert not over, "there is nothing to be sorted"
        return
    assert dict(over) == heads
    assert len(over) == len(heads) >= 4
    (current,) = page.xpath("//nav[@class='sorts']/a[@aria-current]")
    (head,) = table.xpath("thead/tr/th[@aria-sort]/a")
    assert current.get("href") == head.get("href")
    for address, _label in over:
        assert client.get(address).status_code == 200


def test_the_stances_are_cards_on_a_phone_and_each_figure_says_what_it_is(
    client: FlaskClient, counted: int
) -> None:
    people.sign_in_as(client)
    page = html.fromstring(client.get(f"/desk/summaries/{counted}").text)
    (table,) = page.xpath("//table[contains(@class, 'cards')][caption = '按态度']")
    heads = [head.text_content() for head in table.findall("thead/tr/th")]
    for row in table.findall("tbody/tr"):
        told = [cell.get("data-label") or cell.find("svg") is not None for cell in row]
        # The stance itself and the bar need no label.
        assert told[2:] == heads[2:]
        assert told[1] is True


def test_the_words_of_the_cloud_are_a_list_on_a_phone(client: FlaskClient, counted: int) -> None:
    """The same words as in the picture, the same links, said alike; the more opinions, the larger."""
    people.sign_in_as(client)
    page = html.fromstring(client.get(f"/desk/summaries/{counted}").text)
    (figure,) = page.find_class("cloud")
    drawn = {a.get("href"): a.get("aria-label") for a in figure.xpath(".//svg//a")}
    listed = figure.xpath("ul[@class='words']/li/a")
    assert drawn == {a.get("href"): a.get("aria-label") for a in listed}
    assert len(listed) > 3
    said = [(re.findall("([0-9]+)件", a.get("aria-label")), a.get("class")) for a in listed]
    by_count = [size for _n, size in sorted((int(n[0]), size) for n, size in said)]
    assert by_count == sorted(by_count)
    assert by_count[-1] == "w4"


def test_which_side_is_too_small_to_compare_is_told(app: Flask, client: FlaskClient) -> None:
    """Twelve who wrote on the site against one who wrote a letter."""
    with app.app_context():
        consultation = a_consultation("small", title="征求意见")
        a_published_draft(consultation)
        for n in range(12):
            an_opinion(consultation, f"建议第{n}路增加路灯，晚上看不清。")
        an_opinion(consultation, "反对拆除老树。", channel=Channel.LETTER)
        db.session.commit()
        summary = a_summary(consultation).id
    people.sign_in_as(client)
    page = client.get(f"/desk/summaries/{summary}/contrast?a=channel:web&b=channel:letter").text
    assert "乙不足10人，不作比较。" in page
    assert "甲不足" not in page


def test_one_letter_many_times_is_told_and_another_snapshot_keeps_its_days(
    app: Flask, client: FlaskClient, counted: int
) -> None:
    people.sign_in_as(client)
    with app.app_context():
        items = items_of(counted)
    other = [i for i in items if "垃圾" not in i.terms]
    # The six who sent the letter and six who ask for lifts, against the other eighteen.
    a = [i for i in items if "垃圾" in i.terms] + other[:6]
    b = other[6:]
    found = contrasts.compare(contrasts.of_items(a), contrasts.of_items(b))
    assert found is not None
    told = zip(found.findings, contrasts.copies(found, a, b), strict=True)
    letter = {each.term: alike for each, alike in told}["垃圾"]
    assert letter is not None
    assert letter.people == 6
    lifts, parking = [i for i in items if "加装电梯" in i.terms], other[12:]
    found = contrasts.compare(contrasts.of_items(lifts), contrasts.of_items(parking))
    assert found is not None
    assert {d.term for d in found.findings} >= {"加装电梯"}
    assert not any(contrasts.copies(found, lifts, parking))
    at = f"/desk/summaries/{counted}/contrast?a=channel:web&b=summary:{counted}&b_from=2020-10-15"
    page = client.get(at).get_data(as_text=True)
    # The six who sent the letter came on those days, and none of the others.
    said = html.fromstring(page).text_content()
    assert "征求意见（第1次汇总）；自：2020年10月15日（星期四），6人" in said
    page = client.get(f"/desk/summaries/{counted}/themes?channel=hotline").get_data(as_text=True)
    assert 'value="hotline" selected' in page


def test_days_the_wrong_way_round_and_other_words_are_told(
    app: Flask, client: FlaskClient, counted: int
) -> None:
    people.sign_in_as(client)
    at = f"/desk/summaries/{counted}"
    for page in ("", "/themes", "/campaigns"):
        said = client.get(f"{at}{page}?from=2020-10-16&to=2020-10-15").get_data(as_text=True)
        assert "截止日期早于起始日期" in said
    compared = f"{at}/contrast?a=all&b=summary:{counted}"
    said = client.get(f"{compared}&b_from=2020-10-16&b_to=2020-10-15").get_data(as_text=True)
    assert "截止日期早于起始日期" in said
    assert "词典不同" not in said
    with app.app_context():
        a_published_draft(a_consultation("other"), "# 夜间停车位共享\n内容。")
        first = summaries.by_id(counted)
        assert first is not None
        second = a_summary(first.subject).id
    said = client.get(f"{at}/contrast?a=all&b=summary:{second}").get_data(as_text=True)
    assert "词典不同" in said


def test_everything_but_one_part_is_the_rest(app: Flask, counted: int) -> None:
    with app.app_context():
        summary = summaries.by_id(counted)
        assert summary is not None
        whole = unpack(summary.payload)
    inside = select(whole, Filters(channel="web"))
    outside = select(whole, Filters(outside=("channel", "web")))
    assert len(inside) + len(outside) == len(whole.items)
    assert not {i.id for i in inside} & {i.id for i in outside}


@pytest.mark.parametrize(
    "page",
    [
        "/themes",
        "/campaigns",
        "/contrast?a=channel:web",
        "/contrast?a=channel:web&b=channel:hotline",
        "/contrast?a=all&b=channel:letter",
        "/contrast?a=all&b=draft",
        "",
        "?channel=hotline",
    ],
)
def test_every_number_opens_its_opinions(
    app: Flask, client: FlaskClient, counted: int, page: str
) -> None:
    people.sign_in_as(client)
    at = f"/desk/summaries/{counted}{page}"
    followed = numbers_open_their_opinions(client, at)
    assert followed >= 2 or page.endswith("draft")
    assert bare_numbers(client, at) == []


def test_groups_that_came_many_times_are_opened_together(app: Flask, client: FlaskClient) -> None:
    """Three letters of 6, 4 and 3, the first of them within two days, and what came once."""
    with app.app_context():
        consultation = a_consultation("totals", title="征求意见")
        for n in range(6):
            an_opinion(consultation, LETTER, person=f"l{n}", day=dt.date(2020, 10, 15))
        for n in range(4):
            day = dt.date(2020, 9, 1 + 7 * n)
            an_opinion(consultation, PARKING[0], person=f"p{n % 3}", day=day)
        for n in range(3):
            an_opinion(consultation, LIFTS[0], channel=Channel.LETTER, person=f"l{n}")
        for words in LIFTS[1:] + PARKING[1:]:
            an_opinion(consultation, words)
        db.session.commit()
        summary = a_summary(consultation).id
    people.sign_in_as(client)
    at = f"/desk/summaries/{summary}/campaigns"
    said = html.fromstring(client.get(at).text).text_content()
    assert "共3组，合计13件、9人" in said
    assert "有1组的多数是在2天内寄来的" in said
    # Four figures over the table, and 件数, 人数 and the days that brought most of each group in it.
    assert numbers_open_their_opinions(client, at) == 4 + 3 * 3
    # Of the letters sent by post only three are alike, of the others two groups.
    assert numbers_open_their_opinions(client, f"{at}?channel=web") == 4 + 2 * 3
    assert numbers_open_their_opinions(client, f"{at}?channel=letter") == 3 + 3
    opened = client.get(f"/desk/summaries/{summary}/opinions?alike=burst").text
    assert 'data-total="6"' in opened
    assert "范围：集中来件" in opened
    assert client.get(f"/desk/summaries/{summary}/opinions?alike=some").status_code == 400


def test_those_who_sent_one_letter_are_opened(app: Flask, client: FlaskClient) -> None:
    """Twelve who sent one letter by post against twelve who wrote their own words on the site."""
    with app.app_context():
        consultation = a_consultation("copies", title="征求意见")
        for n, words in enumerate(LIFTS):
            an_opinion(consultation, words, person=f"w{n}")
            an_opinion(consultation, LETTER, channel=Channel.LETTER, person=f"l{n}")
        db.session.commit()
        summary = a_summary(consultation).id
    people.sign_in_as(client)
    at = f"/desk/summaries/{summary}/contrast?a=channel:letter&b=channel:web"
    said = html.fromstring(client.get(at).text).text_content()
    assert "其中12人寄的是内容相近的一份" in said
    assert numbers_open_their_opinions(client, at) > 2
    assert bare_numbers(client, at) == []


def test_a_theme_falls_into_finer_ones_when_somebody_asks(
    app: Flask, client: FlaskClient, counted: int
) -> None:
    people.sign_in_as(client)
    with app.app_context():
        items = items_of(counted)
        number, size = Counter(i.theme for i in items if i.theme).most_common(1)[0]
        held, parts = themes.find([i for i in items if i.theme == number])
        assert len(held) == size
    at = f"/desk/summaries/{counted}/themes/{number}"
    assert f'href="{at}"' in client.get(f"/desk/summaries/{counted}/themes").get_data(as_text=True)
    page = html.fromstring(client.get(at).get_data(as_text=True))
    rows = [
        [int(re.sub(r"\D", "", cell.text_content())) for cell in row.xpath("td[@class='num']")]
        for row in page.xpath("//table//tbody/tr")
    ]
    *found, whole = rows
    assert len(found) == len({i.theme for i in held})
    assert parts
    assert [sum(column) for column in zip(*found, strict=True)] == whole == [size, size]
    # Over the table, in it, and over what each finer theme quotes.
    assert numbers_open_their_opinions(client, at) == 2 + 2 * len(rows) + len(parts)
    assert client.get(f"{at}?part=99").status_code == 404
    assert client.get(f"/desk/summaries/{counted}/themes/99").status_code == 404


def test_an_opinions_keywords_come_with_the_parts_of_their_scores(
    app: Flask, client: FlaskClient, counted: int
) -> None:
    people.sign_in_as(client)
    with app.app_context():
        item = next(i for i in items_of(counted) if "停车位" in i.terms)
    opinions = client.get(f"/desk/summaries/{counted}/opinions").get_data(as_text=True)
    at = f"/desk/summaries/{counted}/words/{item.id}"
    assert f'href="{at}"' in opinions
    page = html.fromstring(client.get(at).get_data(as_text=True))
    rows = page.xpath("//table//tbody/tr")
    assert "停车位" in [row.xpath("string(th)") for row in rows]
    for row in rows:
        score = float(row.xpath("string(td[2])"))
        parts = [li.text_content() for li in row.xpath(".//li")]
        values = [float(part.rpartition("：")[2]) for part in parts]
        assert abs(sum(values) - score) < 0.05, parts
        assert not any(re.match(r"[a-z_]+：", part) for part in parts)
    assert client.get(f"/desk/summaries/{counted}/words/999999").status_code == 404


def test_the_public_reads_first_what_most_said_and_how_much_of_it_is_one_letter(
    app: Flask, client: FlaskClient
) -> None:
    """Themes are numbered by their distinct opinions; what is told in 件 is ordered by 件."""
    with app.app_context():
        consultation = a_consultation("loud", title="征求意见")
        thirty_opinions(consultation)
        for n in range(30):
            an_opinion(consultation, LETTER, channel=Channel.LETTER, person=f"more{n}")
        for n, words in enumerate(
            (
                "夏天垃圾中转站的气味飘到家里，不敢开窗，影响生活。",
                "半夜垃圾中转站装车，居民吵得睡不着。",
                "小区外垃圾中转站的污水一直流到马路上。",
                "自从门口有了垃圾中转站，苍蝇老鼠多了起来。",
            )
        ):
            an_opinion(consultation, words, person=f"near{n}")
        db.session.commit()
        a_published_draft(consultation)
        made = a_summary(consultation)
        summaries.publish(made, by=audit.SYSTEM, now=NOON)
        db.session.commit()
        address = f"/desk/summaries/{made.id}"
    page = html.fromstring(client.get("/consultations/loud/summary").get_data(as_text=True))
    said = next(p.text_content() for p in page.xpath("//p[@class='lead']"))
    counts = [int(n) for n in re.findall(r"（(\d+)件", said)]
    assert counts == sorted(counts, reverse=True)
    assert re.search(r"说得最多的是：[^；]*（\d+件，其中36件内容相近）", said), said
    assert said.endswith("有一组来件内容相近，共36件。")
    headings = [int(re.sub(r"\D", "", h)) for h in page.xpath("//h3//a/text()")]
    assert headings[: len(counts)] == counts
    people.sign_in_as(client)
    for odd in ("a=consultation:99", "a=foo:bar", "a=summary:9999", "a=channel:web&b=rest:1"):
        answer = client.get(f"{address}/contrast?{odd}")
        assert answer.status_code == 400
        assert re.search(r"看不懂：[ab]=", answer.get_data(as_text=True)), odd


def test_what_is_hidden_later_leaves_every_page(
    app: Flask, client: FlaskClient, counted: int
) -> None:
    people.sign_in_as(client)
    with app.app_context():
        from_letters = [i.id for i in items_of(counted) if i.channel == "letter"]
        for id in from_letters:
            hide(db.session.get_one(Submission, id))
    for page in ("themes", "campaigns", "contrast?a=channel:web"):
        assert "垃圾中转站" not in client.get(f"/desk/summaries/{counted}/{page}").get_data(
            as_text=True
        )


def test_what_happened_since_opens_the_opinions_it_happened_to(
    app: Flask, client: FlaskClient, counted: int
) -> None:
    """Two came later, three were hidden, of one the stance was corrected."""
    app.config["CLOCK"] = lambda: NOON + dt.timedelta(minutes=5)
    people.sign_in_as(client)
    with app.app_context():
        summary = summaries.by_id(counted)
        assert summary is not None
        (consultation,) = summaries.consultations_of(summary.subject)
        for state in (SubmissionState.SHOWN, SubmissionState.PENDING):
            an_opinion(consultation, "请多种树。", state=state)
        db.session.commit()
        items = items_of(counted)
        for item in items[-3:]:
            hide(db.session.get_one(Submission, item.id))
        item = items[0]
    corrected = client.post(
        f"/desk/summaries/{counted}/stance/{item.id}", data={"stance": "oppose", "reason": "反话"}
    )
    assert corrected.status_code in (302, 303)
    at = f"/desk/summaries/{counted}/themes"
    page = html.fromstring(client.get(at).text)
    told = {
        a.get("href").rpartition("state=")[2]: a.text_content()
        for a in page.xpath("//div[contains(@class, 'notice')]//a")
    }
    assert told == {"later": "2", "decided": "3", "corrected": "1", "removed": "3件"}
    assert numbers_open_their_opinions(client, at) > 4
    assert bare_numbers(client, at) == []
    later = client.get(f"/desk/summaries/{counted}/opinions?state=later").text
    assert "汇总后收到2件" in html.fromstring(later).text_content()
    listed = html.fromstring(client.get("/desk/summaries/").text)
    assert "此后又收到2件" in listed.text_content()
    # 件数, 去重, 人数 and what came since.
    assert numbers_open_their_opinions(client, "/desk/summaries/") == 4


def test_the_numbers_of_all_summaries_open_what_was_counted(
    app: Flask, client: FlaskClient, counted: int
) -> None:
    """Thirty of which six are one letter, two of the others by one person; three are hidden later."""
    people.sign_in_as(client)
    with app.app_context():
        summary = summaries.by_id(counted)
        assert summary is not None
        (consultation,) = summaries.consultations_of(summary.subject)
        an_opinion(consultation, "请多种树。", state=SubmissionState.PENDING, person="w0")
        an_opinion(consultation, "请修好人行道。", person="w0")
        db.session.commit()
        again = a_summary(summary.subject)
        assert (again.received, again.shown, again.distinct, again.people) == (32, 31, 26, 30)
        for item in items_of(again.id)[-8:]:
            hide(db.session.get_one(Submission, item.id))
    assert numbers_open_their_opinions(client, "/desk/summaries/") == 3
    assert numbers_open_their_opinions(client, "/desk/summaries/?consultation=1") == 2 * 4
    at = f"/desk/summaries/{counted}/opinions"
    assert client.get(f"{at}?state=received&as=people").status_code == 400
    later = client.get(f"{at}?state=shown&as=people").text
    assert "汇总时已展示30人" in html.fromstring(later).text_content()


def test_a_persons_reading_wins_from_the_next_count_on(
    app: Flask, client: FlaskClient, counted: int
) -> None:
    app.config["CLOCK"] = lambda: NOON + dt.timedelta(minutes=5)
    people.sign_in_as(client)
    with app.app_context():
        item = next(i for i in items_of(counted) if i.channel == "web")
    address = f"/desk/summaries/{counted}/stance/{item.id}"
    assert "依据的词" in client.get(address).get_data(as_text=True)
    assert client.post(address, data={"stance": "oppose", "reason": ""}).status_code == 422
    sent = client.post(address, data={"stance": "oppose", "reason": "反话"})
    assert sent.status_code in (302, 303)
    with app.app_context():
        kept = stance_corrections.of(item.id)
        assert kept is not None
        assert (kept.stance, kept.machine) == (Stance.OPPOSE, item.stance)
        summary = summaries.by_id(counted)
        assert summary is not None
        consultations = summaries.consultations_of(summary.subject)
        assert readings.since(summary, consultations).corrected == 1
        assert next(i for i in items_of(counted) if i.id == item.id) == item
        later = a_summary(summary.subject, NOON + dt.timedelta(minutes=9))
        assert readings.since(later, consultations).corrected == 0
        new = next(i for i in items_of(later.id) if i.id == item.id)
        assert (new.stance, new.corrected) == ("oppose", True)
        query = sa.select(AuditEvent).where(AuditEvent.action == "submission.stance_corrected")
        assert db.session.scalars(query).one().reason == "反话"


def test_what_the_author_ticked_is_not_corrected(app: Flask) -> None:
    with app.app_context():
        consultation = a_consultation("own", title="征求意见")
        ticked = an_opinion(consultation, "建议加装电梯，谢谢。", stance=Stance.SUPPORT)
        with pytest.raises(Refused, match="作者自己选了"):
            stance_corrections.correct(
                ticked,
                Stance.OPPOSE,
                machine="suggest",
                method="1",
                reason="看错",
                by=audit.SYSTEM,
                now=NOON,
            )


def test_the_public_reads_themes_in_peoples_words_and_who_was_not_heard(
    app: Flask, client: FlaskClient, counted: int
) -> None:
    with app.app_context():
        summary = summaries.by_id(counted)
        assert summary is not None
        summaries.publish(summary, by=audit.SYSTEM, now=NOON)
        db.session.commit()
        assert summary.consultation is not None
        at = f"/consultations/{summary.consultation.slug}/summary"
    page = client.get(at).get_data(as_text=True)
    assert "大家说了哪些事" in page
    assert sum(words in page for words in (*LIFTS, *PARKING, LETTER)) >= 2
    assert "没有收到来自这些渠道的意见" in page
    assert "as=people" not in page
    for link in html.fromstring(page).xpath("//h3//a"):
        opened = html.fromstring(client.get(link.get("href")).get_data(as_text=True))
        said = int(re.sub(r"\D", "", link.text_content()))
        assert int(opened.xpath("//h1/@data-total")[0]) == said


def test_the_score_of_a_keyword_is_worked_out_before_the_readers_eyes(
    app: Flask, client: FlaskClient, counted: int
) -> None:
    people.sign_in_as(client)
    told = html.fromstring(
        client.get(f"/desk/summaries/{counted}?keywords=all").text
    ).text_content()
    number = r"[-+]?[0-9]+\.[0-9]+"
    sums = re.findall(rf"（({number})({number})({number})({number})）×({number})＝({number})", told)
    assert len(sums) == len(re.findall(r"、特征度-?[0-9]", told))
    assert len(sums) > 3
    for *parts, weight, score in sums:
        assert sum(map(float, parts)) * float(weight) == pytest.approx(float(score), abs=0.1)

"""The report on a snapshot, composed by rules: each sentence a count that can be opened again.

Nothing is guessed: what is too few to compare is said to be so, differences come with their
interval, and who was not heard stands there too.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from flask_babel import gettext as _

from consult.submissions import Channel, Stance
from consult.summaries import campaigns, contrasts
from consult.summaries.counts import FEW, by_section, by_theme, outermost
from consult.summaries.items import UNCLASSIFIED, UNPLACED, WHOLE, Counted, Filters, Item, select
from consult.summaries.readings import Reading
from consult.summaries.reports import Selection, Sentence, behind
from consult.summaries.snapshots import Summary
from core.text import within_quotes
from core.web import day

THEMES, SECTIONS, DIFFERENCES = 8, 5, 3
# Where opinions can come from; not heard from is worth saying only of these.
EXPECTED = (Channel.WEB, Channel.LETTER, Channel.HOTLINE, Channel.COUNTER, Channel.MEETING)
LEAST = contrasts.LEAST_PEOPLE


@dataclass(frozen=True, slots=True)
class _Writer:
    """What the sentences are made from."""

    summary: Summary
    reading: Reading
    titles: Mapping[int, str]

    @property
    def items(self) -> tuple[Item, ...]:
        """The opinions counted and still shown."""
        return self.reading.counted.items


def compose(summary: Summary, titles: Mapping[int, str], reading: Reading) -> list[Sentence]:
    """The sentences of the report, in order. `titles` of the consultations by id."""
    writer = _Writer(summary, reading, titles)
    found: list[Sentence] = []
    parts = [
        (_("一、总体情况"), _overall(writer)),
        (_("二、主要意见"), _themes(writer)),
        (_("三、意见针对的章节"), _sections(writer)),
        (_("四、不同渠道的说法"), _channels(writer)),
        (_("五、相近来件"), _campaigns(writer)),
        (_("六、没有听到的和不确定的"), _unheard(writer)),
    ]
    if not writer.items:
        parts = [parts[0], (_("二、没有听到的"), _unheard(writer))]
    for section, written in parts:
        for text, query, quote in written:
            sentence = Sentence(section, text, text, query, quote)
            told = len(behind(sentence, reading.counted)) if sentence.selections else None
            found.append(replace(sentence, count=told))
    return found


Written = Iterator[tuple[str, Selection | None, int | None]]


def _overall(writer: _Writer) -> Written:
    summary, items = writer.summary, writer.items
    yield (
        _(
            "截至%(day)s，“%(title)s”共收到意见%(received)d件，审核后展示%(shown)d件，待审核%(pending)d件，不展示%(hidden)d件，已作办理指引%(referred)d件。",
            day=day(summary.counted_at),
            title=within_quotes(summary.subject.title),
            received=summary.received,
            shown=summary.shown,
            pending=summary.pending,
            hidden=summary.hidden,
            referred=summary.referred,
        ),
        {"state": "received"},
        None,
    )
    if not items:
        yield _("没有可以汇总的意见。"), None, None
        return
    yield (
        _(
            "本报告计入展示的%(a)d件，内容相近的合并后为%(b)d条，由%(c)d人提出。",
            a=len(items),
            b=len({i.group for i in items}),
            c=len({i.person for i in items}),
        ),
        {},
        None,
    )
    if len(items) < FEW:
        yield _("意见不足%(n)d件，只列原文要点，不作比较。", n=FEW), {}, None
        return
    yield from _channel(items)
    yield from _stances(items)


def _channel(items: Sequence[Item]) -> Written:
    counts = Counter(item.channel for item in items)
    n = max(counts.values())
    most = [channel for channel in Channel if counts[channel.value] == n]
    words = (
        _("全部%(n)d件都来自%(channel)s。")
        if len(counts) == 1
        else _("来自%(channel)s的最多，%(n)d件，占%(share).1f%%。")
        if len(most) == 1
        else _("来自%(channel)s的最多，一样多，共%(n)d件，各占%(share).1f%%。")
    )
    titles = "、".join(channel.title for channel in most)
    yield (
        words % {"channel": titles, "n": n * len(most), "share": 100 * n / len(items)},
        {"channel": [channel.value for channel in most]},
        None,
    )


def _stances(items: Sequence[Item]) -> Written:
    counts = Counter(item.stance for item in items)
    words = {
        Stance.SUGGEST: _("提出建议的%(n)d件，占%(share).1f%%。"),
        Stance.SUPPORT: _("表示赞成的%(n)d件，占%(share).1f%%。"),
        Stance.OPPOSE: _("表示反对的%(n)d件，占%(share).1f%%。"),
        Stance.QUESTION: _("提出疑问的%(n)d件，占%(share).1f%%。"),
        Stance.APPEAL: _("提出诉求的%(n)d件，占%(share).1f%%。"),
        Stance.NONE: _("没有表明态度的%(n)d件，占%(share).1f%%。"),
    }
    for stance, said in words.items():
        n = counts[stance.value]
        if n >= LEAST:
            yield said % {"n": n, "share": 100 * n / len(items)}, {"stance": stance.value}, None
    few = [stance for stance in words if 0 < counts[stance.value] < LEAST]
    yield from _too_few(
        _("态度为%(titles)s的不足%(n)d件，不作比较。"),
        _("态度为%(titles)s的各不足%(n)d件，不作比较。"),
        [stance.title for stance in few],
        {"stance": [stance.value for stance in few]},
    )


def _too_few(one: str, many: str, titles: Sequence[str], query: Selection) -> Written:
    """What there is too little of to compare, if there is any: `one` says it of one title, `many` of
    several."""
    if titles:
        said = "、".join(f"“{within_quotes(title)}”" for title in titles)
        words = one if len(titles) == 1 else many
        yield words % {"titles": said, "n": LEAST}, query, None


def _themes(writer: _Writer) -> Written:
    if len(writer.items) < FEW:
        for item in writer.items:
            yield _("第%(n)d件的意见如下。", n=item.number), None, item.id
        return
    themes = writer.reading.counted.themes
    held = by_theme(writer.items)
    # Themes are numbered by their distinct opinions; told by all of them.
    order = sorted(held.keys() - {UNCLASSIFIED}, key=lambda n: (-len(held[n]), n))
    for number in order[:THEMES]:
        items, theme = held[number], themes[number - 1]
        said = {term for item in items for term in item.terms}
        name = theme.named(said) or theme.name
        against = sum(item.stance == "oppose" for item in items)
        favour = sum(item.stance in ("support", "suggest") for item in items)
        chosen = (theme.representative, *theme.spokesmen)
        here = {item.id for item in items}
        quote = next((id for id in chosen if id in here), items[0].id)
        yield (
            _(
                "关于%(name)s的意见%(n)d件、%(people)d人，其中赞成或提出建议的%(favour)d件，反对的%(against)d件。",
                name=name,
                n=len(items),
                people=len({item.person for item in items}),
                favour=favour,
                against=against,
            ),
            {"theme": number},
            quote,
        )
    if len(order) > THEMES:
        rest = sum(len(held[number]) for number in order[THEMES:])
        left = len(order) - THEMES
        words = _("另有较小的主题%(k)d个，共%(n)d件。", k=left, n=rest)
        yield words, {"theme": order[THEMES:]}, None
    if themes and UNCLASSIFIED in held:
        n = len(held[UNCLASSIFIED])
        yield _("没有归入任何主题的%(n)d件。", n=n), {"theme": UNCLASSIFIED}, None
    if not themes:
        yield _("内容不同的意见太少，没有分主题。"), {}, None


def _sections(writer: _Writer) -> Written:
    counted = writer.reading.counted
    places = [p for p in outermost(counted) if p not in (WHOLE, UNPLACED)]
    heard = by_section(counted, counted.items)
    counts = [(p, heard.get(p, 0)) for p in places]
    enough = sorted(((p, n) for p, n in counts if n >= LEAST), key=lambda pair: -pair[1])
    for place, n in enough[:SECTIONS]:
        yield (
            _("针对“%(title)s”的%(n)d件。", title=within_quotes(_section(writer, place)), n=n),
            {"section": place},
            None,
        )
    if rest := enough[SECTIONS:]:
        n = sum(n for _place, n in rest)
        words = _("针对另外%(k)d个部分的共%(n)d件。", k=len(rest), n=n)
        yield words, {"section": [place for place, _n in rest]}, None
    if whole := heard.get(WHOLE, 0):
        yield _("针对全文的%(n)d件。", n=whole), {"section": WHOLE}, None
    if loose := heard.get(UNPLACED, 0):
        yield _("针对未编入章节的段落的%(n)d件。", n=loose), {"section": UNPLACED}, None
    few = [p for p, n in counts if 0 < n < LEAST]
    yield from _too_few(
        _("针对%(titles)s的不足%(n)d件，不作比较。"),
        _("针对%(titles)s的各不足%(n)d件，不作比较。"),
        [_section(writer, place) for place in few],
        {"section": few},
    )


def _section(writer: _Writer, place: int) -> str:
    section = writer.reading.counted.sections[place]
    before = f"《{writer.titles[section.consultation]}》" if len(writer.titles) > 1 else ""
    return before + section.title


def _channels(writer: _Writer) -> Written:
    present = [c for c in Channel if any(i.channel == c.value for i in writer.items)]
    if len(present) < 2:
        yield _("意见只来自一个渠道，不作比较。"), {}, None
        return
    for channel in present:
        mine = [i for i in writer.items if i.channel == channel.value]
        rest = [i for i in writer.items if i.channel != channel.value]
        yield from _difference(channel, mine, rest)


def _difference(channel: Channel, mine: Sequence[Item], rest: Sequence[Item]) -> Written:
    a, b = contrasts.of_items(mine), contrasts.of_items(rest)
    if a.size < LEAST:
        yield (
            _("来自%(channel)s的不足%(n)d件，不作比较。", channel=channel.title, n=LEAST),
            {"channel": channel.value},
            None,
        )
        return
    found = contrasts.compare(a, b)
    if found is None:
        yield (
            _("来自%(channel)s或者其余渠道的不足%(n)d人，不作比较。", channel=channel.title, n=FEW),
            {"channel": channel.value},
            None,
        )
        return
    copies = contrasts.copies(found, mine, rest)
    pairs = zip(found.findings, copies, strict=True)
    more = [pair for pair in pairs if pair[0].group == "a"][:DIFFERENCES]
    for each, alike in more:
        words = (
            _(
                "%(channel)s比其余渠道更多提到“%(term)s”：每百人%(a).1f对%(b).1f，相差的95%%区间为%(low).1f至%(high).1f；其中%(n)d人寄的是内容相近的一份。"
            )
            if alike
            else _(
                "%(channel)s比其余渠道更多提到“%(term)s”：每百人%(a).1f对%(b).1f，相差的95%%区间为%(low).1f至%(high).1f。"
            )
        )
        numbers = {
            "a": each.rate_a,
            "b": each.rate_b,
            "low": each.interval[0],
            "high": each.interval[1],
            "n": alike.people if alike else 0,
        }
        yield (
            words % {"channel": channel.title, "term": each.term, **numbers},
            {"channel": channel.value, "term": each.term},
            None,
        )
    if not more:
        yield (
            _("没有发现%(channel)s比其余渠道更多提到的词。", channel=channel.title),
            {"channel": channel.value},
            None,
        )


def _campaigns(writer: _Writer) -> Written:
    found = campaigns.find(writer.items)
    if not found:
        yield _("没有成批的相近来件。"), None, None
    for each in found[:SECTIONS]:
        words = (
            _(
                "内容相近的一组意见%(n)d件、%(people)d人，其中%(peak)d件集中在%(day)s起的两天内寄来。"
            )
            if each.is_burst
            else _("内容相近的一组意见%(n)d件、%(people)d人。")
        )
        numbers = {"n": each.submissions, "people": each.people, "peak": each.peak}
        yield words % {**numbers, "day": day(each.busiest)}, {"group": each.group}, each.first.id
    if rest := found[SECTIONS:]:
        n = sum(each.submissions for each in rest)
        yield (
            _("另有较小的相近来件%(k)d组，共%(n)d件。", k=len(rest), n=n),
            {"group": [each.group for each in rest]},
            None,
        )


def silent_channels(items: Sequence[Item]) -> list[str]:
    """The usual channels by which none of these opinions came."""
    heard = {item.channel for item in items}
    return [channel.title for channel in EXPECTED if channel.value not in heard]


def scarce_channels(items: Sequence[Item]) -> list[str]:
    """The channels by which too few of these opinions came to compare them."""
    heard = Counter(item.channel for item in items)
    return [channel.title for channel in Channel if 0 < heard[channel.value] < LEAST]


def quiet_chapters(counted: Counted) -> list[int]:
    """The chapters nobody commented on."""
    heard = by_section(counted, counted.items)
    return [p for p in outermost(counted) if p not in (WHOLE, UNPLACED) and p not in heard]


def _unheard(writer: _Writer) -> Written:
    silent = silent_channels(writer.items)
    if silent:
        yield _("没有收到来自%(channels)s的意见。", channels="、".join(silent)), None, None
    quiet = quiet_chapters(writer.reading.counted)
    if quiet:
        titles = "、".join(f"“{within_quotes(_section(writer, place))}”" for place in quiet)
        yield _("没有人对%(titles)s提出意见。", titles=titles), None, None
    yield from _readers(writer)
    yield (
        _("意见来自自愿参与，不代表全体居民；没有提意见的人怎么想，本报告无从得知。"),
        None,
        None,
    )


def _readers(writer: _Writer) -> Written:
    """Who says what the stances are."""
    for words, declared, corrected in (
        (_("态度由作者自己选的%(n)d件。"), True, None),
        (_("态度由系统按文字判读的%(n)d件，判读可能有误。"), False, False),
        (_("态度经人工更正的%(n)d件。"), False, True),
    ):
        filters = Filters(declared=declared, corrected=corrected)
        if n := len(select(writer.reading.counted, filters)):
            read = {"declared": declared, "corrected": corrected}
            yield words % {"n": n}, {k: v for k, v in read.items() if v is not None}, None

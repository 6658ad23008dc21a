"""`python -m consult.analysis COMMAND`: the engine on anyone's own texts.

Reads JSON Lines from standard input, each `{"id": …, "text": …}` and optionally "title", "group"
and "person"; writes JSON to standard output. The same input gives the same bytes. A line that is
no such thing ends the run with status 2 and a sentence that names it.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consult.analysis import cloud, concordance, contrast, keywords, newwords, phrases
from consult.analysis.duplicates import NEAR, exact_groups, near_groups
from consult.analysis.engine import Analysed, Engine
from consult.analysis.lexicon import Lexicon, builtin, frequency_of, parse_terms
from consult.analysis.records import BadInput, Record, records

# Whoever runs this on their own texts reads the field's own words, as on the pages.
STANCES = {
    "support": "赞成",
    "oppose": "反对",
    "suggest": "建议",
    "question": "疑问",
    "appeal": "诉求",
    "none": "未表明",
}


@dataclass(frozen=True, slots=True)
class Said:
    """A record as the ranking and the comparison see it; `group` numbers nearly equal texts."""

    terms: tuple[str, ...]
    opposed: tuple[str, ...]
    person: str | None
    group: int


def segment(read: Sequence[Record], options: argparse.Namespace) -> Iterator[object]:
    """A line a text: `{"id", "tokens"}`; the tokens join to the text exactly."""
    segmenter = Engine(_lexicon(options)).segmenter
    for record in read:
        yield {"id": record.id, "tokens": segmenter.tokens(record.text)}


def keywords_of(read: Sequence[Record], options: argparse.Namespace) -> Iterator[object]:
    """With --per-text K a line a text, `{"id", "keywords": [{"term", "score"}…]}`; otherwise one
    object for all, ranked by contrast with --draft and ordinary language."""
    engine = Engine(_lexicon(options))
    if options.per_text is not None:
        texts = [(record.text, record.title) for record in read]
        found = phrases.keywords(texts, segmenter=engine.segmenter, top=options.per_text)
        for record, best in zip(read, found, strict=True):
            yield {"id": record.id, "keywords": [_phrase(word, options) for word in best]}
        return
    draft = options.draft.read_text(encoding="utf-8-sig").splitlines() if options.draft else []
    paragraphs = [line for line in draft if line.strip()]
    ranked = keywords.rank(
        _said(read, engine),
        draft=Counter(term for line in paragraphs for term in engine.analyse(line).terms),
        draft_size=len(paragraphs),
        top=options.top,
        lexicon=engine.lexicon,
    )
    yield {"texts": len(read), "keywords": [_keyword(word, options) for word in ranked]}


def _phrase(word: phrases.Phrase, options: argparse.Namespace) -> dict[str, object]:
    shown: dict[str, object] = {"term": word.term, "score": _rounded(word.score)}
    return shown | ({"parts": _parts(word.parts)} if options.explain else {})


def _keyword(word: keywords.Keyword, options: argparse.Namespace) -> dict[str, object]:
    shown: dict[str, object] = {
        "term": word.term,
        "count": word.count,
        "people": word.people,
        "share": _rounded(word.share),
        "opposed": word.opposed,
        "score": _rounded(word.score),
    }
    return shown | ({"parts": _parts(word.parts)} if options.explain else {})


def contrast_of(read: Sequence[Record], options: argparse.Namespace) -> Iterator[object]:
    """Terms in which two values of "group" differ; with --a alone, that group against the rest."""
    name_a, name_b = _two_groups(read, options)
    engine = Engine(_lexicon(options))
    a = [record for record in read if record.group == name_a]
    b = [
        record
        for record in read
        if (record.group == name_b if name_b is not None else record.group != name_a)
    ]
    found = contrast.compare(_said(a, engine), _said(b, engine), minimum=options.minimum)
    names = {"a": name_a, "b": name_b if name_b is not None else "rest"}
    yield {
        "a": {"group": names["a"], "people": found.n_a},
        "b": {"group": names["b"], "people": found.n_b},
        "compared": found.compared,
        "terms": [
            {
                "term": difference.term,
                "group": names[difference.group],
                "count_a": difference.count_a,
                "count_b": difference.count_b,
                "rate_a": _rounded(difference.rate_a),
                "rate_b": _rounded(difference.rate_b),
                "score": _rounded(difference.score),
                "interval": [_rounded(end) for end in difference.interval],
                "q": _rounded(difference.q),
            }
            for difference in found.findings[: options.top]
        ],
    }


def _two_groups(
    read: Sequence[Record], options: argparse.Namespace
) -> tuple[str | None, str | None]:
    names = list(dict.fromkeys(record.group for record in read if record.group is not None))
    for asked in (options.a, options.b):
        if asked is not None and asked not in names:
            raise BadInput(f'no text has the group "{asked}"')
    if options.a is not None:
        return options.a, options.b
    if len(names) != 2:
        raise BadInput(f"contrast needs two groups, or --a; the input has {len(names)}")
    return names[0], names[1]


def newwords_of(read: Sequence[Record], options: argparse.Namespace) -> Iterator[object]:
    """Proposals for the lexicon: `{"words": [{"term", "count", "texts", …}…]}`, with --explain the
    "parts" each score is the sum of."""
    found = newwords.propose(
        [record.whole for record in read],
        segmenter=Engine(_lexicon(options)).segmenter,
        minimum=options.minimum,
        top=options.top,
    )
    yield {
        "words": [
            {
                "term": word.term,
                "count": word.count,
                "texts": word.texts,
                "cohesion": _rounded(word.cohesion),
                "entropy": _rounded(word.entropy),
                "score": _rounded(word.score),
                **({"parts": _parts(word.parts)} if options.explain else {}),
            }
            for word in found
        ]
    }


def stance_of(read: Sequence[Record], options: argparse.Namespace) -> Iterator[object]:
    """A line a text: `{"id", "stance", "because", "opposed"}`; the stance is 赞成, 反对, 建议, 疑问,
    诉求 or 未表明."""
    engine = Engine(_lexicon(options))
    for record, seen in zip(read, _analysed(read, engine), strict=True):
        yield {
            "id": record.id,
            "stance": STANCES[seen.stance],
            "because": list(seen.because),
            "opposed": list(seen.opposed),
        }


def duplicates_of(read: Sequence[Record], options: argparse.Namespace) -> Iterator[object]:
    """`{"groups": [[id, …], …]}`: each group of two or more, in the order of their first text."""
    texts = [record.text for record in read]
    numbers = (
        exact_groups(texts) if options.exact else near_groups(texts, threshold=options.threshold)
    )
    groups: dict[int, list[Any]] = {}
    for record, number in zip(read, numbers, strict=True):
        groups.setdefault(number, []).append(record.id)
    together = [ids for ids in groups.values() if len(ids) > 1]
    yield {"texts": len(read), "distinct": len(groups), "groups": together}


def themes_of(read: Sequence[Record], options: argparse.Namespace) -> Iterator[object]:
    """`{"themes": [{"name", "terms", "ids", "representative", "spokesmen"}…], "unclassified":
    [id, …]}`; the spokesmen, `{"id", "speaks_for"}`, cover their theme with little repetition. With
    --levels each theme holds "themes" and "unclassified" of its own texts, too."""
    engine = Engine(_lexicon(options))
    weighed = [_weighed(record, engine) for record in read]
    yield _themes(read, weighed, options, options.levels)


def _themes(
    read: Sequence[Record],
    weighed: Sequence[Mapping[str, float]],
    options: argparse.Namespace,
    levels: int,
) -> dict[str, object]:
    themes = importlib.import_module("consult.analysis.themes")
    spokesmen = importlib.import_module("consult.analysis.spokesmen")
    found = themes.group(weighed, resolution=options.resolution)
    shown = []
    for theme in found.themes:
        held, said = ([each[n] for n in theme.members] for each in (read, weighed))
        described: dict[str, object] = {
            "name": theme.name,
            "terms": list(theme.terms),
            "ids": [record.id for record in held],
            "representative": read[theme.representative].id,
            "spokesmen": [
                {"id": held[chosen.place].id, "speaks_for": chosen.speaks_for}
                for chosen in spokesmen.choose(said, most=options.spokesmen)
            ],
        }
        within = _themes(held, said, options, levels - 1) if levels > 1 else {}
        shown.append(described | within)
    return {"themes": shown, "unclassified": [read[n].id for n in found.unclassified]}


def route_of(read: Sequence[Record], options: argparse.Namespace) -> Iterator[object]:
    """A line for each text without a "group": `{"id", "label", "margin", "because": [[term,
    part]…]}`, learned from the texts whose "group" is the label people gave them."""
    engine = Engine(_lexicon(options))
    routing = importlib.import_module("consult.analysis.routing")
    taught = [record for record in read if record.group is not None]
    router = routing.learn(
        [_weighed(record, engine) for record in taught], [str(record.group) for record in taught]
    )
    if router is None:
        raise BadInput(f"route needs two groups of at least {routing.FEWEST} texts to learn from")
    for record in read:
        if record.group is None:
            found = router.suggest(_weighed(record, engine))
            yield {
                "id": record.id,
                "label": found.label if found else None,
                "margin": _rounded(found.margin) if found else None,
                "because": [[term, _rounded(part)] for term, part in found.because]
                if found
                else [],
            }


def _weighed(record: Record, engine: Engine) -> dict[str, float]:
    return engine.mentions(record.text, title=record.title)


def concordance_of(read: Sequence[Record], options: argparse.Namespace) -> Iterator[object]:
    """`{"term", "lines": [{"id", "left", "keyword", "right"}…]}`, in order or sorted."""
    segmenter = Engine(_lexicon(options)).segmenter
    found = [
        (record.id, line)
        for record in read
        for line in concordance.lines(
            record.whole, options.term, width=options.width, segmenter=segmenter
        )
    ]
    if options.sort:
        key = {"left": concordance.Line.by_left, "right": concordance.Line.by_right}[options.sort]
        found.sort(key=lambda pair: key(pair[1]))
    yield {
        "term": options.term,
        "lines": [
            {"id": number, "left": line.left, "keyword": line.keyword, "right": line.right}
            for number, line in found
        ],
    }


def cloud_of(read: Sequence[Record], options: argparse.Namespace) -> Iterator[object]:
    """`{"width", "height", "words": […]}` of the people behind each keyword; --svg and --png write
    pictures."""
    engine = Engine(_lexicon(options))
    said = _said(read, engine)
    ranked = keywords.rank(said, draft={}, draft_size=0, top=options.top, lexicon=engine.lexicon)
    people = {word.term: float(word.people) for word in ranked}
    counts = {word.term: f"{word.term}，{word.count}件" for word in ranked}
    drawn = cloud.layout(
        people, font_path=cloud.default_font(), width=options.width, height=options.height
    )
    if options.svg:
        options.svg.write_text(cloud.svg(drawn, links={}, labels=counts), encoding="utf-8")
    if options.png:
        options.png.write_bytes(cloud.png(drawn, font_path=cloud.default_font()))
    yield {
        "width": drawn.width,
        "height": drawn.height,
        "words": [
            {
                "term": word.term,
                "x": word.x,
                "y": word.y,
                "size": word.size,
                "vertical": word.vertical,
                "weight": word.weight,
            }
            for word in drawn.words
        ],
    }


def _lexicon(options: argparse.Namespace) -> Lexicon:
    lexicon = builtin()
    if options.lexicon is None:
        return lexicon
    added = parse_terms(options.lexicon.read_text(encoding="utf-8-sig"))
    more = {term: max(times, frequency_of(term)) for term, times in added.items()}
    return Lexicon({**lexicon.terms, **more}, lexicon.synonyms, lexicon.stop_words)


def _analysed(read: Sequence[Record], engine: Engine) -> Iterator[Analysed]:
    return (engine.analyse(record.text, title=record.title) for record in read)


def _said(read: Sequence[Record], engine: Engine) -> list[Said]:
    groups = near_groups([record.text for record in read])
    return [
        Said(seen.terms, seen.opposed, record.person, group)
        for record, seen, group in zip(read, _analysed(read, engine), groups, strict=True)
    ]


def _parts(parts: Any) -> dict[str, float]:
    return {name: _rounded(value) for name, value in parts.items()}


def _rounded(number: float) -> float:
    return round(number, 6)


Command = Callable[[Sequence[Record], argparse.Namespace], Iterator[object]]


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    top = argparse.ArgumentParser(prog="python -m consult.analysis", description=__doc__)
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Command) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=run.__doc__, description=run.__doc__)
        made.add_argument("--lexicon", type=Path, help="further terms, one a line")
        made.set_defaults(run=run)
        return made

    command("segment", segment)
    made = command("keywords", keywords_of)
    made.add_argument("--per-text", type=_count, metavar="K", help="keywords of each text")
    made.add_argument("--top", type=_count, default=100, metavar="K", help="keywords of all")
    made.add_argument("--draft", type=Path, help="the consulted text, a paragraph a line")
    made.add_argument("--explain", action="store_true", help="with the parts of each score")
    made = command("contrast", contrast_of)
    made.add_argument("--a", help="first group")
    made.add_argument("--b", help="second group; without it the rest")
    made.add_argument("--minimum", type=_count, default=contrast.MINIMUM, help="least people")
    made.add_argument("--top", type=_count, default=1000, metavar="K")
    made = command("newwords", newwords_of)
    made.add_argument("--minimum", type=_count, default=3, help="least texts")
    made.add_argument("--top", type=_count, default=50, metavar="K")
    made.add_argument("--explain", action="store_true", help="with the parts of each score")
    command("stance", stance_of)
    made = command("duplicates", duplicates_of)
    made.add_argument("--exact", action="store_true", help="only texts equal but for form")
    made.add_argument("--threshold", type=float, default=NEAR, help="similarity, 0-1")
    made = command("themes", themes_of)
    made.add_argument("--resolution", type=float, default=1.0, help="higher: more, smaller themes")
    made.add_argument("--levels", type=_count, default=1, metavar="N", help="themes in themes")
    made.add_argument("--spokesmen", type=_count, default=3, metavar="K", help="of each theme")
    command("route", route_of)
    made = command("concordance", concordance_of)
    made.add_argument("--term", required=True)
    made.add_argument("--width", type=_count, default=20)
    made.add_argument("--sort", choices=("left", "right"))
    made = command("cloud", cloud_of)
    made.add_argument("--top", type=_count, default=200, metavar="K")
    made.add_argument("--width", type=_count, default=800)
    made.add_argument("--height", type=_count, default=400)
    made.add_argument("--svg", type=Path, help="file to write")
    made.add_argument("--png", type=Path, help="file to write")
    return top


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; 0, or 2 with a sentence on standard error."""
    options = parser().parse_args(arguments)
    try:
        for answer in options.run(records(sys.stdin.buffer), options):
            sys.stdout.buffer.write(_line(answer))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # Whoever read has seen enough; nothing may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except UnicodeDecodeError as wrong:
        print(f"a file given is not UTF-8: {wrong.reason}", file=sys.stderr)
        return 2
    except (BadInput, ValueError, OSError) as wrong:
        print(_printable(str(wrong)), file=sys.stderr)
        return 2
    return 0


def _line(answer: object) -> bytes:
    """The answer as a line of JSON. Half a surrogate pair has no UTF-8; a line with one is written
    in ASCII, where JSON can say it."""
    text = json.dumps(answer, ensure_ascii=False)
    try:
        return text.encode() + b"\n"
    except UnicodeEncodeError:
        return json.dumps(answer).encode() + b"\n"


def _printable(sentence: str) -> str:
    encoding = sys.stderr.encoding or "ascii"
    return sentence.encode(encoding, "backslashreplace").decode(encoding)


if __name__ == "__main__":
    sys.exit(main())

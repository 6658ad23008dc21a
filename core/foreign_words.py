"""Chinese words in a page of another language: marked as such, so that a screen reader changes
its voice and a browser its glyphs. Pure: a page in, a page out.

The interface is translated, what people wrote is not; the two meet on every page, also on those
added tomorrow. So the marks are put on the finished page and not into each template.
"""

import re

MARK = "zh-Hans"
HAN = "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
WIDE = HAN + "\u3000-\u303f\uff00-\uffef\u2018-\u201d\u2026\u2014\u00b7"
# From a Chinese character to the last one that no Latin letter, entity or slot parts from it;
# brackets and stops that belong to it included.
RUN = re.compile(
    f"[\uff08\u300a\u300c\u201c]*[{HAN}](?:[^A-Za-z<&\x02\x03{HAN}]*[{HAN}])*[{WIDE}]*"
)
TOKENS = re.compile(r"(<!--.*?-->|<[^>]*>)", re.DOTALL)
NAME = re.compile(r"</?([a-zA-Z][a-zA-Z0-9]*)")
# Elements that hold nothing but text: these are marked themselves, and only when all is Chinese.
TEXT_ONLY = frozenset({"title", "option", "textarea", "text", "tspan", "desc"})
LEFT_ALONE = frozenset({"script", "style"})


def marked(page: str) -> str:
    """`page` with its runs of Chinese marked; what says its language already is left alone."""
    tokens = TOKENS.split(page)
    # Even places hold text, odd ones what stands in angle brackets.
    for place in range(2, len(tokens), 2):
        text, tag = tokens[place], tokens[place - 1]
        if not text or RUN.search(text) is None:
            continue
        found = NAME.match(tag)
        name = found.group(1).lower() if found and not tag.startswith("</") else ""
        if name in LEFT_ALONE or " lang=" in tag:
            continue
        if name in TEXT_ONLY:
            if not re.search("[A-Za-z]", text):
                end = -2 if tag.endswith("/>") else -1
                tokens[place - 1] = f'{tag[:end]} lang="{MARK}"{tag[end:]}'
            continue
        tokens[place] = RUN.sub(_in_a_mark, text)
    return "".join(tokens)


def _in_a_mark(run: re.Match[str]) -> str:
    # <bdi> has no look of its own, and no rule of the style sheet speaks of it.
    return f'<bdi lang="{MARK}">{run.group()}</bdi>'

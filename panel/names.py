"""Names of people: by what they are sorted, and how they stand where they are not to be known.

Official lists go by the strokes of the surname (姓氏笔画): fewer strokes first, then the order of
the strokes; of one surname the shorter names first, then the given name by the same rule.
"""

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path

# Surnames that are read otherwise than the same character elsewhere.
SURNAMES = {
    "单": "shan4",
    "仇": "qiu2",
    "曾": "zeng1",
    "区": "ou1",
    "任": "ren2",
    "解": "xie4",
    "查": "zha1",
    "华": "hua4",
    "朴": "piao2",
    "盖": "ge3",
    "乐": "yue4",
    "尉": "wei4",
    "员": "yun4",
    "宁": "ning4",
    "翟": "zhai2",
    "召": "shao4",
    "冼": "xian3",
    "秘": "bi4",
    "繁": "po2",
    "覃": "qin2",
    "逄": "pang2",
    "乜": "nie4",
    "黑": "he4",
    "折": "she2",
    "缪": "miao4",
    "纪": "ji3",
    "燕": "yan1",
    "应": "ying1",
    "过": "guo1",
    "訾": "zi1",
    "种": "chong2",
    "重": "chong2",
    "哈": "ha3",
    "洗": "xian3",
    "车": "che1",
    "阚": "kan4",
    "那": "na1",
    "谌": "chen2",
    "臧": "zang1",
    "尹": "yin3",
}
COMPOUND = {
    "欧阳": ("ou1", "yang2"),
    "上官": ("shang4", "guan1"),
    "司马": ("si1", "ma3"),
    "诸葛": ("zhu1", "ge3"),
    "夏侯": ("xia4", "hou2"),
    "尉迟": ("yu4", "chi2"),
    "万俟": ("mo4", "qi2"),
    "长孙": ("zhang3", "sun1"),
    "令狐": ("ling2", "hu2"),
    "皇甫": ("huang2", "fu3"),
    "公孙": ("gong1", "sun1"),
    "东方": ("dong1", "fang1"),
    "慕容": ("mu4", "rong2"),
    "司徒": ("si1", "tu2"),
    "端木": ("duan1", "mu4"),
    "澹台": ("tan2", "tai2"),
    "宇文": ("yu3", "wen2"),
    "单于": ("chan2", "yu2"),
    "独孤": ("du2", "gu1"),
    "南宫": ("nan2", "gong1"),
}
# Longer than any key that is made of a name of sixty characters.
KEY_LENGTH = 480


def surname(name: str) -> str:
    """The part of a Chinese name that is the family's."""
    return name[:2] if name[:2] in COMPOUND and len(name) > 2 else name[:1]


def masked(name: str) -> str:
    """The name as strangers see it: 王**, however long it is."""
    return f"{surname(name)}**" if name else ""


def pinyin_key(name: str) -> str:
    """What sorts names by sound and tone. Letters and digits only, so that every database and
    every collation sorts them alike."""
    family = surname(name)
    if family in COMPOUND:
        sounds = list(COMPOUND[family])
    elif family in SURNAMES:
        sounds = [SURNAMES[family]]
    else:
        sounds = _sounds(family)
    sounds = sounds + _sounds(name[len(family) :])
    return "".join(_even(sound) for sound in sounds)[:KEY_LENGTH]


def stroke_key(name: str) -> str:
    """What sorts names by strokes."""
    family = surname(name)
    given = name[len(family) :]
    levels = _levels()
    codes = [*family, chr(min(len(given), 99)), *given]
    return "".join(
        f"{ord(each):06d}" if place == len(family) else f"{levels.get(each, 900_000):06d}"
        for place, each in enumerate(codes)
    )[:KEY_LENGTH]


def _sounds(characters: str) -> list[str]:
    """How the characters are read, the tone behind each syllable."""
    # Reads 47,000 phrases (0.6 s, 55 MB): only for who enters a name.
    from pypinyin import Style, lazy_pinyin  # noqa: PLC0415

    found: list[str] = lazy_pinyin(characters, style=Style.TONE3)
    return found


def _even(sound: str) -> str:
    """A syllable in seven places: letters, noughts, tone."""
    plain = "".join(letter for letter in sound.lower() if letter.isascii() and letter.isalnum())
    if not plain:
        return "zzzzzz9"
    letters, tone = (plain[:-1], plain[-1]) if plain[-1].isdigit() else (plain, "5")
    return f"{letters[:6]:0<6}{tone}"


@cache
def _levels() -> dict[str, int]:
    """Every character's place by number and order of strokes, from the table of cn-sort. The
    package is not imported: it would take the logging of the whole process over."""
    spec = find_spec("cn_sort")
    assert spec is not None
    assert spec.origin is not None
    path = Path(spec.origin).parent / "res" / "all_word.json"
    words = json.loads(path.read_text(encoding="utf-8"))["all_word"]
    return {each["chinese"]: each["stroke_increment_level"] for each in words}

"""Emoji for papers whose fonts have none: each is written as its name in brackets, 〔大哭〕, so that
nobody reads an empty box where somebody wept."""

import re
from collections.abc import Callable

# What people write most; anything else is said to be an emoji.
_NAMES = {
    "笑": "😀😃😄😁😊🙂☺😺",
    "大笑": "😆😂🤣😅😹",
    "微笑": "😌😏😇",
    "喜爱": "😍🥰😘😻🤩",
    "大哭": "😭",
    "流泪": "😢😿🥲😥",
    "难过": "😞😔☹🙁😟😣😖😩😫",
    "愤怒": "😠😡🤬😤💢",
    "惊讶": "😮😲😯😱🙀😳",
    "汗": "😓😰💦",
    "思考": "🤔🧐",
    "无奈": "😑😐🙄😒🤷🤦😶",
    "晕": "😵🥴🤢🤮",
    "病": "🤒😷🤕🤧",
    "赞": "👍",
    "踩": "👎",
    "鼓掌": "👏",
    "合十": "🙏",
    "握手": "🤝",
    "加油": "💪✊",
    "好": "👌🆗",
    "胜利": "✌",
    "挥手": "👋",
    "举手": "🙋🙌✋",
    "指": "👉👈👆👇☝",
    "爱心": "❤♥💕💖💗💓💙💚💛💜🧡🤍🖤💞💘",
    "心碎": "💔",
    "玫瑰": "🌹🥀",
    "花": "🌸🌺🌻🌼💐🌷",
    "庆祝": "🎉🎊🥳",
    "火": "🔥",
    "满分": "💯",
    "星": "⭐🌟✨💫",
    "太阳": "☀🌞",
    "雨": "🌧☔",
    "对": "✅✔☑",
    "错": "❌✖❎",
    "警告": "⚠",
    "禁止": "🚫⛔",
    "感叹号": "❗‼❕",
    "问号": "❓❔⁉",
    "喇叭": "📢📣🔊",
    "电话": "☎📞📱",
    "汽车": "🚗🚙🚘",
    "公交车": "🚌🚍",
    "自行车": "🚲🚴",
    "地铁": "🚇",
    "房屋": "🏠🏡🏘",
    "楼房": "🏢🏬",
    "医院": "🏥",
    "学校": "🏫",
    "树": "🌳🌲🌴",
    "狗": "🐶🐕",
    "猫": "🐱🐈",
    "老人": "👴👵🧓",
    "孩子": "👶👦👧🧒",
}
_NAME_OF = {sign: name for name, signs in _NAMES.items() for sign in signs}
_ANY = "表情符号"
_JOINED = "\u200d"
_BASE = (
    r"[\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u2460-\u24ff\u25a0-\u27bf"
    r"\u2900-\u297f\u2b00-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
)
_MORE = r"[\ufe0e\ufe0f\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]*"
# Flags are two letters; a family or a profession is several signs joined to one.
_SIGN = re.compile(
    rf"[\U0001f1e6-\U0001f1ff]{{2}}|{_BASE}{_MORE}(?:{_JOINED}{_BASE}{_MORE})*|[\ufe0e\ufe0f{_JOINED}]"
)


def spelled(text: str, has: Callable[[str], bool]) -> str:
    """The text with every emoji that a font has not (`has` tells for a character) as its name."""
    return text if text.isascii() else _SIGN.sub(lambda found: _spelled(found[0], has), text)


def _spelled(sign: str, has: Callable[[str], bool]) -> str:
    # Marks of style are no signs of their own.
    plain = sign.strip("\ufe0e\ufe0f" + _JOINED)
    if not plain or (len(plain) == 1 and has(plain)):
        return plain
    return f"〔{_NAME_OF.get(plain[0], _ANY)}〕"

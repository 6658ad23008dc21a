"""Twelve opinions on a published draft, few enough to be counted by hand."""

import datetime as dt

from consult import submissions
from consult.consultations import Consultation
from consult.drafts import Version
from consult.submissions import Channel, Stance
from tests.summaries_made import an_opinion, places

ELDERLY, LIFTS = "新增养老床位500张。建设15分钟养老服务圈。", "支持既有多层住宅加装电梯。"
CHAPTER_1, CHAPTER_2 = "第一章 总体要求", "第二章 社会民生"
SECTION = "第一节 养老服务"
# What twelve people wrote: words, place, day of October, stance they ticked, channel, person.
TWELVE: list[tuple[str, str | None, int, Stance | None, Channel, str | None]] = [
    ("建议加装电梯，老人上下楼太不方便了。", LIFTS, 11, None, Channel.WEB, "a"),
    ("不建议加装电梯，会影响低楼层的采光。", LIFTS, 11, None, Channel.WEB, "b"),
    ("反对加装电梯，施工费用没有说清楚。", LIFTS, 11, None, Channel.WEB, None),
    ("建议加装电梯，老人上下楼太不方便了！", LIFTS, 12, None, Channel.LETTER, None),
    ("加装电梯以后的维修费用由谁承担？", LIFTS, 12, Stance.QUESTION, Channel.WEB, "a"),
    ("停车位太少，晚上回来经常没有地方停车。", None, 12, None, Channel.HOTLINE, None),
    ("希望增加停车位，把旧厂房改成停车场。", None, 12, Stance.SUGGEST, Channel.WEB, "c"),
    ("支持建设养老服务圈，希望开到我们小区。", ELDERLY, 14, Stance.SUPPORT, Channel.WEB, None),
    ("养老床位要放在老人多的街道，不要平均分。", ELDERLY, 14, None, Channel.LETTER, None),
    ("养老床位的收费标准希望写进规划。", SECTION, 14, None, Channel.LETTER, None),
    ("总体要求写得很好，赞成。", CHAPTER_1, 15, Stance.SUPPORT, Channel.WEB, "c"),
    ("停车位收费太高，请问标准是谁定的？", None, 15, None, Channel.WEB, None),
]


def twelve_opinions(consultation: Consultation, version: Version) -> None:
    """The twelve, shown; not committed."""
    at = places(version)
    for body, place, day, stance, channel, person in TWELVE:
        an_opinion(
            consultation,
            body,
            place=at[place] if place else submissions.WHOLE,
            version=version,
            day=dt.date(2020, 10, day),
            stance=stance,
            channel=channel,
            person=person,
        )

"""Builders: thirty opinions, about lifts, about parking and one letter six times, and their summary."""

import datetime as dt

from flask import Flask

from consult.consultations import Consultation
from consult.submissions import Channel
from core.db import db
from tests.consultations_made import a_consultation
from tests.summaries_made import a_summary, an_opinion

LIFTS = (
    "建议加装电梯，老人上下楼太不方便。",
    "楼里老人多，加装电梯的费用怎么分担要说清楚。",
    "支持加装电梯，我家六楼，母亲膝盖不好。",
    "低楼层担心采光，加装电梯要先征求意见。",
    "加装电梯以后谁来维修，物业费会不会涨？",
    "坐轮椅的邻居下不了楼，请尽快加装电梯。",
    "希望政府补贴加装电梯，居民出一部分。",
    "隔壁楼栋加装电梯半年了，我们这里还没有消息。",
    "加装电梯需要几户同意，请把门槛讲明白。",
    "高楼层愿意多出钱，只求早日加装电梯。",
    "老房子结构能不能加装电梯，请专家来看。",
    "孕妇和老人爬楼辛苦，赞成加装电梯。",
)
PARKING = (
    "晚上回家找不到停车位，绕三圈还在找。",
    "停车位太少，消防通道都停满了车。",
    "建议把旧厂房改成停车场，增加停车位。",
    "停车位收费太高，一个月涨了两百。",
    "外来车辆占了小区停车位，请管一管。",
    "希望划出夜间停车位，白天不影响通行。",
    "新能源车越来越多，停车位要配充电桩。",
    "路边停车位影响公交车进站，请调整。",
    "学校门口接送时间停车位紧张，天天堵。",
    "地下车库空着，地面停车位却不够用。",
    "医院周边停车位难找，看病排队两小时。",
    "请公布停车位的分配办法，抽签要公开。",
)
LETTER = "我们反对在小区门口建垃圾中转站，气味大，影响居民生活，请换个地方。"


def thirty_opinions(consultation: Consultation) -> None:
    """Twelve about lifts on the web, twelve about parking by hotline, six of one letter."""
    for n, (lift, parking) in enumerate(zip(LIFTS, PARKING, strict=True)):
        an_opinion(consultation, lift, person=f"w{n}")
        an_opinion(consultation, parking, channel=Channel.HOTLINE, person=f"h{n}")
    for n in range(6):
        day = dt.date(2020, 10, 15 + n // 5)
        an_opinion(consultation, LETTER, channel=Channel.LETTER, person=f"l{n}", day=day)
    db.session.commit()


def thirty_counted(app: Flask, slug: str) -> int:
    """The id of a summary of thirty opinions in a consultation of this name."""
    with app.app_context():
        consultation = a_consultation(slug, title="征求意见")
        thirty_opinions(consultation)
        return a_summary(consultation).id

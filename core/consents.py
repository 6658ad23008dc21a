"""Consent texts (知情同意): what people agreed to, word for word, by version.

A version is never edited once anybody may have agreed to it: a new text is a new version, and the
old one stays readable for those whose opinions carry it.
"""

import datetime as dt
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l


@dataclass(frozen=True, slots=True)
class Consent:
    """One version of one text."""

    version: str
    since: dt.date
    what: str
    words: tuple[str, ...]


COMMENT = Consent(
    "2020-1",
    dt.date(2020, 1, 1),
    _l("提交意见"),
    (
        _l("我知道这件意见审核后会公开展示，并同意按《个人信息保护说明》处理我填写的内容。"),
        _l("联系方式只用来告诉我答复，加密保存，不公开，保存一年后删除。"),
        _l("称呼只在我勾选同意时公开姓氏。"),
    ),
)
CONTACT = Consent(
    "contact-1",
    dt.date(2020, 1, 1),
    _l("凭受理编号留下联系方式"),
    (
        _l("我同意用这个手机号或邮箱告诉我这件意见的答复；它加密保存，不公开，不用于其他用途。"),
        _l("联系方式保存一年后删除；我可以随时凭受理编号更换或者删除。"),
    ),
)
ACCOUNT = Consent(
    "account-1",
    dt.date(2020, 1, 1),
    _l("使用居民账号"),
    (
        _l("我同意用这个邮箱或手机号登录，查看和管理我自己提交的意见；它不公开，不用于其他用途。"),
        _l(
            "我随时可以导出我的数据，也可以注销账号；注销后，已提交的意见去掉一切个人标识，只保留文字。"
        ),
    ),
)
MEETING = Consent(
    "meeting-1",
    dt.date(2020, 1, 1),
    _l("报名参加会议"),
    (
        _l("我同意为参加这次会议使用我填写的姓名和联系方式：姓名用于签到，联系方式用于通知。"),
        _l("两项都加密保存，不公开，会后30天删除；我可以随时凭报名编号退出，退出后立即删除。"),
    ),
)
PANEL = Consent(
    "panel-1",
    dt.date(2020, 1, 1),
    _l("申请或推荐加入公众咨询团"),
    (
        _l("我同意为选聘公众咨询团成员使用这里填写的情况；它们加密保存，只有承办人员可以查看。"),
        _l("受聘以后，姓名、类别等转入成员名册；姓名和单位只在我另行勾选同意时公开。"),
        _l("未入选的，决定作出180天后删除；我可以随时凭申请编号撤回，撤回后立即删除。"),
    ),
)
EVERY = {each.version: each for each in (COMMENT, CONTACT, ACCOUNT, MEETING, PANEL)}

"""The built-in example's panel: made-up people in every category, one of them the demonstration
account of a member; who applied, what they review and where they meet stands in `example_entry`,
`example_rounds` and `example_meetings`. It only arranges; everything goes through the operations."""

import datetime as dt
from collections.abc import Callable

import sqlalchemy as sa

from consult.consultations import SHANGHAI
from consult.programmes import Programme
from core import accounts, audit
from core.accounts import RoleName
from core.audit import COMMAND_LINE
from core.db import Base, db
from core.errors import Refused
from core.units import Unit
from panel import (
    appointments,
    example_entry,
    example_meetings,
    example_rounds,
    interests,
    members,
    quotas,
)
from panel.appointments import Term
from panel.calls import Call
from panel.meetings import Meeting
from panel.members import Details, Gender, Member
from panel.rounds import ReviewRound

# The panel is appointed before the example's first round and sits as long as the plan runs; where
# that is over on the day of loading, two years more, so that somebody sits.
BEGAN, PLAN_ENDS = dt.date(2019, 9, 2), dt.date(2025, 12, 31)
PLANNED = (4, 4, 5, 4, 5, 6)
# By category: name, 女 or 男, year of birth, work, fields, place, recommended by, consent.
PEOPLE: tuple[tuple[tuple[str, str, int, str, str, str, str, bool], ...], ...] = (
    (
        ("丁一平", "男", 1962, "某中学退休教师（演示）", "g1 s1", "彭浦镇", "qurenda", True),
        ("马丽华", "女", 1971, "某街道社区医生（演示）", "g5", "彭浦镇", "qurenda", True),
        ("王建国", "男", 1958, "某机械厂退休工程师（演示）", "g3", "", "qurenda", False),
        ("单雪梅", "女", 1980, "某律师事务所律师（演示）", "g6", "", "qurenda", True),
    ),
    (
        ("于海洋", "男", 1969, "某设计院院长（演示）", "g2 g3", "", "tzb", True),
        ("仇英", "女", 1975, "某剧团演员（演示）", "g4", "", "tzb", True),
        ("区大同", "男", 1966, "某商会副会长（演示）", "g2", "", "", False),
    ),
    (
        ("李文", "女", 1968, "某大学公共管理学院教授（演示）", "g1 g6", "", "fgw", True),
        ("陈思远", "男", 1972, "某研究院城市更新研究室主任（演示）", "g3", "", "fgw", True),
        ("曾静", "女", 1983, "某医学院老年护理副教授（演示）", "g5", "", "wjw", True),
        ("欧阳明", "男", 1961, "某交通规划所总工程师（演示）", "g3", "", "jgw", True),
        ("顾念慈", "女", 1978, "某数据研究所研究员（演示）", "g4", "", "kw", False),
    ),
    (
        ("张芳", "女", 1974, "某区妇女组织干部（演示）", "g5", "", "", True),
        ("刘志强", "男", 1986, "某工会专职干部（演示）", "g5 g6", "", "", True),
        ("孙小梅", "女", 1992, "某青年志愿者协会秘书长（演示）", "g6", "", "", False),
    ),
    (
        ("周大鹏", "男", 1976, "某商贸企业总经理（演示）", "g2", "", "sww", True),
        ("吴晓燕", "女", 1988, "某软件企业联合创始人（演示）", "g2 g4", "", "kw", True),
        ("郑国栋", "男", 1964, "某连锁餐饮企业负责人（演示）", "g2", "", "sww", False),
        ("冯琳", "女", 1981, "某物业公司区域经理（演示）", "g3 g6", "", "fgj", True),
    ),
    (
        ("赵秀兰", "女", 1953, "居民（演示）", "g5", "彭浦镇", "ppz", False),
        ("钱永康", "男", 1949, "居民（演示）", "g3 g5", "彭浦镇", "ppz", False),
        ("何雨晴", "女", 1995, "居民（演示）", "g5 g6", "", "", True),
        ("林子豪", "男", 1990, "居民，新就业群体（演示）", "g6", "", "", True),
        ("朱佩芬", "女", 1957, "楼组长（演示）", "g6", "彭浦镇", "ppz", True),
    ),
)
# Who left in the course of the term, and why.
LEFT = ("区大同", "工作调往外省市（演示）")


def is_missing() -> bool:
    """Whether the built-in example is here, with its member's account, but its panel, or what the
    panel did, is not: a database of an earlier day has no rounds, for example."""
    programme = _programme()
    if programme is None or accounts.demonstration_account(RoleName.PANEL_MEMBER) is None:
        return False
    return _is_empty(Member) or any(_is_empty(table) for table in PARTS)


def load(*, now: dt.datetime) -> None:
    """Appoint the example's panel and let it do what the files say; what is there already stays as
    it is. Nothing happens where there is no example."""
    programme = _programme()
    if programme is None:
        return
    if _is_empty(Member):
        _appoint(programme, now)
    for table, part in PARTS.items():
        if _is_empty(table):
            try:
                with db.session.begin_nested():
                    part(programme, now)
            except Refused:
                # Somebody has worked with the example since: this part no longer fits it.
                continue


def _appoint(programme: Programme, now: dt.datetime) -> None:
    today = now.astimezone(SHANGHAI).date()
    begins = min(BEGAN, today)
    ends = max(PLAN_ENDS, dt.date(today.year + 2, 12, 31))
    then = _morning(begins) - dt.timedelta(days=7)
    units = {unit.slug: unit.id for unit in db.session.scalars(sa.select(Unit))}
    kinds = quotas.categories(programme.id)
    for kind, planned, group in zip(kinds, PLANNED, PEOPLE, strict=False):
        quotas.plan(programme.id, kind, planned, by=COMMAND_LINE, now=then)
        for name, gender, born, work, fields, place, unit, consents in group:
            member = members.add(
                Details(
                    name=name,
                    gender=Gender.FEMALE if gender == "女" else Gender.MALE,
                    birth_year=born,
                    unit_text=work,
                    is_name_public=consents,
                ),
                by=COMMAND_LINE,
                now=then,
            )
            term = Term(
                category=kind,
                term_from=begins,
                term_to=ends,
                fields=tuple(fields.split()),
                sub_district=place,
                recommended_by_unit_id=units.get(unit),
            )
            _seat(programme, member, term, then)
            if name == LEFT[0]:
                _leave(member, min(begins + dt.timedelta(days=200), today), today, now)
    _demonstration_member(programme, kinds, Term(category="", term_from=begins, term_to=ends), then)


def _demonstration_member(
    programme: Programme, kinds: list[str], term: Term, then: dt.datetime
) -> None:
    """Whoever signs in as the example's member sits in the category of the people's political
    advisers, or in the first there is."""
    account = accounts.demonstration_account(RoleName.PANEL_MEMBER)
    if account is None or not kinds:
        return
    member = members.add(
        Details(
            name=account.name,
            gender=Gender.FEMALE,
            birth_year=1973,
            unit_text="某建筑设计院副总工程师（演示）",
            contact=account.email,
            is_name_public=True,
        ),
        by=COMMAND_LINE,
        now=then,
    )
    appointments.link(member, account, by=COMMAND_LINE, now=then)
    kind = kinds[1] if len(kinds) > 1 else kinds[0]
    term = Term(
        category=kind,
        term_from=term.term_from,
        term_to=term.term_to,
        fields=("g3", "g5"),
        sub_district="彭浦镇",
    )
    _seat(programme, member, term, then)
    interests.declare(member, "所在设计院承担区内旧住房改造设计（演示）。", by=account, now=then)


def _seat(programme: Programme, member: Member, term: Term, then: dt.datetime) -> None:
    appointment = appointments.propose(member, programme.id, term, by=COMMAND_LINE, now=then)
    appointments.confirm(appointment, by=COMMAND_LINE, today=term.term_from, now=then)


def _leave(member: Member, on_day: dt.date, today: dt.date, now: dt.datetime) -> None:
    appointments.end(
        member.appointments[0],
        on_day=on_day,
        reason=LEFT[1],
        by=audit.COMMAND_LINE,
        today=today,
        now=min(_morning(on_day), now),
    )


def _morning(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(9), SHANGHAI).astimezone(dt.UTC)


def _is_empty(table: type[Base]) -> bool:
    return db.session.scalar(sa.select(sa.literal(1)).select_from(table).limit(1)) is None


def _programme() -> Programme | None:
    return db.session.scalar(sa.select(Programme).where(Programme.example).limit(1))


# What the panel did, by the table that is empty where it is missing; each stands by itself.
PARTS: dict[type[Base], Callable[[Programme, dt.datetime], None]] = {
    Call: lambda programme, now: example_entry.load(programme, now=now),
    ReviewRound: lambda _programme, now: example_rounds.load(now=now),
    Meeting: lambda programme, now: example_meetings.load(programme, now=now),
}

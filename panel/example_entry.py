"""The built-in example's entry to the panel: one call that is open, one that is over, applications
in every state and a unit's recommendation. It only arranges; everything goes through the
operations."""

import datetime as dt

import sqlalchemy as sa

from consult import consultations, submissions
from consult.consultations import SHANGHAI
from consult.programmes import Programme
from core import accounts, consents
from core.accounts import RoleName
from core.audit import COMMAND_LINE, RESIDENT, Actor
from core.config import of_site
from core.db import db
from core.units import Unit
from panel import applications, calls, eligibility, quotas, selections
from panel.applications import Application, Person, Refusal, Tie, Wish
from panel.calls import Call, Notice

DAY = dt.timedelta(days=1)
# By call: title, about, first and last day from today, and who applied: name, place, tie, fields,
# statement, consent to the name, and what was decided.
OPEN = (
    "公开征集社区居民代表（演示）",
    "现向全区公开征集公众咨询团社区居民代表1名，参与规划各阶段成果的意见征询。"
    "要求年满18周岁，在本区居住、工作或学习，熟悉社区情况，能够反映社情民意。\n"
    "收到的申请先核对资格，再结合构成需要研究入围，由两位工作人员先后提名、确认聘任。",
    -10,
    20,
)
OVER = (
    "公开征集新就业群体代表（演示）",
    "征集快递、外卖、网约车等新就业群体中的居民代表1名。",
    -200,
    -170,
)
APPLIED: tuple[tuple[str, str, Tie, str, str, bool, str], ...] = (
    (
        "沈一鸣（演示）",
        "彭浦镇",
        Tie.LIVES,
        "g3",
        "住在老公房小区二十年，参加过加装电梯的楼组协商，愿意把邻居们的想法带来。",
        True,
        "",
    ),
    (
        "韩素芬（演示）",
        "",
        Tie.LIVES,
        "g5",
        "退休前是社区护士，现在每周在社区食堂做志愿者，熟悉高龄老人的难处。",
        False,
        "shortlist",
    ),
    (
        "邵建军（演示）",
        "",
        Tie.WORKS,
        "g2",
        "在区内开了一家小店，想说说小微商户的经营环境。",
        False,
        "refuse",
    ),
    ("邹静怡（演示）", "彭浦镇", Tie.LIVES, "g6", "关心社区儿童活动场地。", False, "withdraw"),
)
LATER = (
    "唐卫东（演示）",
    "",
    Tie.WORKS,
    "g6",
    "送快递六年，每天走遍几十个小区，知道哪些地方门难进、路难走。",
    True,
    "propose",
)
RECOMMENDED = (
    "许文婷（演示）",
    "",
    Tie.WORKS,
    "g3",
    "从事历史建筑保护十五年，熟悉成片更新中的居民意愿征询，能够反映一线情况。",
)
TOLD = "本次只征集社区居民代表。您从事商贸经营，更适合企业代表，增补企业代表时欢迎再次申请。"


def load(programme: Programme, *, now: dt.datetime) -> None:
    """Call, apply, recommend and decide; the categories are the programme's own."""
    kinds = quotas.categories(programme.id)
    if not kinds:
        return
    office = accounts.demonstration_account(RoleName.DRC_STAFF) or COMMAND_LINE
    over = _call(programme, OVER, kinds[-1], office, now)
    _apply(over, LATER, 0, office, now - 185 * DAY)
    open_ = _call(programme, OPEN, kinds[-1], office, now)
    for number, told in enumerate(APPLIED, 1):
        _apply(open_, told, number, office, now - (6 - number) * DAY)
    _recommend(programme, kinds[min(2, len(kinds) - 1)], now - 3 * DAY)


def _call(
    programme: Programme,
    told: tuple[str, str, int, int],
    kind: str,
    office: Actor,
    now: dt.datetime,
) -> Call:
    title, about, first, last = told
    today = now.astimezone(SHANGHAI).date()
    opens_at, closes_at = consultations.window(today + first * DAY, today + last * DAY)
    notice = Notice(
        title=title, about=about, categories=[kind], opens_at=opens_at, closes_at=closes_at
    )
    before = opens_at - DAY
    call = calls.prepare(programme.id, notice, by=office, now=before)
    calls.open_(call, by=office, now=before)
    return call


def _apply(
    call: Call,
    told: tuple[str, str, Tie, str, str, bool, str],
    number: int,
    office: Actor,
    then: dt.datetime,
) -> None:
    name, place, tie, field, statement, consents_to_name, decided = told
    person = Person(name=name, contact=f"applicant{number}@example.invalid")
    wish = Wish(
        category=call.categories[0],
        statement=statement,
        fields=(field,),
        sub_district=place,
        is_adult=True,
        tie=tie,
        is_name_public=consents_to_name,
    )
    found = applications.receive(
        call,
        person,
        wish,
        key=f"example-{call.id}-{number}",
        person_key=_person_key(person),
        consent=consents.PANEL.version,
        by=RESIDENT,
        now=then,
    )
    _decide(found, decided, office, then + DAY)


def _decide(found: Application, decided: str, office: Actor, then: dt.datetime) -> None:
    if decided in ("shortlist", "propose"):
        selections.shortlist(found, "情况熟悉，能够代表相应群体。", by=office, now=then)
    if decided == "propose":
        day = then.astimezone(SHANGHAI).date()
        facts = eligibility.gather(found, day)
        selections.propose(
            found,
            term_from=day,
            term_to=day + 5 * 365 * DAY,
            known=facts.known,
            by=office,
            now=then,
        )
    if decided == "refuse":
        selections.refuse(found, Refusal.OTHERS_NEARER, TOLD, by=office, now=then)
    if decided == "withdraw":
        applications.withdraw(found, by=RESIDENT, now=then)


def _recommend(programme: Programme, kind: str, then: dt.datetime) -> None:
    """By the unit of the demonstration account, else by none."""
    account = accounts.demonstration_account(RoleName.UNIT_STAFF)
    unit = db.session.get(Unit, account.unit_id) if account and account.unit_id else None
    if unit is None:
        unit = db.session.scalar(sa.select(Unit).order_by(Unit.id).limit(1))
    if unit is None:
        return
    name, place, tie, field, statement = RECOMMENDED
    person = Person(name=name, contact="recommended@example.invalid", unit_text="某建筑院（演示）")
    wish = Wish(
        category=kind,
        statement=statement,
        fields=(field,),
        sub_district=place,
        is_adult=True,
        tie=tie,
    )
    applications.recommend(
        programme.id,
        unit.id,
        person,
        wish,
        key="example-recommendation",
        person_key=_person_key(person),
        consent=consents.PANEL.version,
        by=account or COMMAND_LINE,
        now=then,
    )


def _person_key(person: Person) -> str:
    return submissions.person_key(of_site().secret_key, "panel", person.contact)

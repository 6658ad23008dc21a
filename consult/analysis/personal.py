"""Finds personal information in a text: what a screener is offered to mask before it is shown.

ID numbers, telephones, door numbers, number plates, e-mail addresses, accounts, and names that
words introduce. A span is `certain` when its form alone says what it is; the others are offered
for a person to decide. ID numbers and telephones are found, too, where their figures are written as
words (一三八…) or set apart one by one. Nothing is found in pictures of numbers.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What kind of personal information a span is; earlier ones win where two overlap."""

    ID_NUMBER = "id_number"
    EMAIL = "email"
    PLATE = "plate"
    PHONE = "phone"
    ADDRESS = "address"
    ACCOUNT = "account"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Found:
    """From where to where something personal stands."""

    begin: int
    end: int
    kind: Kind
    certain: bool


HAN = "\u4e00-\u9fff"
# --- numbers -----------------------------------------------------------------------------------

_MONTH_AND_DAY = "(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])"
# 6 digits of place, a birthday, 3 of order and a check sign; written together or in groups.
_ID = re.compile(
    rf"(?<![0-9])[1-9][0-9]{{5}}[ -]?(?:18|19|20)[0-9]{{2}}{_MONTH_AND_DAY}[ -]?[0-9]{{3}}[0-9Xx]"
    r"(?![0-9])"
)
_OLD_ID = re.compile(rf"(?<![0-9])[1-9][0-9]{{7}}{_MONTH_AND_DAY}[0-9]{{3}}(?![0-9])")
# Of what else people are known by: after the word that says what it is.
_PAPER = re.compile(
    r"(?:护照|通行证|居住证|台胞证|军官证|士兵证)(?:号码|证号|号)?[是为:： ]{0,3}([A-Za-z]{0,2}[0-9]{7,10})(?![0-9])"
)
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4}"
)
_MOBILE = re.compile(r"(?<![0-9])(?:\+?86[ -]?)?1[3-9][0-9](?:[ -]?[0-9]{4}){2}(?![0-9])")
_LANDLINE = re.compile(
    r"(?<![0-9])(?:\(0[0-9]{2,3}\)|0[0-9]{2,3})[ -]?[2-9][0-9]{6,7}(?:(?:转|-)[0-9]{1,6})?(?![0-9])"
)
# The same set apart figure by figure, as people do who do not want it found: 1 3 8 0 0…
_APART = re.compile(
    r"(?<![0-9])(?<![0-9][ .·・_,，、-])1[ .·・_,，、-]?[3-9](?:[ .·・_,，、-]?[0-9]){9}"
    r"(?![ .·・_,，、-]?[0-9])"
)
# Without the area code only after a word that says what it is.
_LOCAL = re.compile(
    r"(?:电话|座机|致电|拨打|联系方式|号码)[是为:： ]{0,3}([2-9][0-9]{3}[ -]?[0-9]{3,4})(?![0-9])"
)
# Figures as they are written out, said on the telephone (幺两洞拐勾) and written on cheques.
_SPOKEN = str.maketrans(
    "〇零一二三四五六七八九幺两洞拐勾壹贰叁肆伍陆柒捌玖", "0012345678912079123456789"
)
_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_PLATE = re.compile(
    rf"[{_PROVINCES}][A-HJ-NP-Z][·•・. -]?(?=[A-Z]{{0,5}}[0-9])[A-HJ-NP-Z0-9]{{4,6}}[挂学警港澳]?"
    r"(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_ACCOUNT = re.compile(
    r"(?:微信|QQ|VX|WeChat)(?:账号|帐号|号码|号)?[是为:： ]{0,3}([A-Za-z0-9_-]{5,20})(?![A-Za-z0-9_-])",
    re.IGNORECASE,
)

# Of a bank: 16 to 19 figures whose last is the check sign of the others.
_CARD = re.compile(r"(?<![0-9])[3-6][0-9]{3}(?:[ -]?[0-9]{4}){3}(?:[ -]?[0-9]{1,3})?(?![0-9])")
_CARD_SAID = re.compile(
    r"(?:卡号|银行卡|账户|账号|帐号)(?:号码|号)?[是为:： ]{0,3}([0-9](?:[ -]?[0-9]){11,21})(?![0-9])"
)

# --- door numbers ------------------------------------------------------------------------------

_N = "[0-9一二三四五六七八九十百零〇]"
_DOOR = re.compile(
    # After a road or a compound, or from the lane number on.
    rf"(?:(?<=[路街道巷村苑园坊厦寓里邨庭湾城])|(?<=小区)|(?={_N}{{1,5}}弄))"
    rf"(?:{_N}{{1,5}}弄)?(?:{_N}{{1,4}}支弄)?"
    rf"(?:{_N}{{1,5}}(?:号楼|号|幢|栋|座)(?![线文令院召]))"
    rf"(?:{_N}{{1,3}}(?:号楼|单元|座|幢))?"
    rf"(?:{_N}{{1,3}}[楼层])?"
    rf"(?:[ -]?[0-9]{{3,4}}(?![0-9年米元个万亿])[室房户]?|{_N}{{1,5}}[A-Za-z]?[室房户])?"
)
_ROOM = re.compile(r"[室房户]|单元|[号楼幢栋座弄层 -][0-9]{3,4}$")
_LIVES = re.compile(r"(?:住|家在|地址|住址|门牌)[^。！？\n]{0,14}$")

# --- names -------------------------------------------------------------------------------------

_DOUBLE = "欧阳|上官|司马|诸葛|夏侯|东方|皇甫|尉迟|公孙|慕容|令狐|宇文|长孙|司徒|司空|端木"
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖萧田董袁潘蒋蔡余杜叶程苏魏吕丁任"
    "沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付傅白邹孟熊秦邱江尹薛闫阎段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫"
    "孔向汤于方常成安乐时应温康施文牛樊葛邢路岳齐伍庄章鲁倪翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅"
    "童凌毕单季裴霍涂成苗谷盛曲翁冉骆蓝路游辛靳欧管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项"
    "连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗瞿桂全佟应臧闵苟邬边卞姬师和仇栾隋商刁沙荣巫寇桑郎甄丛仲虞敖"
    "巩明佘池查麻苑迟邝官封谈匡鞠惠荆乐冀郁胥南班储原栗燕楚鄢劳谌奚皮粟冼蔺楼盘满闻位厉伊仝"
)
# Surnames that are also everyday words: after a weak introduction they prove nothing.
_WORDS_TOO = frozenset("于向方常成安乐时应万包单和和全明连关左路文高满商简农华阳石原南师车项白马古")
_NAME = rf"(?:{_DOUBLE}|[{_SURNAMES}])[{HAN}]{{1,2}}"
_STRONG = re.compile(
    rf"(?:我叫|我的名字[叫是]|我名叫|姓名|联系人|反映人|投诉人|来信人|署名|签名|户主)[是为叫:： ]{{0,3}}({_NAME})"
)
# Everyday words that begin with a surname and follow 居民 or 本人 without naming anybody.
_EVERYDAY = (
    "满意|满足|任职|任教|任何|高度|高兴|方面|方便|常常|成员|成立|应该|应当|时常|安全|安居|安置|安装|向来|和睦|和谐|"
    "关心|关注|关系|单位|温馨|文化|文明|全体|全部|全都|万分|施工|管理|乐意|乐于|明确|明白|左右|车辆|车位|车库|楼上|"
    "楼下|楼道|路过|路口|于是|连续|连夜|农村|满心|满怀|计划|金额|水电|安心|祝愿|祝福|祝贺|舒适|游览|游园|曾经|曾在"
)
_WEAK = re.compile(
    rf"(?:本人|我是|居民|业主|村民|邻居)(?:叫|是|为)?[:： ]?(?!{_EVERYDAY})({_NAME})"
)
# After a colon whatever stands there up to the next sign is the name.
_LABELLED = re.compile(
    rf"(?:姓名|联系人|反映人|投诉人|来信人|署名|签名|户主)[:：] ?([{HAN}]{{2,4}})(?![{HAN}])"
)
# What never is the second sign of a given name when a sentence goes on.
_GOES_ON = frozenset("住在是的电手今家和于来有身联也说要想已年男女现认曾不就都先及与，我")
_TITLE = re.compile(
    r"先生|女士|小姐|阿姨|大爷|大妈|老伯|同志|爷叔|叔叔|伯伯|爷爷|奶奶|师傅|老师|医生|主任|书记|经理|站长|所长"
)
# What one is by one's work: whoever holds an office may be named in it, so a person decides.
_OFFICES = frozenset({"老师", "医生", "主任", "书记", "经理", "站长", "所长"})
# Before these stands a surname alone (王奶奶), or what is no name at all (司机师傅).
_KIN = frozenset({"爷叔", "叔叔", "伯伯", "爷爷", "奶奶", "师傅"})
# Surnames that before an office are part of its name: 班主任, 公司经理, 任课老师.
_OF_OFFICES = frozenset({"班", "司", "任课"})
_DOUBLES = frozenset(_DOUBLE.split("|"))


def find(text: str) -> list[Found]:
    """Everything personal in `text`, in order, nothing overlapping."""
    plain = _plain(text)
    spoken = plain.translate(_SPOKEN)
    covered = bytearray(len(plain))
    taken: list[Found] = []
    for search, words in _searches(plain, spoken):
        for found in search(words):
            if not any(covered[found.begin : found.end]):
                covered[found.begin : found.end] = b"\1" * (found.end - found.begin)
                taken.append(found)
    return sorted(taken, key=lambda each: each.begin)


def _plain(text: str) -> str:
    """The text with full-width signs made plain, each at its place."""
    return "".join(_half(character) for character in text)


def _half(character: str) -> str:
    if character.isascii():
        return character
    folded = unicodedata.normalize("NFKC", character)
    return folded if len(folded) == 1 and folded.isascii() else character


def _id_numbers(text: str) -> Iterator[Found]:
    for match in _ID.finditer(text):
        yield Found(*match.span(), Kind.ID_NUMBER, certain=checks(match[0]))
    for match in _OLD_ID.finditer(text):
        yield Found(*match.span(), Kind.ID_NUMBER, certain=False)
    for match in _PAPER.finditer(text):
        yield Found(*match.span(1), Kind.ID_NUMBER, certain=True)


def checks(number: str) -> bool:
    """Whether the last sign of an 18-digit ID number is the one the others demand (GB 11643)."""
    signs = number.replace(" ", "").replace("-", "").upper()
    total = sum(int(sign) * weight for sign, weight in zip(signs, _WEIGHTS, strict=False))
    return signs[-1] == "10X98765432"[total % 11]


def _emails(text: str) -> Iterator[Found]:
    for match in _EMAIL.finditer(text):
        yield Found(*match.span(), Kind.EMAIL, certain=True)


def _plates(text: str) -> Iterator[Found]:
    for match in _PLATE.finditer(text):
        yield Found(*match.span(), Kind.PLATE, certain=True)


def _phones(text: str) -> Iterator[Found]:
    for pattern in (_MOBILE, _LANDLINE):
        for match in pattern.finditer(text):
            yield Found(*match.span(), Kind.PHONE, certain=True)
    for match in _APART.finditer(text):
        # A row of figures in a table looks no different.
        yield Found(*match.span(), Kind.PHONE, certain=False)
    for match in _LOCAL.finditer(text):
        yield Found(*match.span(1), Kind.PHONE, certain=True)


def _addresses(text: str) -> Iterator[Found]:
    for match in _DOOR.finditer(text):
        certain = (
            _ROOM.search(match[0]) is not None
            or _LIVES.search(text, max(match.start() - 20, 0), match.start()) is not None
        )
        yield Found(*match.span(), Kind.ADDRESS, certain)


def _accounts(text: str) -> Iterator[Found]:
    for match in _ACCOUNT.finditer(text):
        yield Found(*match.span(1), Kind.ACCOUNT, certain=True)
    for match in _CARD_SAID.finditer(text):
        yield Found(*match.span(1), Kind.ACCOUNT, certain=True)
    for match in _CARD.finditer(text):
        if is_card(match[0]):
            yield Found(*match.span(), Kind.ACCOUNT, certain=True)


def is_card(number: str) -> bool:
    """Whether the last figure of a bank card is the one the others demand (ISO/IEC 7812-1, Luhn)."""
    figures = [int(sign) for sign in reversed(number) if sign.isdigit()]
    doubled = (2 * figure - 9 * (figure > 4) for figure in figures[1::2])
    return (sum(figures[::2]) + sum(doubled)) % 10 == 0


def _names(text: str) -> Iterator[Found]:
    for match in _LABELLED.finditer(text):
        yield Found(*match.span(1), Kind.NAME, certain=True)
    for match in _STRONG.finditer(text):
        begin, end = _shortened(text, *match.span(1))
        yield Found(begin, end, Kind.NAME, certain=True)
    for match in _WEAK.finditer(text):
        begin, end = _shortened(text, *match.span(1))
        certain = text[begin] not in _WORDS_TOO and match[0].startswith("本人")
        yield Found(begin, end, Kind.NAME, certain)
    yield from _titled(text)


def _shortened(text: str, begin: int, end: int) -> tuple[int, int]:
    """Without a last sign that is where the sentence goes on: 我叫王强住… is 王强."""
    return (begin, end - 1) if end - begin > 2 and text[end - 1] in _GOES_ON else (begin, end)


def _titled(text: str) -> Iterator[Found]:
    """王小明先生 certainly, 王先生 perhaps."""
    for match in _TITLE.finditer(text):
        for length in (4, 3, 2):
            begin = match.start() - length
            if begin >= 0 and text[begin : begin + 2] in _DOUBLES:
                sure = length > 2 and match[0] not in _OFFICES
                yield Found(begin, match.start(), Kind.NAME, certain=sure)
                break
        for length in (1,) if match[0] in _KIN else (3, 2, 1):
            begin = match.start() - length
            first = text[begin] if begin >= 0 else ""
            weak = length > 1 and first in _WORDS_TOO
            thanks = first == "谢" and begin and text[begin - 1] in "感谢多"
            of_office = text[max(begin, 0) : match.start()] in _OF_OFFICES
            if thanks or of_office or not first or first not in _SURNAMES or weak:
                continue
            if _is_han(text[begin : match.start()]):
                sure = length > 1 and match[0] not in _OFFICES
                yield Found(begin, match.start(), Kind.NAME, certain=sure)
                break


def _is_han(text: str) -> bool:
    return all("\u4e00" <= character <= "\u9fff" for character in text)


_Search = Callable[[str], Iterator[Found]]
_NUMBERS: tuple[_Search, ...] = (_id_numbers, _phones)
_SEARCHES: tuple[_Search, ...] = (
    _id_numbers,
    _emails,
    _plates,
    _phones,
    _addresses,
    _accounts,
    _names,
)


def _searches(plain: str, spoken: str) -> Iterator[tuple[_Search, str]]:
    """What is looked for in which reading of the words, what wins first."""
    yield from ((search, plain) for search in _SEARCHES[:4])
    if spoken != plain:
        yield from ((search, spoken) for search in _NUMBERS)
    yield from ((search, plain) for search in _SEARCHES[4:])

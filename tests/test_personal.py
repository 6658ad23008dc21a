"""Personal information found in a text: what is found, how sure, and what is left alone."""

import pytest

from consult.analysis.personal import Kind, checks, find


def told(text: str) -> list[tuple[str, Kind, bool]]:
    return [(text[each.begin : each.end], each.kind, each.certain) for each in find(text)]


# The sample of the standard (GB 11643-1999), and two with a check sign worked out by hand.
@pytest.mark.parametrize("number", ["11010519491231002X", "440524188001010014"])
def test_an_id_number_is_certain_by_its_check_sign(number: str) -> None:
    assert checks(number)
    assert told(f"我的身份证号是{number}。") == [(number, Kind.ID_NUMBER, True)]
    wrong = number[:-1] + ("1" if number[-1] != "1" else "2")
    assert told(f"号码{wrong}") == [(wrong, Kind.ID_NUMBER, False)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("证件 110105 19491231 002x", ("110105 19491231 002x", Kind.ID_NUMBER)),
        (
            "１１０１０５１９４９１２３１００２Ｘ",
            ("１１０１０５１９４９１２３１００２Ｘ", Kind.ID_NUMBER),
        ),
        ("电话13800138000。", ("13800138000", Kind.PHONE)),
        ("手机 +86 138-0013-8000", ("+86 138-0013-8000", Kind.PHONE)),
        ("打021-62345678转12找我", ("021-62345678转12", Kind.PHONE)),
        ("（0512）65551234", ("（0512）65551234", Kind.PHONE)),
        ("联系方式：6234 5678", ("6234 5678", Kind.PHONE)),
        ("打一三八零零一三八零零零", ("一三八零零一三八零零零", Kind.PHONE)),
        ("手机幺三八洞洞幺三八洞洞洞。", ("幺三八洞洞幺三八洞洞洞", Kind.PHONE)),
        ("手机一3八00壹叁八〇〇〇", ("一3八00壹叁八〇〇〇", Kind.PHONE)),
        ("零二一六二三四五六七八", ("零二一六二三四五六七八", Kind.PHONE)),
        ("电话：六二三四五六七八", ("六二三四五六七八", Kind.PHONE)),
        (
            "一一零一零五一九四九一二三一零零二X",
            ("一一零一零五一九四九一二三一零零二X", Kind.ID_NUMBER),
        ),
        ("写信到wang.xm@example.com.cn", ("wang.xm@example.com.cn", Kind.EMAIL)),
        ("我的车沪A·12345常被堵", ("沪A·12345", Kind.PLATE)),
        ("新能源车沪AD12345", ("沪AD12345", Kind.PLATE)),
        ("我住延长路149弄3号楼502室", ("149弄3号楼502室", Kind.ADDRESS)),
        ("家住临汾路380弄12号", ("380弄12号", Kind.ADDRESS)),
        ("彭浦新村三号二零一室漏水", ("三号二零一室", Kind.ADDRESS)),
        ("加微信：wxm_1980联系", ("wxm_1980", Kind.ACCOUNT)),
        ("我叫王小明，", ("王小明", Kind.NAME)),
        ("我叫王强住在这里", ("王强", Kind.NAME)),
        ("本人李小红反映", ("李小红", Kind.NAME)),
        ("联系人：阿不都", ("阿不都", Kind.NAME)),
        ("感谢张伟先生", ("张伟", Kind.NAME)),
        ("签名：欧阳小华", ("欧阳小华", Kind.NAME)),
        ("感谢欧阳修文先生", ("欧阳修文", Kind.NAME)),
        ("护照号E12345678丢了", ("E12345678", Kind.ID_NUMBER)),
        ("港澳通行证H12345678", ("H12345678", Kind.ID_NUMBER)),
        # The usual example of the check sign, and a card of the length most banks here give out.
        ("打到4539 1488 0343 6467", ("4539 1488 0343 6467", Kind.ACCOUNT)),
        ("卡号：6222 0212 3456 7890 123", ("6222 0212 3456 7890 123", Kind.ACCOUNT)),
    ],
)
def test_what_its_form_gives_away_is_certain(text: str, found: tuple[str, Kind]) -> None:
    assert told(text) == [(*found, True)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("南京西路1025号的老房子", ("1025号", Kind.ADDRESS)),
        ("找王女士谈过", ("王", Kind.NAME)),
        ("楼上的陈奶奶", ("陈", Kind.NAME)),
        ("居委会彭中建主任", ("彭中建", Kind.NAME)),
        ("找诸葛老师", ("诸葛", Kind.NAME)),
        ("我是高中生", ("高中生", Kind.NAME)),
        ("加我1 3 8 0 0 1 3 8 0 0 0", ("1 3 8 0 0 1 3 8 0 0 0", Kind.PHONE)),
        ("加我一、三、八、零零、一三八、零零零", ("一、三、八、零零、一三八、零零零", Kind.PHONE)),
        ("旧证310106800101123", ("310106800101123", Kind.ID_NUMBER)),
    ],
)
def test_what_may_be_something_else_is_only_offered(text: str, found: tuple[str, Kind]) -> None:
    assert told(text) == [(*found, False)]


@pytest.mark.parametrize(
    "text",
    [
        "建议临汾路380弄加装电梯。",
        "地铁2号线延伸，1号线扩容。",
        "到2025年新增养老床位12000张，投资1380013800元。",
        "请打12345或110。",
        "本人认为应当尽快办理。",
        "“十四五”规划第3号文件",
        "沪A牌照限行",
        "公交司机师傅，班主任，公司经理，任课老师，居委会主任",
        "项目编号4539148803436468，投资6222021234567890元",
        "一二三四五六七八九十，一九四九年到二零二零年，一百三十八亿",
        "各组得分1、3、8、10、11、12、13、14",
        "1.3 8.5 10.2 11.4 12.6 13.1",
        "",
    ],
)
def test_what_is_nobodys_is_left_alone(text: str) -> None:
    assert told(text) == []


def test_a_text_full_of_beginnings_takes_no_longer() -> None:
    """Each would take minutes if the work grew with the square of the text."""
    for text in ("1" * 20_000, "路1号" * 7_000, "我叫" * 10_000, "a" * 10_000 + "@" * 10_000):
        find(text)


@pytest.mark.parametrize(
    "text",
    [
        "建议增加居民满意度评价。",
        "本人任职的设计院承担区内改造设计。",
        "居民应当参与，业主安全最要紧。",
        "居民楼上装灯，本人连续三年反映。",
    ],
)
def test_everyday_words_after_residents_are_no_names(text: str) -> None:
    assert find(text) == []

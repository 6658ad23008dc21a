"""Invented names to look for: estates, roads, mottoes, schemes, lines, lots and places no map has, in
sentences of ours, put into letters of others."""

import random
import re
from collections.abc import Sequence

FEWEST, MOST = 3, 15  # letters a name is put into

_NAMES = {
    "estate": "碧桐雅苑 澜岸华府 清和家园 绿茵东里 金穗新村 汀兰公馆 香榭名邸 星河云筑 枫桥小筑 凤栖台",
    "road": "银鹭路 采薇路 梧叶支路 听涛大道 双槐街 青砖巷 垂柳弄 白鹭洲桥",
    "motto": "两廊三园六坊 一轴四岸 五纵六横 还滩于民 开门见园",
    "scheme": "银龄伴行 微光计划 拾光行动 花漾街角 安心桥工程",
    "line": "澄湖线 东郊快线 北环观光线",
    "lot": "棉纺厂地块 西渡口地块 七里塘片区",
    "place": "凌霄站 望江广场 麦香菜场 启明大厦 芦汀镇 鹭岛码头",
}
_SENTENCES = {
    "estate": """
        住{}的人都知道，一下暴雨车库就进水。
        {}三栋的外墙瓷砖掉下来砸坏了车。
        我在{}租了一间房，水压低得洗不了澡。
        能不能派人来{}看一看消防通道？
        原来的幼儿园搬走以后，{}的孩子没有地方上学。
        {}交房两年还办不了产权证。
        楼上漏水，找{}物业推来推去。
        隔着一条马路就是{}，半夜打桩谁也睡不着。
        业委会换届，{}有一半的人没有收到通知。
        公交不到{}，老人看病很不方便。
        为什么{}的停车费一年涨三次？
        希望早点给{}接上自来水。
        当初买{}就是看中了旁边的湿地。
        有居民反映{}地下室住满了人。
    """,
    "road": """
        {}路口的信号灯时间太短，老人过不去。
        建议{}改为单行。
        沿{}开店的人家把货都摆到了路中间。
        前天在{}发生一起车祸，伤了两个学生。
        {}什么时候铺柏油？
        早高峰从{}左转要等三个灯。
        把垃圾站设在{}口，夏天臭气熏天。
        请尽快修补{}的坑洞。
        一到傍晚，{}就成了夜市。
        我走{}上班十年了，从没见过洒水车。
        拓宽{}时砍掉的树没有补种。
        如果{}禁止货车通行，噪音会小很多。
        {}至今没有路牌，外卖员找不到门。
    """,
    "motto": """
        开会说的{}听起来很好，做起来难。
        我理解的{}是让大家都有路走。
        “{}”不应该只是口号。
        谁来负责{}？
        围墙不拆，谈不上{}。
        要真正做到{}，先得把违建清掉。
        {}的构想我们等了十年。
        文件里反复提到{}，具体怎么做却没有写。
        为了{}，沿岸几家工厂已经搬走。
        我赞成{}，也希望听听住户的意见。
    """,
    "scheme": """
        {}办了两年，受益的人屈指可数。
        母亲腿脚不便，请问怎样申请{}？
        社区干部说{}的名额已经满了。
        感谢{}，独居老人有人上门了。
        请公开{}的经费使用情况。
        我们楼不在{}的范围里，这公平吗？
        今年的{}什么时候开始？
        想给{}捐几本书，没有人接收。
        像{}这样的好事应该多办。
        志愿者退出{}以后就没有人接手。
        把{}交给企业做，我不放心。
    """,
    "line": """
        上班全靠{}，一旦停运就得打车。
        {}票价太高。
        为什么{}绕开了最大的居民区？
        等{}通车，房价又要涨了。
        {}的车站没有无障碍电梯。
        能否延长{}到开发区？
        施工方说{}明年完工，我看悬。
        晚上十点以后{}半小时一班。
        反对{}高架穿过学校。
        坐一趟{}要转两次车才能到医院。
    """,
    "lot": """
        {}里堆的煤渣一刮风满天飞。
        政府收回{}已经五年。
        {}挂牌两次都流拍了。
        最好在{}建一所中学。
        我家窗户正对着{}，尘土大得不敢开窗。
        对{}的容积率，居民有意见。
        不要再把{}卖给开发商。
        流浪狗都躲在{}。
        昨天看到{}开始打围，请问建什么？
        靠近{}的几栋楼出现了裂缝。
    """,
    "place": """
        {}后面的停车场乱收费。
        晚上带孩子去{}散步，地上全是狗屎。
        请在{}设一个母婴室。
        {}到处是发传单的人。
        改建{}以前请先听听商户的意见。
        我在{}被人骗了两百块钱。
        早上六点{}就有人排队。
        出租车不肯去{}。
        {}的台阶太陡，轮椅上不去。
        城管一走，{}的摊子又摆出来了。
        站在{}就能闻到化工厂的气味。
        {}连一部取款机都没有。
    """,
}
_ENDS = re.compile(r"(?<=[。！？!?])")


def names() -> list[str]:
    """All of them."""
    return [name for each in _NAMES.values() for name in each.split()]


def planted(bodies: Sequence[str], seed: int = 11) -> list[str]:
    """The letters, each name said in `FEWEST` to `MOST` of them, between two of its sentences."""
    chance = random.Random(seed)
    letters = list(bodies)
    for kind, kept in _NAMES.items():
        sentences = [line.strip() for line in _SENTENCES[kind].strip().splitlines()]
        for name in kept.split():
            count = chance.randint(FEWEST, MOST)
            told = chance.sample(sentences, min(count, len(sentences)))
            told += chance.choices(sentences, k=count - len(told))
            for at, sentence in zip(chance.sample(range(len(letters)), count), told, strict=True):
                parts = _ENDS.split(letters[at])
                parts.insert(chance.randint(0, len(parts)), sentence.format(name))
                letters[at] = "".join(parts)
    return letters

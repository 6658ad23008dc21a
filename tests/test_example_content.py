"""The built-in drafts and opinions: every pair in consult/data that has the same name."""

import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

DATA = Path(__file__).resolve().parent.parent / "consult" / "data"
PAIRS = sorted(path.stem for path in (DATA / "opinions").glob("*.yaml"))

KEYS = {
    *["body", "title", "on", "stance", "channel", "day", "hour"],
    *["name", "name_consent", "decision", "reason", "person"],
}
STANCES = {"suggest", "support", "oppose", "question", None}
CHANNELS = {"web", "letter", "email", "hotline", "counter", "meeting", "wechat"}
DECISIONS = {"show", "hide", "refer", "pending"}
REASONS = {"personal_attack", "personal_information", "advertisement", "off_topic", "illegal"}
EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf]")
# Mobile, landline and identity numbers: nothing of the kind may stand even in an invented text.
NUMBERS = re.compile(r"(?<!\d)(1[3-9]\d{9}|\d{8}|\d{17}[\dXx])(?!\d)")
TERMS = ["加装电梯", "一网通办", "彭浦", "路长制", "楼宇", "营商环境", "苏河湾", "大宁"]
SHINGLE = 24


def draft(name):
    """Headings below the title, paragraphs, and how many lists and tables there are."""
    headings, paragraphs, others = [], [], Counter()
    for block in re.split(r"\n\s*\n", (DATA / "drafts" / f"{name}.md").read_text(encoding="utf-8")):
        block = block.strip()
        if match := re.match(r"(#+) (.+)", block):
            others["title"] += match[1] == "#"
            if match[1] != "#":
                headings.append(match[2].strip())
        elif block.startswith("|"):
            others["table"] += 1
        elif re.match(r"[-*] |\d+\. ", block):
            others["list"] += 1
        elif block and not block.startswith((">", "<", "---")):
            paragraphs.append(block.replace("\n", ""))
    return headings, paragraphs, others


def opinions(name):
    return yaml.safe_load((DATA / "opinions" / f"{name}.yaml").read_text(encoding="utf-8"))


def test_there_are_pairs():
    assert "silu-kuangjia" in PAIRS
    assert all((DATA / "drafts" / f"{name}.md").is_file() for name in PAIRS)


@pytest.mark.parametrize("name", PAIRS)
class TestDraft:
    def test_is_marked_as_a_demonstration(self, name):
        head = (DATA / "drafts" / f"{name}.md").read_text(encoding="utf-8")[:400]
        assert "演示文本，非正式文件" in head

    def test_structure(self, name):
        headings, paragraphs, others = draft(name)
        chapters = [heading for heading in headings if re.match("第.+章 ", heading)]
        assert others["title"] == 1
        assert len(chapters) >= 6
        assert others["list"] >= 2
        assert others["table"] >= 1
        assert sum(60 <= len(paragraph) <= 220 for paragraph in paragraphs) >= 60
        assert max(map(len, paragraphs)) <= 260

    def test_no_words_stand_twice(self, name):
        headings, paragraphs, _ = draft(name)
        assert not [text for text, times in Counter(headings).items() if times > 1]
        assert not [
            text for text, times in Counter(p[:12] for p in paragraphs).items() if times > 1
        ]

    def test_speaks_of_the_district(self, name):
        text = (DATA / "drafts" / f"{name}.md").read_text(encoding="utf-8")
        assert not [term for term in TERMS if term not in text]


@pytest.mark.parametrize("name", PAIRS)
class TestOpinions:
    def test_values(self, name):
        entries = opinions(name)
        assert len(entries) >= 100
        for entry in entries:
            assert set(entry) <= KEYS, entry
            assert entry["body"].strip() == entry["body"] != ""
            assert entry["stance"] in STANCES
            assert entry["channel"] in CHANNELS
            assert entry["decision"] in DECISIONS
            assert isinstance(entry["day"], int)
            assert 0 <= entry["day"] <= 60
            assert isinstance(entry["hour"], int)
            assert 0 <= entry["hour"] <= 23
            assert isinstance(entry["name_consent"], bool)
            if entry["name_consent"]:
                assert entry.get("name")
            if entry["decision"] == "hide":
                assert entry["reason"] in REASONS
            else:
                assert "reason" not in entry

    def test_every_place_is_found_once(self, name):
        headings, paragraphs, _ = draft(name)
        for entry in opinions(name):
            words = entry["on"]
            if words is None:
                continue
            places = headings.count(words) + sum(p.startswith(words) for p in paragraphs)
            assert places == 1, words
            assert words in headings or len(words) >= 12, words

    def test_places_are_spread(self, name):
        places = Counter(entry["on"] for entry in opinions(name))
        assert places[None] >= 5
        assert len(places) >= 30

    def test_lengths_vary(self, name):
        lengths = sorted(len(entry["body"]) for entry in opinions(name))
        assert lengths[len(lengths) // 10] <= 40
        assert sum(length >= 800 for length in lengths) >= 2
        assert len(set(lengths)) >= 40

    def test_as_varied_as_real_ones(self, name):
        entries = opinions(name)
        text = "\n".join(entry["body"] for entry in entries)
        assert EMOJI.search(text)
        assert re.search(r"[A-Za-z]{4,}", text)
        assert "阿拉" in text
        assert "侬" in text
        assert re.search("不建议|反对", text)
        assert re.search("不是不|希望不要|不要", text)
        channels = Counter(entry["channel"] for entry in entries)
        assert channels["web"] > len(entries) / 2
        assert len(channels) >= 5
        stances = Counter(entry["stance"] for entry in entries)
        assert set(stances) == STANCES
        decisions = Counter(entry["decision"] for entry in entries)
        assert decisions["show"] > len(entries) * 0.8
        assert decisions["hide"] >= 3
        assert decisions["refer"] >= 3
        persons = Counter(entry["person"] for entry in entries if "person" in entry)
        assert any(times > 1 for times in persons.values())

    def test_one_campaign_of_form_letters(self, name):
        letters = Counter()
        for entry in opinions(name):
            body = entry["body"]
            letters.update({body[i : i + SHINGLE] for i in range(len(body) - SHINGLE + 1)})
        assert 8 <= max(letters.values()) <= 30

    def test_only_the_form_letter_comes_word_for_word_twice(self, name):
        bodies = Counter(entry["body"] for entry in opinions(name))
        assert len([body for body, times in bodies.items() if times > 1 and len(body) > 20]) <= 1

    def test_no_number_of_a_person(self, name):
        for entry in opinions(name):
            assert not NUMBERS.search(entry["body"]), entry["body"]

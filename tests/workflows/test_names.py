"""Names as people write them (R32: at least 60 vectors; no second person made, no legal name refused)."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.names import LONGEST, check_name, name_key, parts, query_parts

SAME = [
    # blanks that align columns
    ("张 三", "张三"),
    ("张　三", "张三"),
    (" 张三 ", "张三"),
    ("张三　", "张三"),
    ("张\u00a0三", "张三"),
    ("张三\n", "张三"),
    ("\t张三", "张三"),
    ("张\u2003三", "张三"),
    ("张\u2800三", "张三"),
    # characters without a picture
    ("张\u200b三", "张三"),
    ("张\u200c三", "张三"),
    ("张\u200d三", "张三"),
    ("\ufeff张三", "张三"),
    ("\u202e张三", "张三"),
    ("张三\u202c", "张三"),
    ("张\u2060三", "张三"),
    ("张\u00ad三", "张三"),
    ("张\u034f三", "张三"),
    ("张\u3164三", "张三"),
    # variation selectors
    ("张\ufe00三", "张三"),
    ("葛\U000e0100飾", "葛飾"),
    ("葛\U000e0101飾", "葛飾"),
    # middle dots
    ("阿依古丽・买买提", "阿依古丽·买买提"),
    ("阿依古丽•买买提", "阿依古丽·买买提"),
    ("阿依古丽‧买买提", "阿依古丽·买买提"),
    ("阿依古丽．买买提", "阿依古丽·买买提"),
    ("阿依古丽.买买提", "阿依古丽·买买提"),
    ("阿依古丽∙买买提", "阿依古丽·买买提"),
    ("阿依古丽⋅买买提", "阿依古丽·买买提"),
    ("阿依古丽･买买提", "阿依古丽·买买提"),
    ("阿依古丽\u0387买买提", "阿依古丽·买买提"),
    ("阿依古丽 · 买买提", "阿依古丽·买买提"),
    ("阿依古丽 • 买买提", "阿依古丽·买买提"),
    # radicals and compatibility forms
    ("⼀丁", "一丁"),
    ("⽅明", "方明"),
    ("⻢三", "马三"),
    ("⻩三", "黄三"),
    ("⻰三", "龙三"),
    ("⻛三", "风三"),
    ("⻨三", "麦三"),
    ("⺠三", "民三"),
    ("⻬三", "齐三"),
    ("王⻄", "王西"),
    ("\uf92c平", "郎平"),
    ("李\uf9dc", "李隆"),
    # width and composition
    ("Ｊｏｈｎ Ｓｍｉｔｈ", "John Smith"),
    ("John  Smith", "John Smith"),
    ("José", "José"),
    ("Jose\u0301", "José"),
]
LEGAL = [
    "陈𠮷祥",
    "李㛃",
    "刘䶮",
    "朱镕㻅",
    "王𫍯",  # extension C
    "李𫟹",  # extension D
    "王\U0002b820",  # extension E
    "王\U0002ceb0",  # extension F
    "王\U00030000",  # extension G
    "王\U00031350",  # extension H
    "王\U0002ebf0",  # extension I
    "﨎三",
    "〇三",
    "欧阳娜娜",
    "迪丽努尔·艾合买提",
    "Anne-Marie O'Neill",
    "José García",
    "สมชาย",
    "山田太郎",
    "김철수",
    "阿卜杜热依木江·买买提吐尔逊·艾合买提江",
    "乔治·W·布什",
]
REFUSED = [
    "",
    "   ",
    "\u200b",
    "·",
    "张\u0000三",
    "张\u0007三",
    "张\n三",
    "张\ud800",
    "张\udfff三",
    "张\ue000",
    "张\U000f0000",
    "张\ufffd",
    "张\uffff",
    "张" * (LONGEST + 1),
]
IDEOGRAPHS = st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF)
NAMES = st.text(st.one_of(IDEOGRAPHS, st.sampled_from("·• \u200bＡaz.é\u0301\U000e0100⻢\U00020bb7")), min_size=1)


@pytest.mark.parametrize(("typed", "key"), SAME)
def test_spellings_of_one_name_have_one_key(typed: str, key: str) -> None:
    assert name_key(typed) == name_key(key) == key
    assert check_name(typed) is None


@pytest.mark.parametrize("name", LEGAL)
def test_no_legal_name_is_refused_or_altered_beyond_recognition(name: str) -> None:
    assert check_name(name) is None
    assert name_key(name) == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize("name", REFUSED, ids=ascii)
def test_what_cannot_be_a_name_is_refused_in_both_languages(name: str) -> None:
    reason = check_name(name)
    assert reason is not None
    assert reason.zh
    assert reason.en
    assert "{" not in reason.zh


def test_the_refusal_names_the_place_and_not_the_name() -> None:
    reason = check_name("张\u0000三")
    assert reason is not None
    assert ("第2个" in reason.zh, "U+0000" in reason.en, "张" in reason.zh) == (True, True, False)


def test_there_are_enough_vectors() -> None:
    assert len(SAME) + len(LEGAL) >= 60


def test_different_people_keep_different_keys() -> None:
    keys = ["王莹", "王萤", "王瑩", "陈𠮷", "陈吉", "李己", "李已", "李巳"]
    assert len({name_key(name) for name in keys}) == len(keys)


@given(st.text())
def test_the_key_of_a_key_is_itself(text: str) -> None:
    key = name_key(text)
    assert name_key(key) == key


@given(NAMES, st.data())
def test_a_name_is_found_by_any_part_of_it(name: str, data: st.DataObject) -> None:
    key = name_key(name)
    start = data.draw(st.integers(0, len(key)))
    part = key[start : data.draw(st.integers(start, len(key)))]
    if name_key(part) in key:  # what the caller asks again after the index
        assert set(query_parts(part)) <= set(parts(key))


def test_parts_are_the_characters_and_pairs_of_a_name() -> None:
    assert parts("欧阳娜") == sorted(["欧", "阳", "娜", "欧阳", "阳娜"])
    assert parts("王") == ["王"]
    assert query_parts("阳 娜") == ["阳娜"]
    assert query_parts(" 娜") == ["娜"]
    assert query_parts("\u200b") == []

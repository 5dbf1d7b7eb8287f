from __future__ import annotations

from datetime import date

import pytest

from registry.codes.load import packaged_tables
from registry.imports import Fault
from registry.physicians.rows import HEADINGS, Barred, Reader, RegisterRow
from registry.tabular import Row
from tests.registry.extracts import TODAY, people

READER = Reader(packaged_tables(), TODAY)
BLANK = {heading.name: "" for heading in HEADINGS}


def read(**changes: str) -> RegisterRow | list[Fault]:
    return READER.read(Row(2, [], BLANK | people(1)[0] | changes, ()))


def checked(**changes: str) -> RegisterRow:
    row = read(**changes)
    assert isinstance(row, RegisterRow), row
    return row


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("姓名", ""),
        ("姓名", "张\ue000"),
        ("证件类型", "会员卡"),
        ("证件号码", "110105194912310021"),
        ("证件号码", "11010519491331002X"),
        ("执业证书编码", ""),
        ("执业证书编码", "11046000000001"),
        ("医师级别", "主任"),
        ("执业类别", "兽医"),
        ("执业范围", ""),
        ("执业范围", "占星专业"),
        ("执业范围", "内科专业、占星专业"),
        ("省份", "琼州"),
        ("状态", ""),
        ("状态", "不详"),
        ("注册日期", "2020-02-30"),
        ("首次注册日期", "昨天"),
        ("最近考核日期", "2025-13-01"),
    ],
)
def test_a_wrong_value_is_refused_at_its_field_in_both_languages(field: str, text: str) -> None:
    faults = read(**{field: text})
    assert isinstance(faults, list)
    assert [fault.field for fault in faults] == [field]
    assert all(fault.text.zh and fault.text.en for fault in faults)


def test_all_that_is_wrong_is_said_at_once() -> None:
    faults = read(姓名="", 状态="不详", 注册日期="x")
    assert isinstance(faults, list)
    assert {fault.field for fault in faults} == {"姓名", "状态", "注册日期"}


def test_a_suspension_that_ends_before_it_begins_is_refused() -> None:
    faults = read(状态="暂停", 状态起="2026-10-01", 状态止="2026-09-30")
    assert isinstance(faults, list)
    assert [fault.field for fault in faults] == ["状态止"]


def test_rounded_digits_are_refused_with_the_remedy_and_nothing_else() -> None:
    faults = READER.read(Row(2, [], BLANK | people(1)[0] | {"证件号码": "4.6E+17"}, ("证件号码",)))
    assert isinstance(faults, list)
    assert [fault.field for fault in faults] == ["证件号码"]
    assert "text" in faults[0].text.en


def test_no_refusal_repeats_an_identity_number() -> None:
    faults = read(证件号码="110105194912310021")
    assert isinstance(faults, list)
    assert "1101051949" not in faults[0].text.zh + faults[0].text.en


def test_rows_that_differ_only_in_how_they_are_written_say_the_same() -> None:
    plain = people(1)[0]
    wide = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")
    other = checked(
        证件号码=plain["证件号码"].translate(wide),
        执业证书编码=f"{plain['执业证书编码']} ",
        注册日期=plain["注册日期"].replace("-", "/"),
        省份="46",
        执业类别=plain["执业类别"] + "类别",
    )
    assert other.said() == checked().said()


def test_several_scopes_are_separated_as_people_separate_them() -> None:
    assert checked(执业范围="外科专业；内科专业").facts.scopes == checked(执业范围="内科专业,外科专业").facts.scopes


def test_an_assistant_s_place_is_left_to_the_county_of_the_institution() -> None:
    assistant = checked(医师级别="执业助理医师")
    assert assistant.place is None
    assert assistant.county() == assistant.facts.main_registration_no[9:15]  # type: ignore[index]
    assert checked().place == "46"


def test_a_ground_for_refusing_registration_needs_its_day() -> None:
    assert checked(不予注册情形="D03", 情形起="2025-01-02").barred == Barred("D03", date(2025, 1, 2), None)
    assert checked(不予注册情形="被吊销医师执业证书不满二年", 情形起="2025-01-02").barred
    faults = read(不予注册情形="D03")
    assert isinstance(faults, list)
    assert [fault.field for fault in faults] == ["情形起"]


@pytest.mark.parametrize("name", ["陈𠮷祥", "李㛃", "刘䶮", "阿依古丽·买买提", "𰻝"])
def test_no_name_is_refused_for_being_rare(name: str) -> None:
    assert checked(姓名=name).person.name == name

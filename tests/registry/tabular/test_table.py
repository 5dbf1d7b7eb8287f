from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry.tabular import Heading, Row, Unreadable, open_table
from tests.registry.extracts import write_xlsx

HEADINGS = (Heading("姓名"), Heading("证件号码", aliases=("身份证号",), digits=True), Heading("备注", required=False))


def rows(path: Path) -> list[Row]:
    with open_table(path, HEADINGS) as table:
        return list(table)


def refusal(path: Path) -> str:
    with pytest.raises(Unreadable) as refused:
        rows(path)
    assert refused.value.text.zh
    assert refused.value.text.en
    return refused.value.code


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "table.csv"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_encoding_and_delimiter_are_told_by_the_content(file: Path, encoding: str, delimiter: str) -> None:
    text = f"姓名{delimiter}证件号码\r\n李㛃{delimiter}11010519491231002X\r\n陈𠮷祥{delimiter}440524188001010014\r\n"
    file.write_bytes(text.encode(encoding))
    assert [(r.line, r.values["姓名"], r.values["证件号码"]) for r in rows(file)] == [
        (2, "李㛃", "11010519491231002X"),
        (3, "陈𠮷祥", "440524188001010014"),
    ]


def test_four_byte_characters_of_gb18030_are_not_lost_to_gbk(file: Path) -> None:
    file.write_bytes("姓名,证件号码\n刘䶮,1\n朱镕㻅,2\n𰻝,3\n".encode("gb18030"))
    assert [row.values["姓名"] for row in rows(file)] == ["刘䶮", "朱镕㻅", "𰻝"]


def test_bytes_of_no_encoding_are_refused_with_their_place(file: Path) -> None:
    file.write_bytes("姓名,证件号码\n".encode("gb18030") + b"\xff\xff,1\n")
    with pytest.raises(Unreadable, match="from byte 15") as refused:
        rows(file)
    assert refused.value.code == "encoding"


def test_an_encoding_is_proved_to_the_last_byte(file: Path) -> None:
    file.write_bytes("姓名,证件号码\n".encode() + "张三,1\n".encode() * 200_000 + "李四".encode()[:-1])
    assert refusal(file) == "encoding"


def test_titles_above_the_headings_and_blank_rows_are_passed_over(file: Path) -> None:
    file.write_text(
        "某某医院医师名册,,\n\n 填表日期：2026-11-21,,\n序号, 姓名* ,身份证号\n1,张三,5\n,,\n2,李四,6\n", "utf-8"
    )
    with open_table(file, HEADINGS) as table:
        assert table.ignored == ("序号",)
        assert [(row.line, row.values) for row in table] == [
            (5, {"姓名": "张三", "证件号码": "5", "备注": ""}),
            (7, {"姓名": "李四", "证件号码": "6", "备注": ""}),
        ]


def test_short_rows_have_empty_values_and_cells_may_hold_line_breaks(file: Path) -> None:
    file.write_text('姓名,证件号码,备注\n张三\n李四,6,"一\n二"\n王五,7,\n', "utf-8")
    assert [(row.line, row.values["证件号码"], row.values["备注"]) for row in rows(file)] == [
        (2, "", ""),
        (3, "6", "一\n二"),
        (5, "7", ""),
    ]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"%PDF-1.7\n%\x00\x01\x02", "not_a_table"),
        ("姓名,备注\n张三,无\n".encode(), "missing_headings"),
        ("甲,乙\n1,2\n".encode(), "missing_headings"),
        ("姓名,姓名,证件号码\n张三,李四,1\n".encode(), "heading_twice"),
        ('姓名,证件号码\n"张三,1\n李四,2\n'.encode(), "broken_line"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old_or_encrypted"),
        (b"PK\x03\x04 this is no archive", "not_a_workbook"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused_by_name(file: Path, content: bytes, code: str) -> None:
    file.write_bytes(content)
    assert refusal(file) == code


def test_missing_headings_are_named(file: Path) -> None:
    file.write_text("姓名,备注\n张三,无\n", "utf-8")
    with pytest.raises(Unreadable, match="证件号码"):
        rows(file)


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    assert refusal(tmp_path / "absent.csv") == "no_file"


@pytest.mark.parametrize("text", ["4.40106E+17", "4.40105198001010E+17", "1E+15"])
def test_digits_that_a_spreadsheet_rounded_away_are_named(file: Path, text: str) -> None:
    file.write_text(f"姓名,证件号码\n张三,{text}\n", "utf-8")
    assert [row.rounded for row in rows(file)] == [("证件号码",)]


def test_a_quoted_formula_is_read_as_it_was_before_it_was_quoted(file: Path) -> None:
    file.write_text("姓名,证件号码,备注\n张三,1,'=1+1\n", "utf-8")
    assert rows(file)[0].values["备注"] == "=1+1"


def test_a_sheet_gives_what_the_same_text_gives(tmp_path: Path, file: Path) -> None:
    cells = [
        ["名册"],
        ["姓名", "证件号码", "备注"],
        ["李㛃", "11010519491231002X", "无"],
        ["", "", ""],
        ["王五", "3", ""],
    ]
    book = write_xlsx(tmp_path / "table.xlsx", cells)
    file.write_text("".join(",".join(row) + "\n" for row in cells), "utf-8")
    assert [(r.line, r.values) for r in rows(book)] == [(r.line, r.values) for r in rows(file)]


def test_an_identity_number_kept_as_a_number_is_named_and_a_practising_code_is_whole(tmp_path: Path) -> None:
    book = write_xlsx(
        tmp_path / "table.xlsx", [["姓名", "证件号码", "备注"], ["张三", 440106198001010014, 110120000000001]]
    )
    [row] = rows(book)
    assert row.rounded == ("证件号码",)
    assert row.values["备注"] == "110120000000001"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=400))
def test_no_bytes_end_in_anything_but_rows_or_a_refusal(file: Path, content: bytes) -> None:
    file.write_bytes("姓名,证件号码\n".encode() + content)
    try:
        assert all(isinstance(row.values["姓名"], str) for row in rows(file))
    except Unreadable as refused:
        assert refused.text.en  # noqa: PT017

from __future__ import annotations

import struct
import time
import zipfile
from pathlib import Path

import pytest

from registry.tabular import Heading, Unreadable, open_table

HEADINGS = (Heading("姓名"),)
SHEET = "xl/worksheets/sheet1.xml"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
HEADING = '<row r="1"><c r="A1" t="inlineStr"><is><t>姓名</t></is></c></row>'


def sheet(rows: str, before: str = "") -> str:
    return f'<?xml version="1.0"?><worksheet xmlns="{_MAIN}">{before}<sheetData>{rows}</sheetData></worksheet>'


def parts(sheet_xml: str) -> dict[str, str]:
    return {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/{SHEET}" ContentType="{_TYPE}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="r1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
        '<sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="r1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        SHEET: sheet_xml,
    }


def book(path: Path, sheet_xml: str, **more: str) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (parts(sheet_xml) | more).items():
            archive.writestr(name, content)
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "table.xlsx"


def refusal(path: Path) -> str:
    with pytest.raises(Unreadable) as refused, open_table(path, HEADINGS) as table:
        list(table)
    return refused.value.code


def test_a_plain_workbook_is_read(file: Path) -> None:
    with open_table(book(file, sheet(HEADING + '<row r="3"><c r="A3"><v>5</v></c></row>')), HEADINGS) as table:
        assert [(row.line, row.values["姓名"]) for row in table] == [(3, "5")]


def test_a_sheet_that_aborts_the_reader_is_refused_and_we_live(file: Path) -> None:
    far = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    began = time.monotonic()
    assert refusal(book(file, sheet(HEADING + far))) == "workbook_unreadable"
    assert time.monotonic() - began < 5


def test_a_declared_width_beyond_reason_is_refused_before_reading(file: Path) -> None:
    wide = sheet(HEADING, '<dimension ref="A1:XFD1048576"/>')
    assert refusal(book(file, wide)) == "sparse"


def test_a_zip_bomb_is_refused_before_reading(file: Path) -> None:
    assert refusal(book(file, sheet(HEADING + " " * (64 << 20)))) == "workbook_unsafe"


def test_a_sheet_cut_short_is_not_taken_for_a_short_sheet(file: Path) -> None:
    whole = sheet(HEADING + "".join(f'<row r="{n}"><c r="A{n}"><v>{n}</v></c></row>' for n in range(2, 50)))
    assert refusal(book(file, whole[: len(whole) // 2])) == "workbook_unreadable"


@pytest.mark.parametrize(
    "start",
    [
        '<!DOCTYPE x [<!ENTITY a "b">]>',
        "<!-- -->" * 20 + "<!DOCTYPE x>",
        "<!--" + " " * 70_000 + "--><!DOCTYPE x>",
    ],
)
def test_a_document_type_is_refused_wherever_it_hides(file: Path, start: str) -> None:
    assert refusal(book(file, start + sheet(HEADING).partition("?>")[2])) == "workbook_unsafe"


@pytest.mark.parametrize(
    "name",
    ["xl/vbaProject.bin", "xl/macrosheets/sheet1.xml", "xl/embeddings/oleObject1.bin", "../outside.xml", "/etc/passwd",
     "xl\\..\\..\\outside.xml", "c:/outside.xml"],
)  # fmt: skip
def test_macros_embedded_objects_and_ways_out_are_refused(file: Path, name: str) -> None:
    assert refusal(book(file, sheet(HEADING), **{name: "<x/>"})) == "workbook_unsafe"


def test_a_symbolic_link_is_refused(file: Path) -> None:
    book(file, sheet(HEADING))
    with zipfile.ZipFile(file, "a") as archive:
        link = zipfile.ZipInfo("xl/link.xml")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    assert refusal(file) == "workbook_unsafe"


def test_too_many_parts_are_refused(file: Path) -> None:
    assert refusal(book(file, sheet(HEADING), **{f"xl/p{n}.bin": "" for n in range(2001)})) == "workbook_unsafe"


def test_overlapping_entries_are_refused(file: Path) -> None:
    book(file, sheet(HEADING))
    content = bytearray(file.read_bytes())
    first = content.index(b"PK\x01\x02")
    second = content.index(b"PK\x01\x02", first + 4)
    (offset,) = struct.unpack_from("<I", content, second + 42)
    assert offset
    struct.pack_into("<I", content, second + 42, 1)
    file.write_bytes(content)
    assert refusal(file) in ("workbook_unsafe", "not_a_workbook")


def test_a_workbook_without_a_filled_sheet_has_no_headings(file: Path) -> None:
    assert refusal(book(file, sheet(""))) == "missing_headings"

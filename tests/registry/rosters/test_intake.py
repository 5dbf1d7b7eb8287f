"""Whatever is sent in ends as a reason in both languages or as findings of rows, and the worker goes on (R23–R26)."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import xlsxwriter

from registry.demo import rosters
from registry.demo.generate import Record
from registry.institutions.filing_for import filing_institution
from registry.rosters import reading, stored, working
from registry.rosters.headings import HEADINGS, headings_with
from registry.rosters.judging import judge_rows
from tests.registry.rosters.conftest import Desk
from tests.registry.tabular.test_workbook import SHEET, parts, sheet
from workflows.machine import Refused
from workflows.roster import Act

NAMES = rosters.ROSTER
LINE = ",".join(NAMES) + "\n"
HEADING = "".join(f'<c t="inlineStr"><is><t>{name}</t></is></c>' for name in NAMES)
SIXTEEN_K = "".join(f"<c><v>{n}</v></c>" for n in range(16_384))


def rows(*lines: str) -> str:
    return "".join(f'<row r="{n}">{cells}</row>' for n, cells in enumerate(lines, 1))


def book(sheet_xml: str, **more: str) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (parts(sheet_xml) | more).items():
            archive.writestr(name, content)
    return held.getvalue()


def plain() -> bytes:
    return book(sheet(rows(HEADING, "<c><v>1</v></c>")))


def entries(content: bytes) -> list[int]:
    """Where the headers of the central directory lie."""
    found, at = [], content.find(b"PK\x01\x02")
    while at >= 0:
        found.append(at)
        at = content.find(b"PK\x01\x02", at + 4)
    return found


def overlapping() -> bytes:
    content = bytearray(plain())
    struct.pack_into("<I", content, entries(bytes(content))[1] + 42, 1)
    return bytes(content)


def lying_about_its_size() -> bytes:
    content = bytearray(book(sheet(rows(HEADING) + " " * (40 << 20))))
    struct.pack_into("<I", content, entries(bytes(content))[-1] + 24, 4_000)
    return bytes(content)


def linked() -> bytes:
    held = io.BytesIO(plain())
    with zipfile.ZipFile(held, "a") as archive:
        link = zipfile.ZipInfo("xl/link.xml")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "outside")
    return held.getvalue()


def cell_of(megabytes: int) -> str:
    return f'<c t="inlineStr"><is><t>{"x" * (megabytes << 20)}</t></is></c>'


# name → what is sent, and the codes it may be refused by
FILES: dict[str, tuple[Callable[[], bytes], set[str]]] = {
    "empty": (lambda: b"", {"empty"}),
    "image": (lambda: b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)), {"not_a_table"}),
    "pdf": (lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", {"not_a_table", "missing_headings", "encoding"}),
    "page": (lambda: b"<html><table><tr><td>1</td></tr></table></html>", {"missing_headings"}),
    "encrypted": (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), {"old_or_encrypted"}),
    "headings only": (LINE.encode, {"no_rows"}),
    "no headings": ("甲,乙\n1,2\n".encode, {"missing_headings"}),
    "heading missing": (lambda: LINE.replace("证件号码,", "").encode(), {"missing_headings"}),
    "heading twice": (lambda: LINE.replace("性别", "姓名").encode(), {"heading_twice"}),
    "no encoding": (lambda: LINE.encode("gb18030") + b"\xff\xff\xff,1\n", {"encoding"}),
    "half a character": (lambda: LINE.encode() + "张".encode()[:2], {"encoding"}),
    "other than its mark": (lambda: b"\xef\xbb\xbf" + LINE.encode("gb18030"), {"encoding"}),
    "half of UTF-16": (lambda: LINE.encode("utf-16") + b"\x00\xd8\x41", {"encoding"}),
    "unclosed quote": ((LINE + '"张三,1\n李四,2\n').encode, {"broken_line"}),
    "cell of 10 MB": ((LINE + "x" * (10 << 20) + ",1\n").encode, {"broken_line"}),
    "one line of 40 MB": (lambda: b"x," * (20 << 20), {"broken_line", "sparse", "file_unreadable", "missing_headings"}),
    "16,384 columns": ((LINE + "," * 16_383 + "\n").encode, {"sparse"}),
    "sheet: cell of 10 MB": (lambda: book(sheet(rows(HEADING, cell_of(10)))), {"broken_line"}),
    "sheet: 16,384 columns": (lambda: book(sheet(rows(HEADING, SIXTEEN_K))), {"sparse"}),
    "sheet: declared 16,384 columns": (
        lambda: book(sheet(rows(HEADING), '<dimension ref="A1:XFD1048576"/>')),
        {"sparse"},
    ),
    "sheet: two far cells": (
        lambda: book(sheet('<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')),
        {"workbook_unreadable"},
    ),
    "sheet: bomb": (lambda: book(sheet(rows(HEADING) + " " * (64 << 20))), {"workbook_unsafe"}),
    "sheet: bomb of many parts": (
        lambda: book(sheet(rows(HEADING)), **{f"xl/media/{n}.bin": " " * (17 << 20) for n in range(3)}),
        {"workbook_unsafe"},
    ),
    "sheet: too many parts": (
        lambda: book(sheet(rows(HEADING)), **{f"xl/{n}.bin": "" for n in range(2_001)}),
        {"workbook_unsafe"},
    ),
    "sheet: lying about its size": (lying_about_its_size, {"workbook_unreadable", "no_rows", "not_a_workbook"}),
    "sheet: overlapping entries": (overlapping, {"workbook_unsafe", "not_a_workbook"}),
    "sheet: cut": (lambda: plain()[:-200], {"not_a_workbook"}),
    "sheet: nothing inside": (lambda: b"PK\x05\x06" + bytes(18), {"workbook_unreadable"}),
    "sheet: a link": (linked, {"workbook_unsafe"}),
    "sheet: a way out": (lambda: book(sheet(rows(HEADING)), **{"../../outside.xml": "<x/>"}), {"workbook_unsafe"}),
    "sheet: macros": (lambda: book(sheet(rows(HEADING)), **{"xl/vbaProject.bin": "x"}), {"workbook_unsafe"}),
    "sheet: an object": (lambda: book(sheet(rows(HEADING)), **{"xl/embeddings/a.bin": "x"}), {"workbook_unsafe"}),
    "sheet: DTD": (
        lambda: book('<!DOCTYPE x [<!ENTITY a SYSTEM "file:outside">]>' + sheet(rows(HEADING)).partition("?>")[2]),
        {"workbook_unsafe"},
    ),
    "sheet: DTD in another part": (
        lambda: book(sheet(rows(HEADING)), **{"xl/styles.xml": '<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'}),
        {"workbook_unsafe"},
    ),
    "sheet: cut XML": (lambda: book(sheet(rows(HEADING, HEADING))[:-60]), {"workbook_unreadable", "no_rows"}),
    "sheet: none": (lambda: book("").replace(SHEET.encode(), b"x" * len(SHEET)), {"workbook_unreadable", "not_a_workbook"}),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_cannot_be_read_fails_with_its_reason(intake: Desk, name: str) -> None:
    made, codes = FILES[name]
    assert intake.failed(made()) in codes


def test_the_worker_goes_on_with_the_next_roster_after_each_of_them(desk: Desk) -> None:
    bad = [desk.upload(made()) for name, (made, _) in FILES.items() if len(name) % 3 == 0]
    good = desk.upload(desk.csv(desk.made.roster[:20]))
    desk.work()
    assert {desk.roster(roster).state for roster in bad} == {"failed"}
    assert desk.roster(good).state == "judged"


@pytest.mark.parametrize("form", ["text", "sheet"])
def test_one_row_too_many_is_refused_with_the_limit_named(
    intake: Desk, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_ROWS_TEXT" if form == "text" else "MOST_ROWS_SHEET", 40)
    monkeypatch.setattr(working, "READ", 15)

    def file(count: int) -> Path:
        some = intake.made.roster[:count]
        return intake.csv(some) if form == "text" else rosters.write_xlsx(intake.folder / "long.xlsx", some)

    assert intake.roster(intake.judged(file(40))).rows == 40
    roster = intake.upload(file(41))
    intake.work()
    fault = intake.roster(roster).fault
    assert fault
    assert (fault["code"], "40 行" in fault["zh"], "40 rows" in fault["en"]) == ("too_many_rows", True, True)


def good_row(desk: Desk, **changes: str) -> Record:
    """A row without fault, changed."""
    number = next(t.row for t in desk.made.truth if t.outcome == "ok" and not t.note)
    return desk.made.roster[number - 1] | changes


def found(desk: Desk, file: Path | bytes, **mapping: str) -> list[tuple[str, list[str]]]:
    return [(outcome, rules) for _, outcome, rules in desk.verdicts(desk.judged(file, **mapping))]


@pytest.mark.parametrize(
    ("field", "cell", "outcome", "rules"),
    [
        ("拟备案机构登记号", "12345678946010011A1001", "return", ["F001"]),
        ("拟备案机构登记号", "", "ok", []),
        ("姓名", "", "return", ["F003"]),
        ("姓名", "\u200b", "return", ["F002"]),
        ("姓名", "张\ue000", "return", ["F002"]),
        ("执业类别", "", "return", ["F003"]),
        ("执业类别", "巫医", "return", ["F002"]),
        ("执业范围", "", "return", ["F003"]),
        ("执业范围", "内科专业、无此专业", "return", ["F002"]),
        ("证件类型", "驾驶证", "return", ["F002"]),
        ("证件号码", "4.40106E+17", "return", ["F004"]),
        ("医师资格证书编码", "2.01811E+25", "return", ["F004"]),
        ("备案开始日期", "31/12/2026", "return", ["F002"]),
        ("备案开始日期", "", "return", ["R100"]),
        ("备案开始日期", "46387", "ok", []),
        ("备案开始日期", "2026年12月31日", "ok", []),
        ("备案开始日期", "２０２６．１２．３１", "ok", []),
        ("备案结束日期", "20281230", "ok", []),
    ],
)  # fmt: skip
def test_a_cell_that_cannot_be_taken_as_meant_is_a_finding_of_its_row(
    intake: Desk, field: str, cell: str, outcome: str, rules: list[str]
) -> None:
    assert found(intake, intake.csv([good_row(intake, **{field: cell})])) == [(outcome, rules)]


def test_a_finding_of_the_file_names_the_row_of_the_sheet_and_the_field(intake: Desk) -> None:
    content = "某某医院医师名册\n\n" + LINE + ",".join(good_row(intake, 姓名="").values()) + "\n"
    roster = intake.judged(content.encode())
    [(finding,)] = intake.read("select findings->0 from roster_verdict where roster_id = :r", r=roster)
    assert finding["message"] == {
        "zh": "表格第 4 行缺少“姓名”，请填写。",
        "en": "“姓名” is empty in row 4 of the sheet; fill it in.",
    }


def test_headings_of_the_national_system_below_titles_are_known(intake: Desk) -> None:
    names = {
        "姓名": "医师姓名*", "证件号码": "身份证\n号码", "医师资格证书编码": "资格证书编码", "医师执业证书编码": "执业证书 编码",
        "备案开始日期": "有效期开始时间", "备案结束日期": "有效期结束时间", "执业范围": "范围", "执业类别": "类别",
    }  # fmt: skip
    title = "拟多机构备案医师名册" + "," * (len(NAMES) - 1)
    heads = ",".join(f'"{names.get(name, name)}"' for name in NAMES)
    content = f"{title}\r\n填表日期：2026-11-21\r\n{heads}\r\n" + ",".join(good_row(intake).values()) + "\r\n"
    assert found(intake, content.encode("gb18030")) == [("ok", [])]


def test_the_uploader_may_say_which_column_is_which(intake: Desk) -> None:
    content = LINE.replace("证件号码", "编号甲") + ",".join(good_row(intake).values()) + "\n"
    assert intake.failed(content.encode()) == "missing_headings"
    assert found(intake, content.encode(), 编号甲="证件号码") == [("ok", [])]


def test_what_the_uploader_says_outweighs_the_names_we_know() -> None:
    names = {heading.name: heading.aliases for heading in headings_with({"类别": "证件类型"})}
    assert list(names)[-1] == "证件类型"
    assert "类别" in names["证件类型"]
    assert len(names) == len(HEADINGS)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "gb18030", "utf-8"])
def test_rare_characters_keep_their_form_in_every_encoding(intake: Desk, encoding: str) -> None:
    content = LINE + ",".join(good_row(intake, 姓名="朱镕㻅𰻝").values()) + "\n"
    [(outcome, rules)] = found(intake, content.encode(encoding))
    assert (outcome, rules) == ("return", ["R022"])  # read as a name, of somebody else


def test_an_identity_number_that_a_sheet_keeps_as_a_number_is_refused_and_days_and_codes_are_read(
    intake: Desk,
) -> None:
    path, row = intake.folder / "typed.xlsx", good_row(intake)
    with xlsxwriter.Workbook(path) as made:
        page, day = made.add_worksheet(), made.add_format({"num_format": "yyyy-mm-dd"})
        for line, number in ((1, False), (2, True)):
            for place, (name, cell) in enumerate(row.items()):
                page.write_string(0, place, name)
                if name == "医师执业证书编码" or (name == "证件号码" and number):
                    page.write_number(line, place, float(cell.strip("X")))
                elif name == "备案开始日期":
                    page.write_number(line, place, 46387, day)
                else:
                    page.write_string(line, place, cell)
    first, second = found(intake, path)
    assert first == ("ok", [])
    assert second[0] == "return"
    assert "F004" in second[1]


def test_what_no_database_takes_is_dropped_from_cells_and_headings(intake: Desk) -> None:
    wide = good_row(intake) | {f"备注{n}": "无" for n in range(700)}
    content = ",".join(wide).replace("备注699", "备注\0") + "\n" + ",".join(wide.values()) + "\0\n"
    roster = intake.judged(content.encode())
    assert intake.roster(roster).columns[-1] == "备注"
    assert [outcome for _, outcome, _ in intake.verdicts(roster)] == ["ok"]


def test_a_roster_that_breaks_the_worker_fails_and_the_next_is_worked_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    broken, good = desk.upload(desk.csv(desk.made.roster[:5])), desk.upload(desk.csv(desk.made.roster[:7]))

    def stumble(context: object, institution: object, given: list[object]) -> object:
        if len(given) == 5:
            raise KeyError("440106198001010014")
        return judge_rows(context, institution, given)  # type: ignore[arg-type]

    monkeypatch.setattr(stored, "judge_rows", stumble)
    worker = working.Worker(desk.node)
    while desk.roster(good).state != "judged" or desk.roster(broken).state != "failed":
        worker.step()
    worker.close()
    fault = desk.roster(broken).fault
    assert fault
    assert fault["code"] == "internal"
    assert "KeyError" in caplog.text
    assert "440106" not in caplog.text


def test_a_roster_is_taken_only_for_ones_own_institution_in_force(intake: Desk) -> None:
    other = next(i for i in intake.institutions() if i != intake.institution)
    for number in (other, "no such number"):
        with intake.context(intake.filer()) as context, pytest.raises(Exception, match="role"):
            filing_institution(context, number)


def test_a_failed_roster_cannot_be_taken_up_again(intake: Desk) -> None:
    roster = intake.upload(b"")
    intake.work()
    for act in (Act.FILE, Act.RESUME, Act.PAUSE, Act.CANCEL):
        with pytest.raises(Refused):
            intake.act(roster, act, intake.filer())


def test_of_rows_of_one_person_the_first_whose_term_overlaps_counts(intake: Desk) -> None:
    terms = [
        ("2026-12-31", "2027-06-30"),
        ("2027-07-01", "2027-12-31"),
        ("2027-06-30", "2027-07-01"),
        ("", "2027-01-31"),
    ]
    file = intake.csv([good_row(intake, 备案开始日期=first, 备案结束日期=last) for first, last in terms])
    roster = intake.judged(file)
    found = (
        "select row, outcome, jsonb_path_query_first(findings, '$[*].evidence.same_as') #>> '{}' from roster_verdict"
    )
    assert intake.read(f"{found} where roster_id = :r order by row", r=roster) == [
        (1, "ok", None),
        (2, "ok", None),
        (3, "return", "1"),
        (4, "return", "1"),
    ]

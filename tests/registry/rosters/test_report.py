"""The report gives every cell back, and no spreadsheet runs one (R27)."""

from __future__ import annotations

import csv
import io
import tempfile
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.language import EN, ZH, Language
from registry.rosters import report
from registry.rosters.headings import HEADINGS, ID_NUMBER
from registry.rosters.report import ADDED, Line, csv_report, record_download, xlsx_report
from registry.tabular import open_table
from registry.tabular.sandbox import ROUNDED
from registry.tabular.table import values_at
from tests.registry.rosters.conftest import Desk

COLUMNS = ["序号", *(heading.name for heading in HEADINGS), "备注"]
PLACES = {heading.name: place for place, heading in enumerate(HEADINGS, 1)}
RUNS = tuple("=+-@\t\r\n＝＋－＠")

dangerous = st.sampled_from(
    ["=1+1", "+1", "-1", "@a", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠1", "'=1", "''@", "'"]
)
typed = st.text(st.characters(exclude_categories=("Cs", "Cc"), include_characters="\t\r\n\"',;"), max_size=12)
rows = st.lists(
    st.lists(typed | dangerous, min_size=len(COLUMNS) - 1, max_size=len(COLUMNS) - 1), min_size=1, max_size=8
)


def lines(made: list[list[str]]) -> list[Line]:
    return [Line([str(number), *cells], "ok", ()) for number, cells in enumerate(made, 1)]


def raw(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def read_again(content: bytes) -> list[dict[str, str]]:
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        with open_table(Path(file.name), HEADINGS) as table:
            return [row.values for row in table]


@settings(max_examples=30, deadline=None)
@given(rows)
def test_a_csv_report_reads_as_the_file_did_and_holds_nothing_that_runs(made: list[list[str]]) -> None:
    content = b"".join(csv_report(COLUMNS, lines(made), ZH))
    assert [cell for row in raw(content) for cell in row if cell.startswith(RUNS)] == []
    assert read_again(content) == [values_at(line.cells, PLACES) for line in lines(made)]


@settings(max_examples=15, deadline=None)
@given(rows)
def test_a_workbook_reads_as_the_file_did(made: list[list[str]]) -> None:
    with xlsx_report(COLUMNS, PLACES, lines(made), ZH) as file:
        content = file.read()
    # XML has one line break; a workbook gives back that one.
    expected = [values_at([c.replace("\r\n", "\n").replace("\r", "\n") for c in x.cells], PLACES) for x in lines(made)]
    found = [{k: v.replace("\r\n", "\n").replace("\r", "\n") for k, v in row.items()} for row in read_again(content)]
    assert found == expected


def test_a_workbook_has_text_only_and_marks_the_cells_that_findings_speak_of() -> None:
    finding = {
        "rule": "R001",
        "outcome": "return",
        "message": {"zh": "校验未通过。", "en": "It fails its check."},
        "evidence": {},
    }
    empty = finding | {"rule": "F003", "evidence": {"line": 2, "field": "姓名"}}
    cells = ["=HYPERLINK(1)", *[""] * len(HEADINGS), "http://outside.example"]
    with xlsx_report(COLUMNS, PLACES, [Line(cells, "return", (finding, empty))], EN) as file:
        archive = zipfile.ZipFile(io.BytesIO(file.read()))
    sheet, notes = (archive.read(f"xl/{name}.xml").decode() for name in ("worksheets/sheet1", "comments1"))
    assert "<f>" not in sheet
    assert "hyperlink" not in sheet
    assert "&#x27;=HYPERLINK" in sheet or "'=HYPERLINK" in sheet
    assert "R001 It fails its check." in notes
    assert {f'ref="{chr(65 + PLACES[name])}2"' in notes for name in ("姓名", ID_NUMBER)} == {True}


def test_a_report_is_square_and_says_the_outcome_in_the_readers_language() -> None:
    finding = {"rule": "R001", "outcome": "return", "message": {"zh": "错。", "en": "Wrong."}, "evidence": {}}
    given_lines = [Line(["1", ROUNDED], "return", (finding, finding)), Line(["2", "b", "c", "d"], None, ())]

    def said(speak: Language) -> list[list[str]]:
        return raw(b"".join(csv_report(["甲", "乙", "丙"], given_lines, speak)))

    assert said(EN) == [
        ["甲", "乙", "丙", *ADDED],
        ["1", "", "", "return", "R001 R001", "Correct it and upload it again: Wrong. Wrong."],
        ["2", "b", "c", "", "", "Not judged yet."],
    ]
    assert said(ZH)[1][-1] == "请更正后重新上传：错。错。"


def test_a_rosters_report_is_row_aligned_and_its_good_rows_pass_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(report, "CHUNK", 70)
    uploaded = desk.made.roster[:300]
    roster = desk.judged(desk.csv(uploaded))

    def blocks() -> Iterator[bytes]:
        columns = desk.roster(roster).columns
        return csv_report(columns, report.lines(desk.node.database, desk.seal, roster), ZH)

    content = b"".join(blocks())
    found = raw(content)
    assert [row[:-3] for row in found[1:]] == [list(row.values()) for row in uploaded]
    assert [row[-3] for row in found[1:]] == [outcome for _, outcome, _ in desk.verdicts(roster)]
    again = desk.judged(content)
    assert desk.verdicts(again) == desk.verdicts(roster)


def test_a_report_that_is_stopped_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def broken() -> Iterator[Line]:
        yield Line(["1"], "ok", ())
        raise ConnectionError

    with pytest.raises(ConnectionError):
        xlsx_report(["甲"], {}, broken(), ZH)
    with xlsx_report(["甲"], {}, [Line(["1"], "ok", ())], ZH):
        assert list(tmp_path.iterdir()) == []


def test_a_download_is_an_event(desk: Desk) -> None:
    roster = desk.upload(b"")
    with desk.context(desk.manager()) as context:
        record_download(context, desk.roster(roster), "xlsx")
    [(actor, organisation, subject)] = desk.read(
        "select actor, organisation, subject_id from audit_event where type = 'roster.report'"
    )
    assert (actor, organisation, uuid.UUID(str(subject))) == ("manager", desk.institution, roster)

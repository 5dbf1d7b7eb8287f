"""The file given back: every row as it came, with its outcome, the rules that spoke and what they say in plain words.

Whatever a cell holds, no spreadsheet runs it, and the corrected report can be uploaded again as it is (R27).
"""

from __future__ import annotations

import csv
import io
import tempfile
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO, Any, Literal, NamedTuple

import sqlalchemy as sa
import xlsxwriter
from sqlmodel import col, select

from registry.context import Context
from registry.institutions.tables import Institution
from registry.language import Language
from registry.log.events import record
from registry.rosters import headings as h
from registry.rosters.cells import opened_cells
from registry.rosters.tables import Roster, RosterRow, RosterVerdict
from registry.sealed import Seal
from registry.tabular import plain_cell, safe_cell
from registry.tabular.sandbox import ROUNDED
from registry.transaction import Database, transaction
from workflows.rules.rule import Outcome
from workflows.text import Text

ADDED = ("结论 outcome", "规则 rules", "说明 explanation")
CHUNK = 2_000
_BLOCK = 1 << 16
_COMMENTED = 5_000  # cells: comments are kept in memory, and a sheet with more opens slowly; colour has no limit
_MOST_LETTERS = 32_767  # of a cell of a sheet
_CELLS_WIDTH, _WORDS_WIDTH = 16, 60

_SAID = {
    Outcome.OK: Text("可以申报。", "Can be filed."),
    Outcome.WARN: Text("可以申报，请注意：", "Can be filed; note: "),
    Outcome.SENIOR: Text("可以申报，将由人工复核：", "Can be filed; a senior officer will look at it: "),
    Outcome.RETURN: Text("请更正后重新上传：", "Correct it and upload it again: "),
    Outcome.REJECT: Text("不能申报：", "Cannot be filed: "),
    Outcome.UNCHANGED: Text("与已有的备案或申报相同，无需再报。", "Equals what stands already; nothing to file."),
}
_NOT_JUDGED = Text("尚未核验。", "Not judged yet.")

# The cells a rule speaks of, where it is not the practising code by which the person was found.
_SPEAKS_OF = {
    **dict.fromkeys(("R001", "R002", "R003", "R004", "R005", "R006", "R007"), (h.ID_NUMBER,)),
    **dict.fromkeys(("R009", "R010", "R011", "R013"), (h.QUALIFICATION,)),
    "R022": (h.NAME, h.PRACTISING),
    **dict.fromkeys(("R070", "R072", "R073", "R074"), (h.SCOPES,)),
    "R071": (h.CATEGORY,),
    "R100": (h.VALID_FROM, h.VALID_TO),
    "R101": (h.VALID_FROM,),
    **dict.fromkeys(("R103", "R104"), (h.VALID_TO,)),
}
_FILL = {
    Outcome.REJECT: "#F8CBAD",
    Outcome.RETURN: "#FFE699",
    Outcome.SENIOR: "#DDEBF7",
    Outcome.WARN: "#EDEDED",
}


class Line(NamedTuple):
    """One row of a report; `outcome` None while it is not judged. Findings as they are kept."""

    cells: Sequence[str]
    outcome: str | None
    findings: Sequence[Mapping[str, Any]]


def lines(database: Database, seal: Seal, roster: uuid.UUID) -> Iterator[Line]:
    """All rows of a roster in file order, a chunk in memory at a time, each read in a transaction of its own."""
    judged = sa.and_(
        col(RosterVerdict.roster_id) == col(RosterRow.roster_id), col(RosterVerdict.row) == col(RosterRow.row)
    )
    query = (
        select(RosterRow.row, RosterRow.cells_sealed, col(RosterVerdict.outcome), col(RosterVerdict.findings))
        .join(RosterVerdict, judged, isouter=True)
        .where(col(RosterRow.roster_id) == roster)
        .order_by(col(RosterRow.row))
        .limit(CHUNK)
    )
    after = 0
    while True:
        with transaction(database) as session:
            rows = session.exec(query.where(col(RosterRow.row) > after)).all()
        for row, sealed, outcome, findings in rows:
            yield Line(opened_cells(seal, roster, row, sealed).cells, outcome, findings or ())
            after = row
        if len(rows) < CHUNK:
            return


def csv_report(columns: Sequence[str], rows: Iterable[Line], speak: Language) -> Iterator[bytes]:
    """The report as CSV (RFC 4180, UTF-8 with the mark by which spreadsheets know it), block by block."""
    held = io.StringIO(newline="")
    writer = csv.writer(held)
    held.write("\ufeff")
    writer.writerow(map(_safe, (*columns, *ADDED)))
    for row in rows:
        writer.writerow(map(_safe, (*_fitted(row.cells, columns), *_added(row, speak))))
        if held.tell() > _BLOCK:
            yield held.getvalue().encode()
            held.seek(0)
            held.truncate()
    yield held.getvalue().encode()


def xlsx_report(columns: Sequence[str], places: Mapping[str, int], rows: Iterable[Line], speak: Language) -> IO[bytes]:
    """The report as a workbook in a file without a name, to be read from its start and closed by the caller.

    `places` are the columns of our headings: cells that a finding speaks of are coloured and carry its words. Parts
    wait in a folder that only this account can open, until the workbook is whole.
    """
    found = tempfile.TemporaryFile(prefix="roster-report-")  # noqa: SIM115  handed over open
    try:
        with tempfile.TemporaryDirectory(prefix="roster-report-") as folder:
            options = {"constant_memory": True, "tmpdir": folder, **dict.fromkeys(_NEVER, False)}
            with xlsxwriter.Workbook(found, options) as book:
                _write_sheet(book, columns, places, rows, speak)
    except BaseException:
        found.close()
        raise
    found.seek(0)
    return found


# Text is text, whatever it looks like.
_NEVER = ("strings_to_formulas", "strings_to_numbers", "strings_to_urls")


def _write_sheet(
    book: Any, columns: Sequence[str], places: Mapping[str, int], rows: Iterable[Line], speak: Language
) -> None:
    sheet = book.add_worksheet("核验结果")
    bold, wrapped = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "valign": "top"})
    fills = {str(outcome): book.add_format({"bg_color": colour}) for outcome, colour in _FILL.items()}
    width, commented = len(columns), 0
    sheet.set_column(0, width, _CELLS_WIDTH)
    sheet.set_column(width + 2, width + 2, _WORDS_WIDTH)
    sheet.freeze_panes(1, 0)
    for place, heading in enumerate((*columns, *ADDED)):
        sheet.write_string(0, place, _shown(heading), bold)
    for line, row in enumerate(rows, 1):
        marked = _marked(row, places, speak)
        for place, cell in enumerate(_fitted(row.cells, columns)):
            outcome, words = marked.get(place, ("", ""))
            if cell or outcome:
                sheet.write_string(line, place, _shown(cell), fills.get(outcome))
            if words and commented < _COMMENTED:
                sheet.write_comment(line, place, words[:_MOST_LETTERS], {"author": ""})
                commented += 1
        outcome, rules, words = _added(row, speak)
        sheet.write_string(line, width, outcome, fills.get(outcome))
        sheet.write_string(line, width + 1, rules)
        sheet.write_string(line, width + 2, _shown(words), wrapped)


def _safe(cell: str) -> str:
    """A cell that no spreadsheet runs and that reads as it did; one that came quoted already is not quoted again.

    A number whose digits were lost stays empty: what it was is not known.
    """
    return safe_cell(plain_cell(cell)) if cell != ROUNDED else ""


def _shown(cell: str) -> str:
    """The same in a sheet, whose XML knows one line break and forgets blanks around a text."""
    return _safe(cell.strip().replace("\r\n", "\n").replace("\r", "\n"))[:_MOST_LETTERS]


def _fitted(cells: Sequence[str], columns: Sequence[str]) -> Sequence[str]:
    """Rows may be shorter or longer than their headings; a report is square."""
    return (*cells, *[""] * (len(columns) - len(cells)))[: len(columns)]


def _added(row: Line, speak: Language) -> tuple[str, str, str]:
    if row.outcome is None:
        return "", "", speak(_NOT_JUDGED)
    words = (" " if speak.tag == "en" else "").join(speak(Text(**finding["message"])) for finding in row.findings)
    rules = " ".join(finding["rule"] for finding in row.findings)
    return row.outcome, rules, speak(_SAID[Outcome(row.outcome)]) + words


def _marked(row: Line, places: Mapping[str, int], speak: Language) -> dict[int, tuple[str, str]]:
    """Place of a cell → the worst outcome that speaks of it, and what is said."""
    marked: dict[int, tuple[str, str]] = {}
    for finding in row.findings:
        field = finding["evidence"].get("field")
        for name in (field,) if field else _SPEAKS_OF.get(finding["rule"], (h.PRACTISING,)):
            if (place := places.get(name)) is not None:
                outcome, words = marked.get(place, (finding["outcome"], ""))
                said = f"{finding['rule']} {speak(Text(**finding['message']))}"
                marked[place] = (outcome, f"{words}\n{said}" if words else said)
    return marked


def record_download(context: Context, roster: Roster, kind: Literal["csv", "xlsx"]) -> None:
    """Who took the whole roster with its outcomes, and in which form."""
    institution = context.session.get_one(Institution, roster.institution_id)
    record(
        context.session,
        context.actor,
        "roster.report",
        ("roster", roster.id),
        roster.version,
        {"kind": kind, "state": roster.state},
        now=context.now,
        organisation=institution.registration_no,
    )

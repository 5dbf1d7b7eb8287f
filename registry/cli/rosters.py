"""roster check: what an upload would come to, before anything is uploaded."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import sqlalchemy as sa

from auth.actor import OPERATOR
from registry.cli.failures import USAGE, Failure, words
from registry.cli.imports import Bar
from registry.cli.operation import Commands
from registry.context import Context
from registry.institutions.queries import find
from registry.keys import open_keys
from registry.language import EN, ZH, Language
from registry.node import Node, open_node
from registry.rosters.checking import Tally, check
from registry.rosters.headings import HEADINGS
from registry.rosters.report import Line, csv_report, xlsx_report
from registry.sealed import Seal
from registry.tabular import Table, open_table
from registry.transaction import transaction
from workflows.numbers import registration_number
from workflows.text import Text

_READ_ONLY = "set transaction isolation level repeatable read, read only"
_UNHURRIED = "set local statement_timeout = '120s'; set local idle_in_transaction_session_timeout = 0"
_EVERY = 1_000  # rows between two strokes of the progress bar
_BLOCK = 1 << 20


def add(commands: Commands) -> None:
    nouns = commands.add_parser("roster", help="rosters of hospitals").add_subparsers(required=True, metavar="COMMAND")
    checking = nouns.add_parser("check", help="judge a roster without filing it")
    checking.add_argument("file", type=Path, metavar="FILE", help="CSV, TSV or XLSX")
    checking.add_argument(
        "--institution", required=True, metavar="NO", help="registration number it would be filed for"
    )
    checking.add_argument("--on", type=date.fromisoformat, metavar="DATE", help="judge as of this day (today)")
    checking.add_argument("--out", type=Path, metavar="REPORT", help="write the report here, .xlsx or .csv")
    checking.add_argument("--json", action="store_true", help="print one object, nothing else")
    checking.set_defaults(run=run_check)


def run_check(arguments: argparse.Namespace) -> int:
    """0 when nothing is returned or rejected, 1 otherwise."""
    out: Path | None = arguments.out
    if out and out.suffix.lower() not in (".xlsx", ".csv"):
        return Failure("--out: a name that ends in .xlsx or .csv", USAGE).print()
    bar, tally = sys.stderr.isatty(), Tally()
    with open_node() as node, open_table(arguments.file, HEADINGS) as table, transaction(node.database) as session:
        session.execute(sa.text(_READ_ONLY))
        session.execute(sa.text(_UNHURRIED))
        institution = find(session, registration_number(arguments.institution))
        if institution is None:
            return Failure(f"--institution: {arguments.institution} is not known here").print()
        context = replace(Context.of(session, OPERATOR, node.clock(), _seal(node), node.settings), on=arguments.on)
        judged = check(context, institution, table, tally)
        _write(out, table, _drawn(judged, table, Bar()) if bar else judged)
    if bar:
        print(file=sys.stderr)
    print(json.dumps(_object(tally), ensure_ascii=False)) if arguments.json else _tell(tally)
    return 0 if tally.clean else 1


def _seal(node: Node) -> Seal:
    return Seal(open_keys(node.settings, node.clock()).masters())


def _drawn(judged: Iterable[Line], table: Table, draw: Bar) -> Iterator[Line]:
    for number, line in enumerate(judged, 1):
        if number % _EVERY == 0:
            draw(number, table.share())
        yield line


def _write(out: Path | None, table: Table, judged: Iterable[Line]) -> None:
    """The report, complete or not at all."""
    if out is None:
        for _ in judged:
            pass
        return
    unfinished = out.with_name(f".{out.name}.unfinished")
    try:
        with unfinished.open("wb") as file:
            if out.suffix.lower() == ".csv":
                file.writelines(csv_report(table.columns, judged, _language()))
            else:
                with xlsx_report(table.columns, table.places, judged, _language()) as report:
                    while block := report.read(_BLOCK):
                        file.write(block)
        unfinished.replace(out)
    finally:
        unfinished.unlink(missing_ok=True)


def _language() -> Language:
    """The terminal's, as failures are said."""
    return ZH if words(Text("zh", "en")) == "zh" else EN


def _object(tally: Tally) -> dict[str, object]:
    rules = {
        rule: {"rows": e.rows, "outcome": e.outcome, "example": {"row": e.row, "message": e.message.both()}}
        for rule, e in sorted(tally.rules.items())
    }
    return {"rows": tally.rows, "counts": dict(tally.outcomes), "rules": rules}


def _tell(tally: Tally) -> None:
    counts = ", ".join(f"{name} {count:,}" for name, count in tally.outcomes.items())
    print(f"rows {tally.rows:,}: {counts}")
    for rule, e in sorted(tally.rules.items(), key=lambda found: -found[1].rows):
        print(f"{rule} {e.outcome} {e.rows:,}; row {e.row}: {words(e.message)}")

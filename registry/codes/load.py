"""Reading code tables: the packaged rows, and those the database holds for the rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import yaml

from registry.codes.tables import CodeRow
from workflows.codes import Code, CodeTables

FOLDER = Path(__file__).resolve().parent
CALENDAR = FOLDER / "calendar.yaml"

# Which transactions wrote the rows: the sum changes with any row, and costs one small scan.
_VERSION = sa.text("select current_database(), count(*), sum(xmin::text::bigint) from code")
_kept: dict[tuple[str, int, int], CodeTables] = {}  # the newest version only, for each database


def read_packaged() -> list[CodeRow]:
    """Every row this release ships, as the database keeps it."""
    return [
        CodeRow(
            table=document["table"],
            code=row["code"],
            key=row.get("key"),
            zh=row["zh"],
            en=row["en"],
            attributes=row.get("attributes", {}),
            confidence=row.get("confidence", document["confidence"]),
        )
        for path in sorted(FOLDER.glob("*.yaml"))
        if path != CALENDAR
        for document in [yaml.safe_load(path.read_text("utf-8"))]
        for row in document["rows"]
    ]


def read_calendar() -> dict[int, dict[str, Any]]:
    """Years of the State Council's notices: `basis`, and the `holidays` and `make_up_days` that differ from the week."""
    years: dict[int, dict[str, Any]] = yaml.safe_load(CALENDAR.read_text("utf-8"))["years"]
    return years


def calendar_days() -> list[tuple[date, bool, str]]:
    """The same days as rows: day, whether it is worked, basis."""
    return [
        (day, working, year["basis"])
        for year in read_calendar().values()
        for working, days in ((False, year["holidays"]), (True, year["make_up_days"]))
        for day in days
    ]


def packaged_tables() -> CodeTables:
    """The shipped rows as the rules read them, without a database."""
    return _as_tables(read_packaged())


def code_tables(connection: sa.Connection) -> CodeTables:
    """The tables as the database holds them; read again only when a row has changed."""
    version = tuple(connection.execute(_VERSION).one())
    if version not in _kept:
        for old in [key for key in _kept if key[0] == version[0]]:
            _kept.pop(old, None)
        rows = connection.execute(sa.select(CodeRow.__table__)).mappings()  # type: ignore[attr-defined]
        _kept[version] = _as_tables(CodeRow(**row) for row in rows)
    return _kept[version]


def _as_tables(rows: Iterable[CodeRow]) -> CodeTables:
    tables: dict[str, dict[str, Code]] = defaultdict(dict)
    for row in rows:
        tables[row.table][row.code] = Code(row.code, row.zh, row.en, row.key, row.attributes)
    return CodeTables({name: dict(sorted(codes.items())) for name, codes in tables.items()})

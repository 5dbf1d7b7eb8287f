"""Reading a roster's file: kept open from chunk to chunk, its rows stored as they come, sealed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import islice

from sqlmodel import Session

from registry.bulk import copy_rows, cursor_of
from registry.context import Context
from registry.rosters import spool
from registry.rosters.cells import sealed_cells
from registry.rosters.headings import PRACTISING, VALID_FROM, VALID_TO, headings_with
from registry.rosters.rows import day_or_none
from registry.rosters.tables import Roster
from registry.sealed import Seal
from registry.tabular import Row, Table, open_table
from workflows.numbers import normalised

MOST_ROWS_TEXT, MOST_ROWS_SHEET = 1_000_000, 400_000


class OpenFile:
    """A roster's file being read, kept open from chunk to chunk."""

    def __init__(self, session: Session, seal: Seal, roster: Roster) -> None:
        """Raises `Unreadable`."""
        self._open = ExitStack()
        try:
            path = self._open.enter_context(spool.opened(session, seal, roster.upload_id))
            with path.open("rb") as file:
                sheet = file.read(2) == b"PK"
            self.most = MOST_ROWS_SHEET if sheet else MOST_ROWS_TEXT
            self.table: Table = self._open.enter_context(open_table(path, headings_with(roster.mapping)))
        except BaseException:
            self._open.close()
            raise
        self._rows: Iterator[Row] = iter(self.table)
        self.taken = 0

    def take(self, count: int, already: int) -> list[Row]:
        """The next rows after the first `already`, which were stored before. Raises `Unreadable`."""
        for _ in islice(self._rows, already - self.taken):
            self.taken += 1
        rows = list(islice(self._rows, count))
        self.taken += len(rows)
        return rows

    def close(self) -> None:
        self._open.close()


def keep_rows(context: Context, roster: Roster, rows: Sequence[Row]) -> None:
    """Store the next rows of the file."""
    seal, first = context.seal, roster.rows + 1

    def stored(number: int, row: Row) -> tuple[object, ...]:
        code = normalised(row.values[PRACTISING])
        return (
            roster.id,
            number,
            row.line,
            sealed_cells(seal, roster.id, number, row.cells, row.rounded),
            seal.index("practising_code", code) if code else None,
            day_or_none(row.values[VALID_FROM]),
            day_or_none(row.values[VALID_TO]),
        )

    columns = ("roster_id", "row", "line", "cells_sealed", "person_index", "valid_from", "valid_to")
    kept = (stored(number, row) for number, row in enumerate(rows, first))
    copy_rows(cursor_of(context.session), "roster_row", columns, kept)
    roster.rows += len(rows)

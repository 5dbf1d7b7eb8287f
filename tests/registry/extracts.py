"""Extracts as an operator receives them, and what an import leaves in the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import xlsxwriter

from registry.codes.load import packaged_tables
from registry.demo import generate
from registry.demo.generate import Record
from registry.imports import Report
from registry.physicians import imports as register
from registry.sealed import Seal
from registry.transaction import Database

HOSPITALS = generate.institutions(packaged_tables())
TODAY = date(2026, 11, 21)


def people(count: int, *, seed: int = 1, assistants: float = 0) -> list[Record]:
    """Register rows of physicians who work in Hainan's hospitals."""
    near = [hospital for hospital in HOSPITALS[:-2] if hospital["省份"] == "海南省"]
    return list(generate.register(near, count, TODAY, seed=seed, assistants=assistants))


def write_xlsx(path: Path, rows: Sequence[Sequence[str | float]]) -> Path:
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        for line, row in enumerate(rows):
            for column, cell in enumerate(row):
                if isinstance(cell, str):
                    sheet.write_string(line, column, cell)
                else:
                    sheet.write_number(line, column, cell)
    return path


@dataclass
class Extracts:
    database: Database
    seal: Seal
    now: datetime
    folder: Path

    def institutions(self) -> Path:
        return generate.write_csv(self.folder / "institutions.csv", generate.INSTITUTION, HOSPITALS)

    def register(self, rows: Sequence[Record], *, name: str = "register.csv") -> Path:
        return generate.write_csv(self.folder / name, list(rows[0]), rows)

    def load(
        self, rows: Sequence[Record] | Path, *, source_at: datetime | None = None, now: datetime | None = None
    ) -> Report:
        """Import register rows as the source said them; when not given, at `now`."""
        path = rows if isinstance(rows, Path) else self.register(rows)
        at = now or self.now
        return register.run(self.database, path, self.seal, source_at=source_at or at, now=at)

    def read(self, query: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """What the database holds, as the application's role sees it."""
        with self.database.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(query), parameters)]

    def one(self, query: str, **parameters: Any) -> Any:
        """The only value of the only row."""
        [(value,)] = self.read(query, **parameters)
        return value

"""`registry import register`: the national register's extract into physicians, registrations and what hangs on them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from registry.codes.load import code_tables
from registry.imports import Progress, Report, import_file
from registry.physicians.merge import Merge
from registry.physicians.rows import HEADINGS, Reader
from registry.sealed import Seal
from registry.tabular import open_table
from registry.time import day_in_china
from registry.transaction import Database


def run(
    database: Database, path: Path, seal: Seal, *, source_at: datetime, now: datetime, progress: Progress | None = None
) -> Report:
    """Import the register extract in `path`, as the source said it at `source_at`; `now` is when we read it.

    Idempotent: the same rows again change nothing but the time of the source's last word. A changed status reaches the
    sites of the physician in the same transaction. Refused rows lie beside the file with their reasons. Raises
    `registry.tabular.Unreadable`.
    """
    with open_table(path, HEADINGS) as table:
        with database.engine.connect() as connection:
            codes = code_tables(connection)
        reader = Reader(codes, day_in_china(now))
        return import_file(
            database,
            path,
            "register",
            table,
            reader.read,
            Merge(seal),
            source_at=source_at,
            now=now,
            progress=progress,
        )

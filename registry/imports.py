"""What every import of a file shares: its report, the file of refused rows, chunks read ahead, and the record of the extract."""

from __future__ import annotations

import csv
import hashlib
import os
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Generic, NamedTuple, Self, TextIO, TypeVar

import sqlalchemy as sa
from sqlmodel import Session, col

from registry.physicians.tables import Extract
from registry.tabular import Row, Table, safe_cell
from registry.tabular.errors import unreadable
from registry.transaction import Database, transaction
from workflows.text import Text

CHUNK = 10_000  # rows per transaction: a killed import loses at most these, and is simply run again

# An import is known to be slow; everything else keeps the limits of the application's role.
_LIMITS = "set local statement_timeout = '10min'; set local lock_timeout = '30s'"
# One import at a time: the next one waits for the chunk of the other and then reads what it wrote.
_LOCK = sa.text("select pg_advisory_xact_lock(hashtext('registry import'))")

Progress = Callable[[int, float], None]
"""Called with the rows done and the share of the file read, from 0 to 1."""

T = TypeVar("T")


class Fault(NamedTuple):
    """Why a row is refused: the heading it concerns and what to do."""

    field: str
    text: Text


@dataclass
class Report:
    """What came of an import. Every row read is added, changed, unchanged or refused."""

    read: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    refused_file: Path | None = field(default=None, compare=False)
    ignored: tuple[str, ...] = field(default=(), compare=False)  # headings that are not known

    def counts(self) -> dict[str, int]:
        """The five numbers that the command prints."""
        return {name: getattr(self, name) for name in ("read", "added", "changed", "unchanged", "refused")}

    def add(self, other: Report) -> None:
        for name, number in other.counts().items():
            setattr(self, name, getattr(self, name) + number)


class RefusedRows:
    """Refused rows beside the imported file, `<name>.refused.csv`, readable by its owner only.

    The columns are the file's own, behind line, heading and reason in both languages, so that it can be corrected and
    imported as it is. It speaks of the last import: one without refusals leaves none.
    """

    def __init__(self, source: Path, columns: tuple[str, ...]) -> None:
        self.path = source.with_name(f"{source.stem}.refused.csv")
        self._columns = columns
        self._file: TextIO | None = None

    def __enter__(self) -> Self:
        self.path.unlink(missing_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        if self._file:
            self._file.close()

    def write(self, row: Row, faults: Iterable[Fault]) -> None:
        found = list(faults)
        if self._file is None:
            self._file = self._open()
        reasons = (f"{fault.text.zh} / {fault.text.en}" for fault in found)
        told = (str(row.line), "、".join(dict.fromkeys(fault.field for fault in found)), " | ".join(reasons))
        csv.writer(self._file).writerow([safe_cell(cell) for cell in (*told, *row.cells)])

    def _open(self) -> TextIO:
        try:
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise unreadable(
                "refused_file",
                "有行被退回，但无法写入 {name}：{why}。",
                "Rows were refused, but {name} cannot be written: {why}.",
                name=self.path.name,
                why=error.strerror or type(error).__name__,
            ) from None
        # The mark lets spreadsheets read it as UTF-8.
        file = os.fdopen(descriptor, "w", encoding="utf-8-sig", newline="")
        csv.writer(file).writerow(
            [safe_cell(cell) for cell in ("行 line", "字段 field", "原因 reason", *self._columns)]
        )
        return file


@dataclass(frozen=True)
class Run:
    """One import: the record it keeps, when the source spoke and when we read it."""

    extract_id: uuid.UUID
    source_at: datetime
    now: datetime


R = TypeVar("R")
Refusals = list[tuple[Row, list[Fault]]]


def import_file(
    database: Database,
    path: Path,
    kind: str,
    table: Table,
    read: Callable[[Row], R | list[Fault]],
    write: Callable[[Session, Run, list[R]], tuple[Report, Refusals]],
    *,
    source_at: datetime,
    now: datetime,
    progress: Progress | None = None,
) -> Report:
    """Check each row of `table` by `read` and give the good ones to `write` in chunks, one transaction each.

    `write` answers with added, changed and unchanged, and with the rows it refuses. Whatever stops an import, the
    chunks before are kept and a second run goes on from there. Raises `registry.tabular.Unreadable` when the file
    breaks off.
    """
    run = Run(_begin(database, path, kind, source_at, now), source_at, now)
    report = Report(ignored=table.ignored)
    with RefusedRows(path, table.columns) as refused:
        for chunk in _ahead(_chunks(table, read)):
            with transaction(database) as session:
                session.execute(sa.text(_LIMITS))
                session.execute(_LOCK)
                done, faults = write(session, run, chunk.rows) if chunk.rows else (Report(), [])
                faults += chunk.refusals
                done.read, done.refused = chunk.read, len(faults)
                report.add(done)
                _count(session, run, report, last=chunk.read == 0)
            for row, why in sorted(faults, key=lambda fault: fault[0].line):
                refused.write(row, why)
            if progress:
                progress(report.read, chunk.share)
        report.refused_file = refused.path if report.refused else None
    return report


@dataclass(frozen=True)
class _Chunk(Generic[R]):
    read: int
    rows: list[R]
    refusals: Refusals
    share: float  # of the file


def _chunks(table: Table, read: Callable[[Row], R | list[Fault]]) -> Iterator[_Chunk[R]]:
    """The rows, checked; an empty chunk at the end, so that every run is finished, also of a file without rows."""
    rows = iter(table)
    while given := list(islice(rows, CHUNK)):
        good: list[R] = []
        refusals: Refusals = []
        for row in given:
            checked = read(row)
            if isinstance(checked, list):
                refusals.append((row, checked))
            else:
                good.append(checked)
        yield _Chunk(len(given), good, refusals, table.share())
    yield _Chunk(0, [], [], 1.0)


def _ahead(items: Iterator[T]) -> Iterator[T]:
    """The same items, the next one being read while the present one is worked on."""
    with ThreadPoolExecutor(1, "import") as reader:
        waiting = reader.submit(next, items, None)
        while (item := waiting.result()) is not None:
            waiting = reader.submit(next, items, None)
            yield item


def _begin(database: Database, path: Path, kind: str, source_at: datetime, now: datetime) -> uuid.UUID:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
    with transaction(database) as session:
        extract = Extract(kind=kind, file_name=path.name, file_sha256=digest, source_at=source_at, imported_at=now)
        session.add(extract)
        session.flush()
        return extract.id


def _count(session: Session, run: Run, report: Report, *, last: bool) -> None:
    values = report.counts() | ({"finished_at": run.now} if last else {})
    session.execute(sa.update(Extract).where(col(Extract.id) == run.extract_id).values(**values))

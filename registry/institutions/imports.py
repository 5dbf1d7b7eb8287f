"""`registry import institutions`: licences of medical institutions, as their authorities publish them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from sqlmodel import Session

from auth.actor import OPERATOR
from registry.bulk import Cursor, array, copy_rows, cursor_of
from registry.codes.load import code_tables
from registry.database import new_id
from registry.imports import Fault, Progress, Refusals, Report, Run, import_file
from registry.institutions.rows import HEADINGS, InstitutionRow, Reader
from registry.log.bulk import Event, record_all
from registry.sealed import Seal
from registry.tabular import open_table
from registry.time import day_in_china
from registry.transaction import Database
from workflows.names import parts
from workflows.text import Text

SOURCE = "institution_register"

_TWICE = Text(
    "登记号在文件中已出现过，请只保留一行。", "This registration number came earlier in the file; keep one row."
)
_OLDER = Text(
    "登记库中已有更新的信息（{at}），未以较旧信息覆盖。请导入更新的数据。",
    "The registry holds newer information, of {at}, and was not overwritten; import a newer extract.",
)

_KNOWN = """
select registration_no, id, version, digest, source_at
from institution where registration_no = any(%s) order by id for update
"""
_CONFIRM = """
update institution known set source_at = greatest(known.source_at, %s) where id = any(%s)
"""
_COLUMNS = (
    "id", "registration_no", "name", "name_key", "name_parts", "uscc", "division", "province", "category", "management",
    "internet", "subjects", "licence_until", "status", "authority", "authority_name", "source", "source_at", "digest",
    "version",
)  # fmt: skip
_STAGE = """
create temporary table if not exists institution_stage (like institution) on commit delete rows;
delete from institution_stage
"""
_MERGE = f"""
insert into institution ({", ".join(_COLUMNS)}) select {", ".join(_COLUMNS)} from institution_stage
on conflict (registration_no) do update
set ({", ".join(_COLUMNS[2:])}) = ({", ".join(f"excluded.{name}" for name in _COLUMNS[2:])})
"""  # noqa: S608  (constants)


def run(
    database: Database, path: Path, seal: Seal, *, source_at: datetime, now: datetime, progress: Progress | None = None
) -> Report:
    """Import the institutions in `path`, as the source said it at `source_at`; `now` is when we read it.

    Idempotent: the same rows again change nothing but the time of the source's last word. The issuing authority is
    matched by its name; one that is not known is kept as text. Refused rows lie beside the file with their reasons.
    Raises `registry.tabular.Unreadable`.
    """
    with open_table(path, HEADINGS) as table:
        with database.engine.connect() as connection:
            codes = code_tables(connection)
        return import_file(
            database,
            path,
            "institutions",
            table,
            Reader(codes).read,
            Merge(seal),
            source_at=source_at,
            now=now,
            progress=progress,
        )


class _Known(NamedTuple):
    """An institution as stored, or to be made (version 0)."""

    id: uuid.UUID
    version: int
    digest: bytes
    source_at: datetime


class _Told(NamedTuple):
    """A row that says something new, and the version it makes of the institution."""

    row: InstitutionRow
    id: uuid.UUID
    version: int
    digest: bytes


@dataclass
class Merge:
    """Writes chunks of one import: what is new or changed, set-based, each with its audit event."""

    seal: Seal
    seen: set[str] = field(default_factory=set)  # registration numbers of this file

    def __call__(self, session: Session, run: Run, rows: list[InstitutionRow]) -> tuple[Report, Refusals]:
        cursor: Cursor = cursor_of(session)
        numbers = [row.registration_no for row in rows]
        known = {number: _Known(*found) for number, *found in cursor.execute(_KNOWN, [numbers])}
        report, told, confirmed = Report(), list[_Told](), list[uuid.UUID]()
        refusals: Refusals = []
        for row in rows:
            found = known.get(row.registration_no) or _Known(new_id(), 0, b"", run.source_at)
            if row.registration_no in self.seen:
                refusals.append((row.row, [Fault("登记号", _TWICE)]))
            elif found.version and self.seal.matches("institution row", row.said(), found.digest):
                report.unchanged += 1
                confirmed.append(found.id)
            elif found.source_at > run.source_at:
                at = day_in_china(found.source_at)
                refusals.append((row.row, [Fault("登记号", _OLDER.filled({"at": at}))]))
            else:
                report.added, report.changed = report.added + (not found.version), report.changed + bool(found.version)
                digest = self.seal.index("institution row", row.said())
                told.append(_Told(row, found.id, found.version + 1, digest))
            self.seen.add(row.registration_no)
        if confirmed:
            cursor.execute(_CONFIRM, [run.source_at, confirmed])
        if told:
            _write(cursor, run, told)
        return report, refusals


def _write(cursor: Cursor, run: Run, told: list[_Told]) -> None:
    names = [item.row.authority_name for item in told]
    authorities: dict[str, str] = dict(cursor.execute("select name, code from authority where name = any(%s)", [names]))
    cursor.execute(_STAGE)
    copy_rows(
        cursor,
        "institution_stage",
        _COLUMNS,
        (
            (
                item.id,
                row.registration_no,
                row.name,
                row.name_key,
                array(parts(row.name_key)),
                row.uscc,
                row.division,
                row.province,
                row.category,
                row.management,
                row.internet,
                array(row.subjects),
                row.licence_until,
                row.status,
                authorities.get(row.authority_name),
                row.authority_name,
                SOURCE,
                run.source_at,
                item.digest,
                item.version,
            )
            for item in told
            for row in [item.row]
        ),
    )
    cursor.execute(_MERGE)
    record_all(cursor, OPERATOR, (_event(run, item) for item in told), now=run.now)


def _event(run: Run, item: _Told) -> Event:
    # JCS text: keys in order, values that need no escaping.
    payload = f'{{"digest":"{item.digest.hex()}","extract":"{run.extract_id}","status":"{item.row.status}"}}'
    return Event("institution.import", "institution", item.id, item.version, payload)

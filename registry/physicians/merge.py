"""What a chunk of checked register rows changes: told from what is stored by a keyed digest, then written set-based."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlmodel import Session

from registry.bulk import Cursor, cursor_of
from registry.database import new_id
from registry.imports import Fault, Refusals, Report, Run
from registry.physicians import statements
from registry.physicians.rows import RegisterRow
from registry.physicians.writing import Known, Told, write
from registry.sealed import Seal
from registry.time import day_in_china
from workflows.text import Text

_TWICE = Text(
    "同一执业证书编码和执业地点在文件中已出现过，请只保留一行。",
    "This practising code and practice place came earlier in the file; keep one row.",
)
_OLDER = Text(
    "登记库中已有更新的信息（{at}），未以较旧信息覆盖。请导入更新的数据。",
    "The registry holds newer information, of {at}, and was not overwritten; import a newer extract.",
)


@dataclass(frozen=True)
class Merge:
    """Writes chunks of one import. `seal` makes the sealed columns, the blind indexes and the digests."""

    seal: Seal

    def __call__(self, session: Session, run: Run, rows: list[RegisterRow]) -> tuple[Report, Refusals]:
        cursor = cursor_of(session)
        report, refusals, told, confirmed = self._sort(cursor, run, rows)
        if confirmed:
            ids, places = zip(*confirmed, strict=True)
            cursor.execute(statements.CONFIRM, [str(run.extract_id), run.source_at, list(ids), list(places)])
        if told:
            write(cursor, run, self.seal, told)
        return report, refusals

    def _sort(
        self, cursor: Cursor, run: Run, rows: list[RegisterRow]
    ) -> tuple[Report, Refusals, list[Told], list[tuple[uuid.UUID, str]]]:
        """What each row is: new or changed, refused, or the same as before (physician and place to confirm)."""
        report, told, confirmed = Report(), list[Told](), list[tuple[uuid.UUID, str]]()
        refusals: Refusals = []
        known, extract = _known(cursor, rows), str(run.extract_id)
        for row, place in zip(rows, _places(cursor, rows), strict=True):
            if (physician := known.get(row.practising_code)) is None:
                physician = known[row.practising_code] = Known(row.practising_code, new_id())
            said = f"{row.practising_code}\x1f{place}\x1f{row.said()}"
            digest, said_by, said_at = physician.confirmed.get(place, (b"", "", run.source_at))
            if said_by == extract:
                refusals.append((row.row, [Fault("执业证书编码", _TWICE)]))
                continue
            if digest and self.seal.matches("register row", said, digest):
                report.unchanged += 1
                confirmed.append((physician.id, place))
            elif said_at > run.source_at:
                at = day_in_china(said_at)
                refusals.append((row.row, [Fault("执业证书编码", _OLDER.filled({"at": at}))]))
                continue
            else:
                report.added, report.changed = report.added + (not digest), report.changed + bool(digest)
                told.append(Told(row, place, self.seal.index("register row", said), physician, new=not digest))
            physician.confirmed[place] = digest, extract, run.source_at
        return report, refusals, told, confirmed


def _known(cursor: Cursor, rows: list[RegisterRow]) -> dict[str, Known]:
    """What is stored under the practising codes of the rows, as far as it takes to tell changed from unchanged."""
    known: dict[str, Known] = {}
    codes = [row.practising_code for row in rows]
    for code, id_, version, place, digest, extract, source_at in cursor.execute(statements.KNOWN, [codes]):
        physician = known.setdefault(code, Known(code, id_, version=version))
        if place is not None:
            physician.confirmed[place] = digest, extract, source_at
    return known


def _places(cursor: Cursor, rows: list[RegisterRow]) -> list[str]:
    """The practice place of each row: a province, for an assistant the county of the main institution (Order 13, 7)."""
    numbers = {row.facts.main_registration_no for row in rows if row.place is None} - {None}
    counties: dict[str | None, str] = dict(cursor.execute(statements.DIVISIONS, [list(numbers)])) if numbers else {}
    return [row.place or counties.get(row.facts.main_registration_no) or row.county() or row.province for row in rows]

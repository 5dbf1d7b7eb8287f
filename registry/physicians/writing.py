"""Writing what register rows tell: physicians, registrations and grounds, with the audit event of each row.

Everything new goes by COPY as it is made, so that the server inserts while the next rows are sealed.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from auth.actor import OPERATOR
from registry.bulk import Cursor, array, copy_rows
from registry.database import new_id
from registry.imports import Run
from registry.log.bulk import Event, record_all
from registry.physicians import statements
from registry.physicians.rows import Person, RegisterRow
from registry.physicians.timeline import PlaceFacts, Standing, Stretch, difference, opened, retold
from registry.sealed import Seal
from registry.sites.following import follow_registrations
from registry.time import day_in_china
from workflows.names import parts
from workflows.rules.facts import RegistrationStatus as Status

SOURCE = "national_register"


@dataclass
class Known:
    """A physician as stored, or to be made (version 0), with what is known of their places."""

    practising_code: str
    id: uuid.UUID
    confirmed: dict[str, tuple[bytes, str, datetime]] = field(
        default_factory=dict
    )  # place: digest, extract, source time
    version: int = 0
    stored: Person | None = None
    told: Person | None = None  # as the chunk leaves them
    places: dict[str, list[Stretch]] = field(default_factory=dict)


@dataclass
class Told:
    """A row that says something new; `come` are the stretches it adds to a known place."""

    row: RegisterRow
    place: str
    digest: bytes
    physician: Known
    new: bool  # the place was not known
    come: list[Stretch] = field(default_factory=list)


Origin = tuple[datetime, bytes]
"""When a source said a stored row, and the digest of what it said."""


def write(cursor: Cursor, run: Run, seal: Seal, told: Sequence[Told]) -> None:
    """Write the rows in the transaction of `cursor`; the sites of the physicians follow."""
    known = {item.physician.id: item.physician for item in told}
    stored = [id_ for id_, physician in known.items() if physician.version]
    origins = _read_locked(cursor, seal, known, stored) if stored else {}
    for item in told:
        item.physician.told = item.row.person
    created = [p for p in known.values() if not p.version]
    altered = [p for p in known.values() if p.version and p.told != p.stored]

    copy_rows(cursor, "physician", statements.PHYSICIAN, (_physician(run, seal, p) for p in created))
    if altered:
        cursor.execute(statements.PHYSICIAN_STAGE)
        copy_rows(cursor, "physician_stage", statements.PHYSICIAN, (_physician(run, seal, p) for p in altered))
        cursor.execute(statements.ALTER_PHYSICIANS)
    if closed := _retell(run, told):
        cursor.execute(statements.CLOSE, [run.now, closed])
    copy_rows(cursor, "registration", statements.REGISTRATION, _registrations(run, told, origins))
    _confirm(cursor, run, told)
    _add_grounds(cursor, run, told)
    record_all(cursor, OPERATOR, _events(run, told, altered), now=run.now)
    if stored:
        follow_registrations(cursor, stored, now=run.now)


def _read_locked(
    cursor: Cursor, seal: Seal, known: dict[uuid.UUID, Known], stored: list[uuid.UUID]
) -> dict[uuid.UUID, Origin]:
    """Fill in what is stored of the physicians, locked until the end; the origins of their registration rows."""
    for id_, number, qualification, name, key, id_type, *rest in cursor.execute(statements.LOCK, [stored]):
        opened_number = seal.open("physician.id_number", id_, number) if number else ""
        opened_code = seal.open("physician.qualification", id_, qualification) if qualification else ""
        known[id_].stored = Person(name, key, id_type, opened_number, opened_code, *rest)
    origins: dict[uuid.UUID, Origin] = {}
    for row in cursor.execute(statements.STRETCHES, [stored]):
        id_, physician_id, place, first, end, source_at, digest, *facts = row
        main, main_name, level, category, scopes, registered_on, status, *dates = facts
        said = PlaceFacts(main, main_name, level, category, tuple(scopes), registered_on)
        stretch = Stretch(first, end, said, Standing(Status(status), *dates), id_)
        known[physician_id].places.setdefault(place, []).append(stretch)
        origins[id_] = source_at, digest
    return origins


def _physician(run: Run, seal: Seal, physician: Known) -> tuple[object, ...]:
    """The row of `statements.PHYSICIAN`."""
    person, id_ = physician.told, physician.id
    assert person
    number, qualification = person.id_number, person.qualification
    return (
        id_,
        physician.practising_code,
        person.name,
        person.name_key,
        array(parts(person.name_key)),
        person.id_type,
        seal.seal("physician.id_number", id_, number) if number else None,
        seal.index("id_number", number) if number else None,
        seal.seal("physician.qualification", id_, qualification) if qualification else None,
        person.sex,
        person.birth_date,
        person.level,
        person.title,
        person.first_registered,
        SOURCE,
        run.source_at,
        physician.version + 1,
    )


def _retell(run: Run, told: Sequence[Told]) -> list[uuid.UUID]:
    """Work out what the rows add to known places; the registration rows that are no longer true."""
    closed: list[uuid.UUID] = []
    day = day_in_china(run.source_at)
    for item in told:
        if known := item.physician.places.get(item.place):
            gone, item.come = difference(known, retold(known, item.row.facts, item.row.standing, day))
            closed += gone
    return closed


def _registrations(run: Run, told: Sequence[Told], origins: dict[uuid.UUID, Origin]) -> Iterator[tuple[object, ...]]:
    """The rows of `statements.REGISTRATION`. A part of a row that was cut keeps its origin."""
    day, recorded = day_in_china(run.source_at), f"[{run.now.isoformat()},)"
    for item in told:
        row = item.row
        come = opened(row.facts, row.standing, day, row.person.first_registered) if item.new else item.come
        for stretch in come:
            facts, standing = stretch.facts, stretch.standing
            source_at, digest = origins[stretch.id] if stretch.id else (run.source_at, item.digest)
            yield (
                new_id(),
                item.physician.id,
                item.place,
                item.place[:2],
                facts.main_registration_no,
                facts.main_name,
                facts.level,
                facts.category,
                array(facts.scopes),
                standing.status.value,
                standing.since,
                standing.until,
                standing.cause,
                facts.registered_on,
                f"[{stretch.first},{stretch.end or ''})",
                recorded,
                SOURCE,
                source_at,
                digest,
            )


def _confirm(cursor: Cursor, run: Run, told: Sequence[Told]) -> None:
    extract = str(run.extract_id)

    def rows(*, new: bool) -> Iterator[tuple[object, ...]]:
        return ((i.physician.id, i.place, i.digest, extract, run.source_at) for i in told if i.new is new)

    copy_rows(cursor, "register_confirmation", statements.CONFIRMATION, rows(new=True))
    cursor.execute(statements.CONFIRMATION_STAGE)
    copy_rows(cursor, "confirmation_stage", statements.CONFIRMATION, rows(new=False))
    cursor.execute(statements.CONFIRM_TOLD)


def _add_grounds(cursor: Cursor, run: Run, told: Sequence[Told]) -> None:
    """Assessments and grounds for refusing registration: kept by their day; the newest word on one day holds."""
    assessed = {
        (item.physician.id, seen.on): (seen.result, item.physician.version)
        for item in told
        if (seen := item.row.assessed) is not None
    }
    first = (
        (id_, on, result, SOURCE, run.source_at, run.now)
        for (id_, on), (result, known) in assessed.items()
        if not known
    )
    copy_rows(cursor, "assessment", statements.ASSESSMENT, first)
    again = [(id_, on, result) for (id_, on), (result, known) in assessed.items() if known]
    if again:
        cursor.execute(statements.ASSESS, [SOURCE, run.source_at, run.now, *map(list, zip(*again, strict=True))])
    barred = {(item.physician.id, b.code, b.since): b.until for item in told if (b := item.row.barred) is not None}
    if barred:
        grounds = [(*key, until) for key, until in barred.items()]
        cursor.execute(statements.BAR, [SOURCE, run.source_at, run.now, *map(list, zip(*grounds, strict=True))])


def _events(run: Run, told: Sequence[Told], altered: Sequence[Known]) -> Iterator[Event]:
    """One event for each row, and one for each physician of whom something changed besides.

    JCS text by hand, for a register has millions of rows: keys in order, values that need no escaping.
    """
    extract = f'"extract":"{run.extract_id}"'
    for item in told:
        physician, standing = item.physician, item.row.standing
        kind = "registration" if physician.version or item.row.person is not physician.told else "physician"
        since = f'"{standing.since}"' if standing.since else "null"
        yield Event(
            f"{kind}.import",
            "physician",
            physician.id,
            max(physician.version, 1),
            f'{{"digest":"{item.digest.hex()}",{extract},"place":"{item.place}","since":{since},'
            f'"status":"{standing.status.value}"}}',
        )
    for physician in altered:
        fields = (name for name in Person._fields if getattr(physician.stored, name) != getattr(physician.told, name))
        changed = ",".join(f'"{name}"' for name in sorted(fields))
        payload = f'{{"changed":[{changed}],{extract}}}'
        yield Event("physician.import", "physician", physician.id, physician.version + 1, payload)

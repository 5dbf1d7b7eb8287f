"""Gathering what the rules look at, for many applications at once: a fixed number of queries however many there are."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, or_, select

from registry.bulk import columns, one_of
from registry.filings.tables import Decision, Filing
from registry.institutions.tables import Institution
from registry.physicians.tables import (
    Assessment,
    Disqualification,
    Physician,
    RegisterConfirmation,
    Registration,
)
from registry.sealed import Seal
from registry.sites.tables import Site
from registry.spans import last_day
from registry.time import day_in_china
from workflows.codes import CodeTables, FilingType
from workflows.filing import FILING
from workflows.rules import facts as f
from workflows.rules.engine import Judgement

FALSE_MATERIAL = "FALSE_MATERIAL"  # the reason of the catalogue that bars a year (行政许可法 78)


@dataclass(frozen=True)
class Application:
    """What somebody asks for: a filing, or a row that may become one. `filing` keeps it from counting itself."""

    person: f.Person
    institution: str  # registration number
    category: str
    scopes: frozenset[str]
    valid_from: date | None
    valid_to: date | None
    papers: f.Papers
    activity: str | None = None
    reason: str | None = None
    type: FilingType | None = None
    level: str | None = None
    submitted_on: date | None = None
    filing: uuid.UUID | None = None
    duplicate_of: str | None = None  # an earlier equal row of the same file


@dataclass(frozen=True)
class Gathered:
    """Facts of one application, and the records they came from."""

    facts: f.Facts
    physician_id: uuid.UUID | None
    institution: Institution
    registration: f.Registration | None  # that the practice would rest on
    judgement: Judgement | None = None  # by the rules of Stage.JUDGE, where somebody has judged these facts already


def gather(
    session: Session,
    applications: Sequence[Application],
    *,
    policies: Mapping[str, f.Policy],
    node: f.Policy,
    seal: Seal,
    codes: CodeTables,
    today: date,
) -> list[Gathered]:
    """One `Gathered` per application, in order. `policies` by authority; `node` is that of the province's own authority."""
    institutions = _institutions(session, {a.institution for a in applications})
    told = {number: _institution(row) for number, row in institutions.items()}
    people = _people(session, {a.person.practising_code for a in applications})
    ids = {p.id for p in people.values()}
    registrations = _registrations(session, ids, today)
    suspensions = _suspensions(session, ids)
    assessments = _assessments(session, ids)
    grounds = _grounds(session, ids)
    barred = _false_material(session, ids)
    practices = _practices(session, ids, {a.person.practising_code for a in applications}, today)

    def one(application: Application) -> Gathered:
        record = institutions[application.institution]
        policy = policies.get(record.authority or "", node)
        person = people.get(application.person.practising_code)
        registered = (
            f.Registered(
                name_key=person.name_key,
                id_number=_opened(seal, person, "id_number", person.id_number_sealed),
                qualification_code=_opened(seal, person, "qualification", person.qualification_sealed),
                birth_date=person.birth_date,
                level=person.level,
                first_registered=person.first_registered,
                registrations=registrations.get(person.id, ()),
                suspensions=suspensions.get(person.id, ()),
                assessments=assessments.get(person.id, ()),
                disqualifications=grounds.get(person.id, ()),
                false_material_on=barred.get(person.id),
            )
            if person
            else None
        )
        found = registered.registrations if registered else ()
        type_ = application.type or filing_type(found, record.province, policy)
        return Gathered(
            facts=f.Facts(
                today=today,
                type=type_,
                person=application.person,
                institution=told[application.institution],
                category=application.category,
                scopes=application.scopes,
                valid_from=application.valid_from,
                valid_to=application.valid_to,
                level=application.level,
                activity=application.activity,
                reason=application.reason,
                registered=registered,
                practices=practices.of(person, application),
                papers=application.papers,
                policy=policy,
                codes=codes,
                submitted_on=application.submitted_on,
                duplicate_of=application.duplicate_of,
            ),
            physician_id=person.id if person and person.name_key == application.person.name_key else None,
            institution=record,
            registration=resting_on(found, type_, record.province),
        )

    return [one(application) for application in applications]


def _opened(seal: Seal, person: sa.Row[Any], column: str, sealed: bytes | None) -> str | None:
    return seal.open(f"physician.{column}", person.id, sealed) if sealed else None


def filing_type(registrations: Iterable[f.Registration], province: str, policy: f.Policy) -> FilingType:
    """SITE_FILE when a registration of any status lies in the institution's province, else what the authority's mode says."""
    if any(r.province == province for r in registrations):
        return FilingType.SITE_FILE
    return FilingType.XPROV_FILE if policy.cross_province_mode == "LOCAL_FILE" else FilingType.ADD_REG


def resting_on(registrations: Sequence[f.Registration], type_: FilingType, province: str) -> f.Registration | None:
    """The registration whose main institution consents and whose loss ends the practice: that of the province for a
    SITE_FILE, else the home one; an active one before others, the oldest first.
    """
    near = (
        [r for r in registrations if r.province == province] if type_ is FilingType.SITE_FILE else list(registrations)
    )
    order = sorted(
        near, key=lambda r: (r.status is not f.RegistrationStatus.ACTIVE, r.registered_on or date.max, r.place)
    )
    return order[0] if order else None


def _institutions(session: Session, numbers: set[str]) -> dict[str, Institution]:
    rows = session.exec(select(Institution).where(col(Institution.registration_no).in_(numbers)))
    return {row.registration_no: row for row in rows}


def _institution(row: Institution) -> f.Institution:
    return f.Institution(
        registration_no=row.registration_no,
        name=row.name,
        uscc=row.uscc,
        division=row.division,
        province=row.province,
        category=row.category,
        internet=row.internet,
        subjects=frozenset(row.subjects),
        licence_until=row.licence_until,
        status=row.status,
        authority=row.authority,
        authority_name=row.authority_name,
        source=f.Source(row.source, row.source_at),
    )


# Columns and not records: what is read here for every row of a roster is looked at once.
_PERSON = columns(
    Physician,
    "id",
    "practising_code",
    "name_key",
    "id_number_sealed",
    "qualification_sealed",
    "birth_date",
    "level",
    "first_registered",
)


def _people(session: Session, codes: set[str]) -> dict[str, sa.Row[Any]]:
    rows = session.execute(sa.select(*_PERSON).where(one_of(Physician.practising_code, codes)))
    return {row.practising_code: row for row in rows}


_REGISTRATION = columns(
    Registration,
    *("physician_id", "place", "province", "main_registration_no", "main_name", "level", "category", "scopes"),
    *("status", "status_from", "status_to", "status_cause", "registered_on", "source", "source_at"),
)


def _registrations(session: Session, ids: set[uuid.UUID], today: date) -> dict[uuid.UUID, tuple[f.Registration, ...]]:
    rows = session.execute(
        sa.select(
            *_REGISTRATION,
            col(Institution.division),
            col(RegisterConfirmation.source_at).label("confirmed_at"),
        )
        .join(Institution, col(Institution.registration_no) == col(Registration.main_registration_no), isouter=True)
        .join(
            RegisterConfirmation,
            sa.and_(
                col(RegisterConfirmation.physician_id) == col(Registration.physician_id),
                col(RegisterConfirmation.place) == col(Registration.place),
            ),
            isouter=True,
        )
        .where(one_of(Registration.physician_id, ids), sa.func.upper_inf(col(Registration.recorded)))
        .where(col(Registration.valid).op("@>")(today))
        .order_by(col(Registration.physician_id), col(Registration.place))
    )
    found: dict[uuid.UUID, tuple[f.Registration, ...]] = {}
    for row in rows:
        fact = f.Registration(
            place=row.place,
            province=row.province,
            main_institution=row.main_registration_no,
            main_institution_name=row.main_name,
            main_division=row.division,
            level=row.level,
            category=row.category,
            scopes=frozenset(row.scopes),
            status=f.RegistrationStatus(row.status),
            status_from=row.status_from,
            status_to=row.status_to,
            status_cause=row.status_cause,
            registered_on=row.registered_on,
            source=f.Source(row.source, row.confirmed_at or row.source_at),
        )
        found[row.physician_id] = (*found.get(row.physician_id, ()), fact)
    return found


def _suspensions(session: Session, ids: set[uuid.UUID]) -> dict[uuid.UUID, tuple[f.Suspension, ...]]:
    """Every stretch of days on which a registration stood suspended, as known now (R080 subtracts them)."""
    rows = session.exec(
        select(Registration.physician_id, Registration.valid)
        .where(one_of(Registration.physician_id, ids), sa.func.upper_inf(col(Registration.recorded)))
        .where(col(Registration.status) == f.RegistrationStatus.SUSPENDED)
        .order_by(col(Registration.valid))
    )
    found: dict[uuid.UUID, tuple[f.Suspension, ...]] = {}
    for physician_id, valid in rows:
        found[physician_id] = (*found.get(physician_id, ()), f.Suspension(valid.lower, last_day(valid)))
    return found


def _assessments(session: Session, ids: set[uuid.UUID]) -> dict[uuid.UUID, tuple[f.Assessment, ...]]:
    rows = session.execute(
        sa.select(*columns(Assessment, "physician_id", "result", "assessed_on", "source", "source_at"))
        .where(one_of(Assessment.physician_id, ids))
        .order_by(col(Assessment.assessed_on).desc().nulls_last(), col(Assessment.recorded_at).desc())
    )
    found: dict[uuid.UUID, tuple[f.Assessment, ...]] = {}
    for physician_id, result, assessed_on, source, source_at in rows:
        fact = f.Assessment(result, assessed_on, f.Source(source, source_at))
        found[physician_id] = (*found.get(physician_id, ()), fact)
    return found


def _grounds(session: Session, ids: set[uuid.UUID]) -> dict[uuid.UUID, tuple[f.Disqualification, ...]]:
    rows = session.exec(select(Disqualification).where(one_of(Disqualification.physician_id, ids)))
    found: dict[uuid.UUID, tuple[f.Disqualification, ...]] = {}
    for row in rows:
        fact = f.Disqualification(row.code, row.since, row.until, f.Source(row.source, row.source_at))
        found[row.physician_id] = (*found.get(row.physician_id, ()), fact)
    return found


def _false_material(session: Session, ids: set[uuid.UUID]) -> dict[uuid.UUID, date]:
    rows = session.exec(
        select(col(Filing.physician_id), Decision.at)
        .join(Decision, col(Decision.filing_id) == col(Filing.id))
        .where(one_of(Filing.physician_id, ids), col(Decision.kind).in_(("refuse", "not_accept")))
        .where(col(Decision.reasons).contains([{"code": FALSE_MATERIAL}]))
        .order_by(col(Decision.at))
    )
    return {id_: day_in_china(at) for id_, at in rows if id_}


@dataclass
class _Practices:
    """Sites and open filings, to be found by physician or, for a filing whose physician is not matched, by code."""

    by_physician: dict[uuid.UUID, list[tuple[uuid.UUID, f.Practice]]] = field(default_factory=dict)
    by_code: dict[str, list[tuple[uuid.UUID, f.Practice]]] = field(default_factory=dict)

    def add(self, physician_id: uuid.UUID | None, code: str | None, filing: uuid.UUID, practice: f.Practice) -> None:
        if physician_id:
            self.by_physician.setdefault(physician_id, []).append((filing, practice))
        elif code:
            self.by_code.setdefault(code, []).append((filing, practice))

    def of(self, physician: sa.Row[Any] | None, application: Application) -> tuple[f.Practice, ...]:
        found = self.by_physician.get(physician.id, []) if physician else []
        found = found + self.by_code.get(application.person.practising_code, [])
        return tuple(practice for filing, practice in found if filing != application.filing)


_OPEN_FILING = columns(Filing, "id", "number", "physician_id", "practising_code", "valid_from", "valid_to", "scopes")


def _practices(session: Session, ids: set[uuid.UUID], codes: set[str], today: date) -> _Practices:
    """Current sites, and open filings of every kind, drafts too (R057)."""
    found = _Practices()
    sites = session.exec(
        select(Site, col(Institution.registration_no), col(Filing.number))
        .join(Institution, col(Institution.id) == col(Site.institution_id))
        .join(Filing, col(Filing.id) == col(Site.filing_id))
        .where(one_of(Site.physician_id, ids), col(Site.state).in_(("EFFECTIVE", "SUSPENDED")))
        .where(sa.func.upper_inf(col(Site.recorded)), sa.func.upper(col(Site.valid)) > today)
    )
    for site, registration_no, number in sites:
        practice = f.Practice(
            "site", number, registration_no, site.valid.lower, last_day(site.valid), frozenset(site.scopes), True
        )
        found.add(site.physician_id, None, site.filing_id, practice)
    filings = session.execute(
        sa.select(*_OPEN_FILING, col(Institution.registration_no))
        .join(Institution, col(Institution.id) == col(Filing.institution_id))
        .where(or_(one_of(Filing.physician_id, ids), one_of(Filing.practising_code, codes)))
        .where(col(Filing.state).not_in([str(s) for s in FILING.final]), col(Filing.valid_from).is_not(None))
    )
    for row in filings:
        practice = f.Practice(
            "filing", row.number, row.registration_no, row.valid_from, row.valid_to, frozenset(row.scopes), False
        )
        found.add(row.physician_id, row.practising_code, row.id, practice)
    return found

"""What a rule may look at. Everything here is frozen, already normalised, and carries where it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from workflows.codes import CodeTables, FilingType


class RegistrationStatus(StrEnum):
    """暂停, 注销, 吊销 and 撤销 are four different things with different waiting periods (医师法 16, 54)."""

    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"  # 暂停
    CANCELLED = "CANCELLED"  # 注销
    REVOKED = "REVOKED"  # 吊销
    WITHDRAWN = "WITHDRAWN"  # 撤销


@dataclass(frozen=True)
class Source:
    """Where a fact was read and when the source said it."""

    name: str
    at: datetime


@dataclass(frozen=True)
class Person:
    """The physician as the filer wrote it; numbers normalised (NFKC, no blanks, upper case)."""

    name: str
    name_key: str
    id_type: str  # code of identity_document
    id_number: str
    practising_code: str
    qualification_code: str
    phone: str | None = None


@dataclass(frozen=True)
class Registration:
    """One row of the national register: a practice place with its main institution, as in force today."""

    place: str  # a province's two digits for a physician, a division's six for an assistant
    province: str  # two digits
    main_institution: str | None  # registration number
    main_institution_name: str
    main_division: str | None  # of the main institution, where it is known
    level: str  # 1 or 2
    category: str  # code of practice_category
    scopes: frozenset[str]
    status: RegistrationStatus
    status_from: date | None
    status_to: date | None
    status_cause: str | None
    registered_on: date | None
    source: Source


@dataclass(frozen=True)
class Disqualification:
    """A ground of 医师法 16 or its neighbours that a source reported; `code` of codes.yaml: disqualification."""

    code: str
    since: date
    until: date | None
    source: Source


@dataclass(frozen=True)
class Assessment:
    result: str  # 合格 or 不合格
    on: date | None
    source: Source


@dataclass(frozen=True)
class Suspension:
    """Days on which a registration was suspended, past ones too; `until` None while it lasts."""

    since: date
    until: date | None


@dataclass(frozen=True)
class Registered:
    """What the national register says of the person found by practising code."""

    name_key: str
    id_number: str | None  # opened for the comparison, never for display
    qualification_code: str | None
    birth_date: date | None
    level: str
    first_registered: date | None
    registrations: tuple[Registration, ...]
    assessments: tuple[Assessment, ...] = ()
    disqualifications: tuple[Disqualification, ...] = ()
    false_material_on: date | None = None  # last refusal here for false material (行政许可法 78)
    suspensions: tuple[Suspension, ...] = ()  # earlier ones; the running one is read from the registrations


@dataclass(frozen=True)
class Institution:
    registration_no: str
    name: str
    uscc: str
    division: str
    province: str
    category: str
    internet: bool
    subjects: frozenset[str]  # codes of clinical_subject
    licence_until: date | None
    status: str  # ACTIVE, SUSPENDED, CLOSED
    authority: str | None  # division code of the authority that approved it
    authority_name: str
    source: Source


@dataclass(frozen=True)
class Practice:
    """A current site or an open filing of the same physician, here or elsewhere."""

    kind: str  # site or filing
    ref: str  # its number, to be shown
    institution: str
    valid_from: date
    valid_to: date | None
    scopes: frozenset[str]
    in_force: bool  # a site that counts towards the number of sites


@dataclass(frozen=True)
class Policy:
    """What the authority has set, as of the judging; each number is an operator's setting with its recorded basis."""

    authority: str  # division code of the receiving authority
    province: str  # its two digits
    version: str
    cross_province_mode: str = "ADD_REG"  # or LOCAL_FILE
    cross_province_basis: str | None = None
    attested_consent: bool = False
    max_sites: int = 5
    max_term_days: int = 3 * 366
    max_age: int = 75  # of R003, which is off unless switched on
    switches: dict[str, str] = field(default_factory=dict)  # rule id → on, off or an outcome
    connected: frozenset[str] = frozenset()  # rule ids whose outside source answers here


@dataclass(frozen=True)
class Papers:
    """Consents and documents that came with the filing."""

    physician_consented: bool = False
    institution_confirmed: bool = False
    main_institution_consented: bool = False
    attested: bool = False
    undertaken: bool = False  # truthfulness and no-substitution undertakings, part of the consent text


@dataclass(frozen=True)
class Answer:
    """What a connected outside source said for one rule; one that did not answer has none."""

    holds: bool
    source: Source
    fresh: bool = True  # not older than its limit
    args: Mapping[str, object] = field(default_factory=dict)  # of the rule's message


@dataclass(frozen=True)
class Facts:
    """All a rule may look at, of one filing on one day."""

    today: date  # the day of judging in China, given
    type: FilingType
    person: Person
    institution: Institution
    category: str
    scopes: frozenset[str]
    valid_from: date | None
    valid_to: date | None
    level: str | None  # as declared, where the form has it
    activity: str | None
    reason: str | None
    registered: Registered | None  # None: practising code unknown
    practices: tuple[Practice, ...]  # never the filing itself
    papers: Papers
    policy: Policy
    codes: CodeTables
    old_registration_ends: bool = False  # confirmed by the applicant of a change (R054)
    submitted_on: date | None = None  # the day its author sent it off; None: today would be that day
    duplicate_of: str | None = None  # an earlier equal row of the same file
    answers: Mapping[str, Answer] = field(default_factory=dict)  # by rule id, of the sources in policy.connected

    @property
    def matched(self) -> Registered | None:
        """The register entry when name and code fit (R022); the register rules are silent without it."""
        if self.registered and self.registered.name_key == self.person.name_key:
            return self.registered
        return None

"""What comes in and what goes out of the filing API, exactly as the public contract says."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from registry.api.body import Day, In, Line, Name, Number, Out, Prose
from workflows.codes import FilingType

Scopes = Annotated[list[Line], Field(min_length=1, max_length=20)]
Revision = Annotated[int, Field(ge=0, le=2**31 - 1)]


class PhysicianIn(In):
    """The physician as the filer writes them. Numbers may be wrong or empty: the rules say so, with the remedy."""

    name: Name
    id_type: Line
    id_number: Number
    practising_code: Number
    qualification_code: Number
    phone: Number | None = None


class CreateFiling(In):
    type: Annotated[FilingType, Field(strict=False)] | None = None
    physician: PhysicianIn
    institution: Line
    category: Line
    scopes: Scopes
    valid_from: Day | None = None
    valid_to: Day | None = None
    activity: Line | None = None
    reason: Line | None = None
    schedule: Prose | None = None
    contract_until: Day | None = None
    note: Prose | None = None


class PhysicianChanges(In):
    name: Name | None = None
    id_type: Line | None = None
    id_number: Number | None = None
    practising_code: Number | None = None
    qualification_code: Number | None = None
    phone: Number | None = None


class Changes(In):
    """Any part of a filing but its institution: another institution is another filing."""

    type: Annotated[FilingType, Field(strict=False)] | None = None
    physician: PhysicianChanges | None = None
    category: Line | None = None
    scopes: Scopes | None = None
    valid_from: Day | None = None
    valid_to: Day | None = None
    activity: Line | None = None
    reason: Line | None = None
    schedule: Prose | None = None
    contract_until: Day | None = None
    note: Prose | None = None


class Reason(In):
    code: Line
    note: Prose | None = None


Reasons = Annotated[list[Reason], Field(min_length=1, max_length=50)]


class ActIn(In):
    act: Literal[
        "propose", "confirm", "decline", "refuse_consent", "dispute", "agree", "object", "attest", "claim", "release",
        "renew", "accept", "resubmit", "resume", "approve", "withdraw",
    ]  # fmt: skip
    revision: Revision
    note: Prose | None = None


class AmendIn(In):
    act: Literal["amend"]
    revision: Revision
    changes: Changes


class ConsentIn(In):
    act: Literal["consent"]
    revision: Revision
    text_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class ReasonedIn(In):
    act: Literal["return", "not_accept", "refuse"]
    revision: Revision
    reasons: Reasons


class RecommendIn(In):
    act: Literal["recommend"]
    revision: Revision
    decision: Literal["approve", "refuse"]
    reasons: list[Reason] | None = None


class PauseIn(In):
    act: Literal["pause"]
    revision: Revision
    cause: Line


AnyAct = Annotated[ActIn | AmendIn | ConsentIn | ReasonedIn | RecommendIn | PauseIn, Field(discriminator="act")]


class Label(Out):
    code: str
    zh: str
    en: str


class PhysicianOut(Out):
    """Identity number, qualification code and phone masked."""

    id: str | None
    name: str
    practising_code: str
    id_type: Label
    id_number: str
    qualification_code: str
    phone: str | None


class FindingOut(Out):
    rule: str
    outcome: str
    stage: str
    message: str
    basis: str
    evidence: dict[str, Any]
    at: str


class OfferOut(Out):
    act: str
    allowed: bool
    why_not: str | None


class ClockOut(Out):
    kind: str
    due: str | None
    days_left: int | None
    paused: bool
    ledger: list[dict[str, Any]]


class EventOut(Out):
    seq: int
    at: str
    act: str
    by: str
    organisation: str | None
    details: dict[str, Any]


class AttachmentOut(Out):
    sha256: str
    kind: str
    file_name: str
    size: int
    media_type: str
    scan: str
    at: str


class Summary(Out):
    """A filing in a list."""

    id: str
    number: str
    type: str
    state: str
    flags: list[str]
    revision: int
    physician: PhysicianOut
    institution: str  # registration number
    institution_name: str
    created_at: str
    submitted_at: str | None


class FilingOut(Out):
    id: str
    number: str
    type: str
    state: str
    flags: list[str]
    revision: int
    physician: PhysicianOut
    institution: str  # registration number
    institution_name: str
    authority: str | None
    category: Label
    scopes: list[Label]
    valid_from: str | None
    valid_to: str | None
    activity: str | None
    reason: str | None
    schedule: str | None
    contract_until: str | None
    note: str | None
    findings: list[FindingOut]
    offers: list[OfferOut]
    clock: ClockOut
    claim: dict[str, str] | None
    reasons: list[dict[str, Any]]
    attachments: list[AttachmentOut]
    timeline: list[EventOut]
    consent_text: str | None = None
    consent_sha256: str | None = None


class FilingPage(Out):
    items: list[Summary]
    next: str | None

"""A filing as its readers see it: numbers masked, findings in their words, the acts this reader may do now."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlmodel import col, select

from auth.actor import Actor
from auth.roles import SIGHT, Sight
from registry.context import Context
from registry.documents.tables import Document
from registry.filings import clock, queries
from registry.filings.applying import person
from registry.filings.casefile import case_files
from registry.filings.evaluating import claimant, facts_of
from registry.filings.schemas import (
    AttachmentOut,
    ClockOut,
    EventOut,
    FilingOut,
    FindingOut,
    Label,
    OfferOut,
    PhysicianOut,
    Summary,
)
from registry.filings.tables import Filing
from registry.institutions.tables import Institution
from registry.language import Language
from registry.sealed import mask_id_number, mask_phone, mask_qualification
from workflows.clock import ClockReading
from workflows.filing import FILING, Act, State
from workflows.rules.catalogue import REASONS
from workflows.text import Text


def presented(context: Context, filing: Filing, speak: Language) -> FilingOut:
    """The whole filing for one reader."""
    session, codes = context.session, context.codes
    (case,) = case_files(context, [filing])
    (facts,) = facts_of(context, [case])
    institution, found = case.institution, case.evaluation
    assert found
    offers = FILING.offers(State(filing.state), context.actor, facts)
    reading = clock.reading(context, filing)
    holder = claimant(filing, context.now)
    hidden = _not_yet_told(context.actor, filing)
    text = case.undertaking(codes) if filing.proposed_at or filing.submitted_at else None
    return FilingOut(
        id=str(filing.id),
        number=filing.number,
        type=filing.type,
        state=filing.state,
        flags=flags(filing, reading),
        revision=filing.revision,
        physician=_physician(context, filing),
        institution=institution.registration_no,
        institution_name=institution.name,
        authority=filing.authority,
        category=Label(**codes.label("practice_category", filing.category)),
        scopes=[Label(**codes.label("practice_scope", scope)) for scope in filing.scopes],
        valid_from=_iso(filing.valid_from),
        valid_to=_iso(filing.valid_to),
        activity=filing.activity,
        reason=filing.reason,
        schedule=filing.schedule,
        contract_until=_iso(filing.contract_until),
        note=filing.note,
        findings=[_finding(row, found.at, speak) for row in found.findings],
        offers=[
            OfferOut(act=str(o.act), allowed=o.allowed, why_not=speak(o.why_not) if o.why_not else None) for o in offers
        ],
        clock=ClockOut(**clock.shown(reading)),
        claim={"by": holder, "until": _iso_at(filing.claimed_until)} if holder else None,
        reasons=_reasons(context, filing, speak, hidden),
        attachments=_attachments(context, filing),
        timeline=[
            EventOut(
                seq=event.seq or 0,
                at=_iso_at(event.at),
                act=event.type.partition(".")[2],
                by=event.actor,
                organisation=event.organisation,
                details=json.loads(payload) if payload else {},
            )
            for event, payload in queries.timeline(session, filing.id)
            if event.type.partition(".")[2] not in hidden
        ],
        consent_text=text.text if text else None,
        consent_sha256=text.sha256 if text else None,
    )


def summaries(context: Context, filings: Sequence[Filing]) -> list[Summary]:
    """Filings as a list shows them; a fixed number of queries for any number of filings."""
    ids = {filing.institution_id for filing in filings}
    rows = context.session.exec(select(Institution).where(col(Institution.id).in_(ids)))
    institutions = {row.id: row for row in rows}
    readings = clock.readings(context, filings)
    return [
        Summary(
            id=str(filing.id),
            number=filing.number,
            type=filing.type,
            state=filing.state,
            flags=flags(filing, readings[filing.id]),
            revision=filing.revision,
            physician=_physician(context, filing),
            institution=institutions[filing.institution_id].registration_no,
            institution_name=institutions[filing.institution_id].name,
            created_at=_iso_at(filing.created_at),
            submitted_at=_iso_at(filing.submitted_at) if filing.submitted_at else None,
        )
        for filing in filings
    ]


def flags(filing: Filing, reading: ClockReading) -> list[str]:
    """What is true beside the state: one status word, everything else is a flag."""
    facts = {"disputed": filing.disputed, "overdue": reading.overdue, "paused": filing.paused}
    return [name for name, holds in facts.items() if holds]


def _physician(context: Context, filing: Filing) -> PhysicianOut:
    typed = person(context, filing)
    return PhysicianOut(
        id=str(filing.physician_id) if filing.physician_id else None,
        name=typed.name,
        practising_code=typed.practising_code,
        id_type=Label(**context.codes.label("identity_document", typed.id_type)),
        id_number=mask_id_number(typed.id_number),
        qualification_code=mask_qualification(typed.qualification_code),
        phone=mask_phone(typed.phone) if typed.phone else None,
    )


def _finding(row: dict[str, Any], at: datetime, speak: Language) -> FindingOut:
    source = {name: row[name] for name in ("source", "source_at") if row[name]}
    return FindingOut(
        rule=row["rule"],
        outcome=row["outcome"],
        stage=row["stage"],
        message=speak(Text(**row["message"])),
        basis=row["basis"],
        evidence=row["evidence"] | source,
        at=_iso_at(at),
    )


def _not_yet_told(actor: Actor, filing: Filing) -> frozenset[str]:
    """Acts that are not for this reader yet: what one officer proposes to another is no decision until it is one."""
    officers = any(SIGHT[role] is Sight.JURISDICTION for role in actor.roles())
    return frozenset() if officers or filing.decided_at else frozenset({str(Act.RECOMMEND)})


def _reasons(context: Context, filing: Filing, speak: Language, hidden: frozenset[str]) -> list[dict[str, Any]]:
    """The reasons of every decision, in the reader's words with their basis, the oldest first."""
    made = queries.decisions(context.session, filing.id)
    return [
        {
            "act": decision.kind,
            "code": reason["code"],
            "message": speak(REASONS[reason["code"]].text),
            "basis": REASONS[reason["code"]].basis,
            "note": reason.get("note"),
            "at": _iso_at(decision.at),
        }
        for decision in made
        for reason in decision.reasons
        if reason["code"] in REASONS and decision.kind not in hidden
    ]


def _attachments(context: Context, filing: Filing) -> list[AttachmentOut]:
    attached = queries.attachments(context.session, filing.id)
    hashes = {row.sha256 for row in attached}
    columns = (Document.sha256, Document.size, Document.media_type, Document.scan)
    documents = {
        sha256: (size, media_type, scan)
        for sha256, size, media_type, scan in context.session.exec(
            select(*columns).where(col(Document.sha256).in_(hashes))
        )
    }
    return [
        AttachmentOut(
            sha256=row.sha256,
            kind=row.kind,
            file_name=row.file_name,
            size=documents[row.sha256][0],
            media_type=documents[row.sha256][1],
            scan=documents[row.sha256][2],
            at=_iso_at(row.at),
        )
        for row in attached
    ]


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _iso_at(instant: datetime | None) -> str:
    return instant.isoformat().replace("+00:00", "Z") if instant else ""

"""Audit events as a reader sees them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlmodel import Session, col, select

from registry.log.tables import AuditEvent, AuditPayload, LogLeaf


class Filter(NamedTuple):
    """What an auditor looks for; None is everything. A `type` that ends with a dot is all types that begin so."""

    by: str | None = None
    type: str | None = None
    subject: uuid.UUID | None = None
    organisation: str | None = None
    since: datetime | None = None
    until: datetime | None = None


Listed = tuple[AuditEvent, str | None, int | None]


def page(session: Session, wanted: Filter, *, limit: int, before: int | None) -> Sequence[Listed]:
    """Events newest first, below `before`: each with its payload unless erased, and its place in the tree once it has one."""
    query = (
        select(AuditEvent, col(AuditPayload.payload), col(LogLeaf.index))
        .join(AuditPayload, col(AuditPayload.seq) == col(AuditEvent.seq), isouter=True)
        .join(LogLeaf, col(LogLeaf.seq) == col(AuditEvent.seq), isouter=True)
        .order_by(col(AuditEvent.seq).desc())
        .limit(limit)
    )
    conditions = (
        (wanted.by, lambda: col(AuditEvent.actor) == wanted.by),
        (wanted.type, lambda: _of_type(wanted.type or "")),
        (wanted.subject, lambda: col(AuditEvent.subject_id) == wanted.subject),
        (wanted.organisation, lambda: col(AuditEvent.organisation) == wanted.organisation),
        (wanted.since, lambda: col(AuditEvent.at) >= wanted.since),
        (wanted.until, lambda: col(AuditEvent.at) < wanted.until),
        (before, lambda: col(AuditEvent.seq) < before),
    )
    return session.exec(query.where(*(make() for given, make in conditions if given is not None))).all()


def _of_type(name: str) -> Any:
    column = col(AuditEvent.type)
    return column.startswith(name, autoescape=True) if name.endswith(".") else column == name


def listed(event: AuditEvent, payload: str | None, index: int | None) -> dict[str, Any]:
    """One event of the page; `leaf` is its index in the log, null for the second until it has one."""
    subject = {"type": event.subject_type, "id": str(event.subject_id)}
    return event_out(event, payload) | {"subject": subject, "leaf": index}


def event_out(event: AuditEvent, payload: str | None) -> dict[str, Any]:
    """One event; `details` is null once its payload has been erased, the event itself stays."""
    return {
        "seq": event.seq,
        "at": event.at.isoformat(),
        "type": event.type,
        "act": event.type.partition(".")[2],
        "by": event.actor,
        "organisation": event.organisation,
        "version": event.subject_version,
        "details": json.loads(payload) if payload is not None else None,
    }

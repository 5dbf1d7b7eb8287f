"""Audit events as a reader sees them."""

from __future__ import annotations

import json
from typing import Any

from registry.log.tables import AuditEvent


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

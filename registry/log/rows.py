"""What an event says of the row it changed, beyond its state: a digest of what was filed, so that no column can be turned unseen."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from registry.log.events import canonical

# Of a filing, all but: what an evaluation works out anew from the register (type, authority, place, main institution,
# physician), what a change of keys seals anew, and the revision, which the event carries itself.
FILING = (
    "number", "type_chosen", "disputed", "paused", "name", "id_type", "practising_code", "institution_id", "category",
    "scopes", "valid_from", "valid_to", "activity", "reason", "schedule", "contract_until", "note", "author", "filed_by",
    "roster_id", "roster_row", "attested_by", "attested_sha256", "recommended_by", "recommendation", "claimed_by",
    "claimed_until", "returned_from", "consented_at", "institution_confirmed_at", "main_agreed_at", "main_agreed_sha256",
    "created_at", "proposed_at", "main_asked_at", "submitted_at", "accepted_at", "decided_at", "waiting_since",
)  # fmt: skip


def filing_digest(filing: object) -> str:
    """SHA-256 in hex over the JCS object of the columns of `FILING`; `filing` has them as attributes."""
    return digest({name: getattr(filing, name) for name in FILING})


def digest(values: Mapping[str, Any]) -> str:
    """SHA-256 in hex over the JCS object of these values, times in UTC."""
    return hashlib.sha256(canonical({name: _plain(value) for name, value in values.items()}).encode()).hexdigest()


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="microseconds")
        case date():
            return value.isoformat()
        case uuid.UUID():
            return str(value)
        case _:
            return value

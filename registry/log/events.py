"""Writing audit events: always in the transaction of the change they speak of."""

from __future__ import annotations

import hashlib
import json
import secrets
import uuid
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection
from sqlmodel import Session, col, insert

from auth.actor import Actor
from registry.log.tables import AuditEvent, AuditPayload


def commitment(salt: bytes, payload: str) -> bytes:
    """SHA-256(salt ‖ payload); `payload` is JCS text (RFC 8785)."""
    return hashlib.sha256(salt + payload.encode()).digest()


# Where names are ASCII and numbers whole, this is the text of RFC 8785 (a test holds it to be): many times cheaper.
_JCS = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False)


def canonical(payload: Mapping[str, object]) -> str:
    """The JCS text (RFC 8785) of a payload of strings, integers, booleans, nulls, lists and objects with ASCII names."""
    return _JCS.encode(payload)


def record(
    session: Session | Connection,
    actor: Actor,
    type_: str,
    subject: tuple[str, uuid.UUID],
    version: int,
    payload: Mapping[str, object],
    *,
    now: datetime,
    organisation: str | None = None,
) -> int:
    """Append one event and its payload; the sequence number."""
    salt, text = secrets.token_bytes(32), canonical(payload)
    seq = session.execute(
        insert(AuditEvent)
        .values(
            at=now,
            type=type_,
            actor=actor.id,
            organisation=organisation,
            subject_type=subject[0],
            subject_id=subject[1],
            subject_version=version,
            commitment=commitment(salt, text),
        )
        .returning(col(AuditEvent.seq))
    ).scalar_one()
    session.execute(insert(AuditPayload).values(seq=seq, salt=salt, payload=text))
    assert seq is not None
    return seq

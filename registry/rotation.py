"""Rotating keys as the operator does (`registry keys rotate`), each rotation an event."""

from __future__ import annotations

import hashlib
import uuid
from datetime import datetime

from sqlmodel import Session

from auth.actor import OPERATOR
from auth.keys import KeyStore, Purpose, StoredKey
from registry.log.events import record

SIGNING = (Purpose.TOKEN, Purpose.RECEIPT)


def rotate_keys(session: Session, store: KeyStore, purpose: Purpose | None = None, *, now: datetime) -> list[StoredKey]:
    """Adds a key beside the old one: published now, signing after five minutes. Raises `auth.errors.KeyFault`.

    Without a purpose: both signing keys. A new `personal` key seals what is written from now on; the old ones still open.
    """
    rotated = [store.rotate(each, now) for each in (SIGNING if purpose is None else (purpose,))]
    for key in rotated:
        subject = uuid.UUID(bytes=hashlib.sha256(f"{key.purpose} {key.kid}".encode()).digest()[:16])
        payload = {"purpose": str(key.purpose), "kid": key.kid}
        record(session, OPERATOR, "keys.rotate", ("key", subject), key.number, payload, now=now)
    return rotated

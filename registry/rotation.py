"""Keys as the operator keeps them (`registry keys …`): made, rotated, listed."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from auth.actor import OPERATOR
from auth.errors import KeyFault
from auth.keys import KeyStore, Purpose, StoredKey
from registry.errors import Conflict, Invalid, Unavailable
from registry.log.events import record
from workflows.text import Text

_ALL_THERE = Text(
    "每种用途都已有密钥；更换请运行 registry keys rotate。",
    "Every purpose has a key; to replace one run: registry keys rotate.",
)


@dataclass(frozen=True)
class Listed:
    """One key as `registry keys list` shows it. `state`: current, next (published, not yet signing) or old (still verifies)."""

    purpose: str
    kid: str
    published_at: datetime
    made_by: str
    state: str


def new_keys(session: Session, store: KeyStore, *, now: datetime) -> list[Purpose]:
    """Makes a key for each purpose that has none. Raises `DomainError`."""
    with _in_our_words():
        made = store.make_missing(now, generated=False)
        if not made:
            raise Conflict(_ALL_THERE)
        for key in store.listed():
            if key.purpose in made:
                _record(session, "keys.new", key, now)
    return made


def rotate_keys(session: Session, store: KeyStore, purpose: str | None = None, *, now: datetime) -> list[StoredKey]:
    """Adds a key beside the old one: published now, signing after five minutes. Raises `DomainError`.

    Without a purpose: the two signing keys. A new `personal` key seals what is written from now on; the old ones still open.
    """
    try:
        purposes = [Purpose.TOKEN, Purpose.RECEIPT] if purpose is None else [Purpose(purpose)]
    except ValueError:
        raise Invalid(Text(f"可用的用途：{'、'.join(Purpose)}。", f"The purposes are: {', '.join(Purpose)}.")) from None
    with _in_our_words():
        rotated = [store.rotate(each, now) for each in purposes]
    for key in rotated:
        _record(session, "keys.rotate", key, now)
    return rotated


def list_keys(store: KeyStore, *, now: datetime) -> list[Listed]:
    """Every key, by purpose and age. Raises `DomainError`."""
    with _in_our_words():
        return [_listed(store, key, now) for key in store.listed()]


def _listed(store: KeyStore, key: StoredKey, now: datetime) -> Listed:
    current = store.current(key.purpose, now)
    number = current.number if current else 0
    state = "current" if key.number == number else "next" if key.number > number else "old"
    return Listed(key.purpose, key.kid, key.published_at, "service" if key.generated else "operator", state)


def _record(session: Session, type_: str, key: StoredKey, now: datetime) -> None:
    subject = uuid.UUID(bytes=hashlib.sha256(f"{key.purpose} {key.kid}".encode()).digest()[:16])
    payload = {"purpose": str(key.purpose), "kid": key.kid}
    record(session, OPERATOR, type_, ("key", subject), key.number, payload, now=now)


@contextmanager
def _in_our_words() -> Iterator[None]:
    try:
        yield
    except KeyFault as fault:
        raise Unavailable(Text(fault.zh, fault.en)) from None

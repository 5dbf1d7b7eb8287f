"""Signing in, in three steps, so that a failure outlives its refusal and no transaction waits for a slow hash.

`admit` (one transaction, committed) counts the attempt before the password is looked at; `prove` (no transaction) compares it;
`begin` (another transaction) opens the sign-in or says why not. Every account, known or not, takes the same path.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, delete, select

from auth import passwords, second_factor
from auth.accounts import find, grants_of, name_key
from auth.errors import Throttled
from auth.second_factor import Cipher
from auth.tables import Account, SignIn, SignInAttempt

LIFETIME = timedelta(hours=12)  # of a sign-in, however often it is refreshed
WINDOW = timedelta(minutes=5)
# Failures within the window: of one name from one address, of one address, of everybody.
PER_ORIGIN, PER_ADDRESS, IN_ALL = 10, 100, 1000
KNOWN_FOR = timedelta(days=30)  # a name that signed in from here is let past the two wider limits so long
_LOCK = 0x5167_4E49  # any number, the same in every process


class Failure(StrEnum):
    """Why a sign-in failed: for the audit, never for the person who tries."""

    UNKNOWN = "unknown"
    PASSWORD = "password"  # noqa: S105
    DISABLED = "disabled"
    SECOND_FACTOR = "second_factor"


@dataclass(frozen=True)
class Attempt:
    """An admitted attempt: what it is compared with."""

    account_id: uuid.UUID | None
    password_hash: str | None
    origin: bytes


def admit(session: Session, name: str, address: str, *, now: datetime) -> Attempt:
    """Counts the attempt; commit before going on. Raises `Throttled`, with nothing counted."""
    # One at a time, for a millisecond: a hundred parallel guesses would else all count zero before them.
    session.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    ensure_heard(session, name, address, now=now)
    count(session, name, address, now=now)
    account, origin = find(session, name), _origin(name, address)
    if account is None:
        return Attempt(None, None, origin)
    return Attempt(account.id, account.password_hash, origin)


def ensure_heard(session: Session, name: str, address: str, *, now: datetime) -> None:
    """Raises `Throttled` when this name from this address, this address or everybody has failed too often."""
    wait = _wait(session, _origin(name, address), _digest(address), now)
    if wait is not None:
        raise Throttled(retry_after=max(1, ceil(wait.total_seconds())))


def count(session: Session, name: str, address: str, *, now: datetime) -> None:
    """Counts one failure."""
    session.add(SignInAttempt(at=now, origin=_origin(name, address), address=_digest(address)))
    session.flush()


def prove(attempt: Attempt, password: str) -> bool:
    """Whether the password is right: as long for a name that does not exist as for one that does."""
    return passwords.matches(password, attempt.password_hash)


def begin(
    session: Session, attempt: Attempt, *, proven: bool, code: str, cipher: Cipher, demanded: bool, now: datetime
) -> SignIn | Failure:
    """The sign-in, its earlier failures forgotten; or why not.

    `demanded`: the settings ask the roles of `SECOND_FACTOR_ROLES` for a one-time code. One that was enrolled is always asked for.
    """
    account = session.exec(
        select(Account).where(col(Account.id) == (attempt.account_id or uuid.UUID(int=0))).with_for_update()
    ).one_or_none()
    if account is None:
        return Failure.UNKNOWN
    if not proven or account.password_hash != attempt.password_hash:
        return Failure.PASSWORD
    if account.disabled_at is not None:
        return Failure.DISABLED
    roles = frozenset(grant.role for grant in grants_of(session, account.id))
    asked = account.totp_sealed is not None or second_factor.is_required(roles, demanded=demanded)
    if asked and not second_factor.accepts(account, code, cipher, now):
        return Failure.SECOND_FACTOR
    session.exec(delete(SignInAttempt).where(col(SignInAttempt.origin) == attempt.origin))
    opened = SignIn(account_id=account.id, auth_time=now, expires_at=now + LIFETIME, origin=attempt.origin)
    session.add(opened)
    session.flush()
    return opened


def end(session: Session, sign_in_id: uuid.UUID, *, now: datetime) -> uuid.UUID | None:
    """Ends a sign-in and all its tokens; whose it was, None when it had ended before."""
    return session.execute(
        sa.update(SignIn)
        .where(col(SignIn.id) == sign_in_id, col(SignIn.ended_at).is_(None))
        .values(ended_at=now)
        .returning(col(SignIn.account_id))
    ).scalar_one_or_none()


def _wait(session: Session, origin: bytes, place: bytes, now: datetime) -> timedelta | None:
    """How long until another attempt is heard; None: now."""
    same, near = col(SignInAttempt.origin) == origin, col(SignInAttempt.address) == place
    number, oldest = sa.func.count(), sa.func.min(col(SignInAttempt.at))
    row: Any = session.execute(
        sa.select(
            number.filter(same), oldest.filter(same), number.filter(near), oldest.filter(near), number, oldest,
            sa.exists().where(col(SignIn.origin) == origin, col(SignIn.auth_time) > now - KNOWN_FOR),
        ).where(col(SignInAttempt.at) > now - WINDOW)
    ).one()  # fmt: skip
    mine, first_mine, near_by, first_near, all_, first_of_all, known = row
    wait: timedelta | None = None
    if mine >= PER_ORIGIN:
        wait = first_mine + WINDOW - now
    elif near_by >= PER_ADDRESS and not known:
        wait = first_near + WINDOW - now
    elif all_ >= IN_ALL and not known:
        wait = first_of_all + WINDOW - now
    return wait


def _origin(name: str, address: str) -> bytes:
    return _digest(name_key(name), address)


def _digest(*parts: str) -> bytes:
    """Enough to count by; a mistyped name may be a password."""
    return hashlib.sha256("\0".join(parts).encode(errors="surrogatepass")).digest()

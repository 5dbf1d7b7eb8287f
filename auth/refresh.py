"""Refresh tokens: each is good once, and the second use of one ends the whole sign-in (RFC 9700, 4.14)."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from auth.sign_in import end
from auth.tables import Account, RefreshToken, SignIn


@dataclass(frozen=True)
class Renewal:
    sign_in: SignIn
    token: str  # the next refresh token


@dataclass(frozen=True)
class Reuse:
    """A token came twice: a copy is about. The sign-in has been ended; commit that."""

    sign_in_id: uuid.UUID
    account_id: uuid.UUID


def issue(session: Session, sign_in: SignIn, *, now: datetime) -> str:
    """A new refresh token of this sign-in; only its digest is kept."""
    token = secrets.token_urlsafe(32)
    session.add(RefreshToken(sha256=_digest(token), sign_in_id=sign_in.id, issued_at=now))
    session.flush()
    return token


def renew(session: Session, token: str, *, now: datetime) -> Renewal | Reuse | None:
    """Takes a refresh token and gives the next; None when it is unknown, expired, ended or its account disabled.

    The proof of identity stays as old as it is (`auth_time`). Commit whatever comes back: a reuse has consequences.
    """
    # Both rows locked: two uses at one moment stand in line, and the second sees the first.
    found = session.exec(
        select(RefreshToken, SignIn)
        .join(SignIn, col(SignIn.id) == col(RefreshToken.sign_in_id))
        .where(col(RefreshToken.sha256) == _digest(token))
        .with_for_update()
    ).one_or_none()
    if found is None:
        return None
    kept, sign_in = found
    if kept.used_at is not None:
        end(session, sign_in.id, now=now)
        return Reuse(sign_in.id, sign_in.account_id)
    account = session.get_one(Account, sign_in.account_id)
    if sign_in.ended_at is not None or sign_in.expires_at <= now or account.disabled_at is not None:
        return None
    kept.used_at = now
    session.add(kept)
    return Renewal(sign_in, issue(session, sign_in, now=now))


def find_sign_in(session: Session, token: str) -> uuid.UUID | None:
    """Which sign-in a refresh token belongs to."""
    return session.exec(select(RefreshToken.sign_in_id).where(col(RefreshToken.sha256) == _digest(token))).one_or_none()


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()

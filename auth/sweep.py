"""Forgets what has no use any more: called now and then by the worker."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, delete

from auth.sign_in import KNOWN_FOR, WINDOW
from auth.tables import RevokedToken, SignIn, SignInAttempt, UsedAssertion


def sweep(session: Session, *, now: datetime) -> None:
    """Deletes expired revocations, assertions and attempts, and sign-ins too old to vouch for an address."""
    session.exec(delete(RevokedToken).where(col(RevokedToken.expires_at) < now))
    session.exec(delete(UsedAssertion).where(col(UsedAssertion.expires_at) < now))
    session.exec(delete(SignInAttempt).where(col(SignInAttempt.at) < now - WINDOW))
    session.exec(delete(SignIn).where(col(SignIn.expires_at) < now - KNOWN_FOR))

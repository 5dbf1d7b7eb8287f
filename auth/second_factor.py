"""One-time codes (TOTP, RFC 6238): one step either side, no step twice, the secret sealed."""

from __future__ import annotations

import hmac
import uuid
from datetime import datetime
from typing import Protocol

import pyotp
from sqlmodel import Session

from auth.roles import SECOND_FACTOR_ROLES, Role
from auth.tables import Account

STEP_SECONDS = 30
_COLUMN = "account.totp_sealed"


class Cipher(Protocol):
    """Seals a text for one column of one row."""

    def seal(self, column: str, row_id: uuid.UUID, text: str) -> bytes: ...
    def open(self, column: str, row_id: uuid.UUID, sealed: bytes) -> str: ...


def enrol(session: Session, account: Account, cipher: Cipher, *, issuer: str) -> str:
    """Gives the account a new secret; the otpauth URI for the person's device, shown once and kept nowhere."""
    secret = pyotp.random_base32()
    account.totp_sealed, account.totp_step = cipher.seal(_COLUMN, account.id, secret), None
    session.add(account)
    session.flush()
    return pyotp.TOTP(secret).provisioning_uri(name=account.name, issuer_name=issuer)


def is_required(roles: frozenset[Role], *, demanded: bool) -> bool:
    """Whether these roles need a second factor where the settings demand it."""
    return demanded and bool(roles & SECOND_FACTOR_ROLES)


def accepts(account: Account, code: str, cipher: Cipher, now: datetime) -> bool:
    """Whether the code is good now; if so its step is used up. The caller holds the account's row."""
    if account.totp_sealed is None or not (len(code) == 6 and code.isascii() and code.isdigit()):
        return False
    totp = pyotp.TOTP(cipher.open(_COLUMN, account.id, account.totp_sealed))
    this = int(now.timestamp()) // STEP_SECONDS
    for step in (this - 1, this, this + 1):
        unused = account.totp_step is None or step > account.totp_step
        if unused and hmac.compare_digest(totp.generate_otp(step), code):
            account.totp_step = step
            return True
    return False

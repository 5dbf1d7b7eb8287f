"""Machine clients: registered by an operator, proving themselves by a secret or by a key only they hold."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from auth import tokens
from auth.errors import InvalidToken, Taken, UnfitKey, UnfitName
from auth.p256 import from_jwk, pair, public_pem
from auth.tables import Client, UsedAssertion
from auth.tokens import Realm

SCOPES = frozenset({"verify", "directory", "changes"})
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


def add(
    session: Session,
    name: str,
    organisation: str,
    scopes: frozenset[str],
    *,
    public_key: str | None = None,
    secret: str | None = None,
    purpose: str | None = None,
    now: datetime,
) -> tuple[Client, str | None]:
    """A new client, and its secret when it has no key of its own: shown once, only the digest is kept.

    `public_key` is PEM or JWK text. `secret` is for a demo that wants a known one. Raises `UnfitName`, `UnfitKey`, `Taken`.
    """
    if not _NAME.fullmatch(name):
        raise UnfitName(
            "客户端名为 1 至 64 个字母、数字或 . _ -，以字母或数字开头。",
            "A client's name has 1 to 64 letters, digits or . _ - and begins with a letter or digit.",
        )
    pem = None if public_key is None else public_key_pem(public_key)
    given = None if pem else secret or secrets.token_urlsafe(32)
    added = session.scalars(
        insert(Client)
        .values(
            name=name,
            organisation=organisation,
            scopes=sorted(scopes),
            purpose=purpose,
            secret_sha256=None if given is None else _digest(given),
            public_key=pem,
            created_at=now,
        )
        .on_conflict_do_nothing(constraint="uq_client_name")
        .returning(Client)
    ).one_or_none()
    if added is None:
        raise Taken("已有同名客户端。", "There is a client of this name already.")
    return added, given


def set_secret(client: Client, secret: str) -> None:
    """Another secret for a client that proves itself by one; the one before no longer counts."""
    client.secret_sha256, client.public_key = _digest(secret), None


def disable(session: Session, client_id: uuid.UUID, *, now: datetime) -> bool:
    """Closes the client and with it all its tokens; whether it was open."""
    closed = session.execute(
        sa.update(Client)
        .where(col(Client.id) == client_id, col(Client.disabled_at).is_(None))
        .values(disabled_at=now)
        .returning(col(Client.id))
    )
    return closed.one_or_none() is not None


def find(session: Session, name: str) -> Client | None:
    if not _NAME.fullmatch(name):
        return None
    return session.exec(select(Client).where(Client.name == name)).one_or_none()


def by_secret(session: Session, name: str, secret: str) -> Client | None:
    """The client that this secret proves, unless it is disabled or proves itself by a key."""
    client = find(session, name)
    kept = client.secret_sha256 if client else None
    right = hmac.compare_digest(kept or bytes(32), _digest(secret))
    return client if client and kept and right and client.disabled_at is None else None


def by_assertion(session: Session, assertion: str, realm: Realm, *, now: datetime) -> Client | None:
    """The client that this assertion proves (`private_key_jwt`); it counts once. Commit whatever comes of the request."""
    try:
        client = find(session, tokens.claimed_issuer(assertion))
        if client is None or client.public_key is None or client.disabled_at is not None:
            return None
        proof = tokens.read_assertion(assertion, client.public_key, realm, now)
    except InvalidToken:
        return None
    first = session.execute(
        insert(UsedAssertion)
        .values(client_id=client.id, jti=proof.jti, expires_at=proof.expires_at)
        .on_conflict_do_nothing()
        .returning(col(UsedAssertion.jti))
    ).one_or_none()
    return client if first else None


def public_key_pem(text: str) -> str:
    """A P-256 public key given as PEM or JWK, as PEM. Raises `UnfitKey`."""
    if "PRIVATE KEY" in text:
        raise UnfitKey(
            "这是私钥，请提供公钥。", "This is a private key; give the public one, and keep this one to yourself."
        )
    try:
        key = _from_jwk(json.loads(text)) if text.lstrip().startswith("{") else pair(text.encode())[0]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise UnfitKey("公钥须为 P-256，PEM 或 JWK 格式。", "Give a P-256 public key as PEM or JWK.") from None
    return public_pem(key)


def _from_jwk(members: Mapping[str, Any]) -> ec.EllipticCurvePublicKey:
    if "d" in members:
        raise UnfitKey(
            "这是私钥，请提供公钥。", "This is a private key; give the public one, and keep this one to yourself."
        )
    return from_jwk(members)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode(errors="replace")).digest()

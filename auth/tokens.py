"""Signed tokens: one way to make them, one strict reader. The only place that knows python-jose.

The library at its defaults accepts what must be refused (foreign algorithms, absent claims, `crit`), so it does one thing here:
to check an ES256 signature with a key object. Everything else is read by hand, and time is an argument.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from jose import jwk
from jose.backends.base import Key

from auth.actor import ActorKind
from auth.errors import InvalidToken
from auth.keys import Signer

LIFETIME = timedelta(minutes=10)
SKEW = timedelta(seconds=60)  # what two honest clocks may differ by
ASSERTION_LIFETIME = timedelta(hours=1)
MAX_BYTES = 4096

_SEGMENT = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_ID = re.compile(r"[\x21-\x7e]{1,255}")
_LAST_INSTANT = 253402300799  # the last second a datetime can hold


@dataclass(frozen=True)
class Realm:
    """Who issues tokens (an https address without a slash at the end), and for which interface."""

    issuer: str

    @property
    def audience(self) -> str:
        return f"{self.issuer}/api/v1"

    @property
    def token_endpoint(self) -> str:
        return f"{self.issuer}/auth/token"


@dataclass(frozen=True)
class Claims:
    """Who a token speaks for, and until when. What they may do is read from the database, not from here."""

    kind: ActorKind
    subject: uuid.UUID
    client_id: str
    jti: str
    issued_at: datetime
    expires_at: datetime
    auth_time: datetime | None = None  # of a person
    sign_in: uuid.UUID | None = None  # of a person
    scopes: frozenset[str] = frozenset()  # of a machine client


@dataclass(frozen=True)
class Assertion:
    """A client's signed statement of who it is (RFC 7523)."""

    client_id: str
    jti: str
    expires_at: datetime


def sign(header: Mapping[str, object], claims: Mapping[str, object], signer: Signer) -> str:
    """A compact JWS (RFC 7515); `alg` and `kid` are the signer's."""
    head = {**header, "alg": signer.alg, "kid": signer.kid}
    message = f"{_encode(_dump(head))}.{_encode(_dump(claims))}"
    return f"{message}.{_encode(signer.sign(message.encode()))}"


def issue(claims: Claims, realm: Realm, signer: Signer) -> str:
    """An access token (RFC 9068)."""
    body: dict[str, object] = {
        "iss": realm.issuer,
        "sub": str(claims.subject),
        "aud": realm.audience,
        "kind": str(claims.kind),
        "client_id": claims.client_id,
        "iat": _seconds(claims.issued_at),
        "nbf": _seconds(claims.issued_at),
        "exp": _seconds(claims.expires_at),
        "jti": claims.jti,
        "scope": " ".join(sorted(claims.scopes)),
    }
    if claims.auth_time is not None:
        body["auth_time"] = _seconds(claims.auth_time)
    if claims.sign_in is not None:
        body["sid"] = str(claims.sign_in)
    return sign({"typ": "at+jwt"}, body, signer)


def new_jti() -> str:
    return secrets.token_urlsafe(16)


def read(token: str, keys: Mapping[str, str], realm: Realm, now: datetime) -> Claims:
    """The claims of an access token of ours that counts at `now`; `keys` by key id, public PEM.

    Raises `InvalidToken` for everything else. Whether it was revoked is the database's to say: auth/actors.py.
    """
    body = verify(token, keys, "at+jwt")
    if _text(body, "iss") != realm.issuer:
        raise InvalidToken(reason="iss")
    if _text(body, "aud") != realm.audience:
        raise InvalidToken(reason="aud")
    issued, expires = _instant(body, "iat"), _instant(body, "exp")
    _ensure_counts(issued, _instant(body, "nbf"), expires, LIFETIME, now)
    try:
        kind = ActorKind(_text(body, "kind"))
    except ValueError:
        raise InvalidToken(reason="kind") from None
    if kind not in (ActorKind.ACCOUNT, ActorKind.CLIENT):
        raise InvalidToken(reason="kind")
    person = kind is ActorKind.ACCOUNT
    return Claims(
        kind=kind,
        subject=_uuid(body, "sub"),
        client_id=_text(body, "client_id"),
        jti=_text(body, "jti"),
        issued_at=issued,
        expires_at=expires,
        auth_time=_instant(body, "auth_time") if person else None,
        sign_in=_uuid(body, "sid") if person else None,
        scopes=_scopes(body),
    )


def read_assertion(assertion: str, public_key: str, realm: Realm, now: datetime) -> Assertion:
    """What a client proves itself with (RFC 7523, 3), checked with its registered key. Raises `InvalidToken`.

    `aud` is the issuer or the token endpoint exactly; it lives for an hour at most. That its jti is new, the caller sees to.
    """
    header, message, signature, raw = _parts(assertion)
    if header.keys() - {"alg", "typ", "kid"} or header.get("typ", "JWT") not in ("JWT", "client-authentication+jwt"):
        raise InvalidToken(reason="header")
    body = _checked(header, message, signature, raw, public_key)
    audience = body.get("aud")
    if isinstance(audience, list) and len(audience) == 1:
        audience = audience[0]
    if audience not in (realm.issuer, realm.token_endpoint):
        raise InvalidToken(reason="aud")
    issuer, expires = _text(body, "iss"), _instant(body, "exp")
    if issuer != _text(body, "sub"):
        raise InvalidToken(reason="sub")
    issued = _instant(body, "iat") if "iat" in body else now
    not_before = _instant(body, "nbf") if "nbf" in body else issued
    _ensure_counts(issued, not_before, expires, ASSERTION_LIFETIME + SKEW, now)
    if expires > now + ASSERTION_LIFETIME + SKEW:
        raise InvalidToken(reason="exp")
    return Assertion(issuer, _text(body, "jti"), expires)


def claimed_issuer(assertion: str) -> str:
    """Whose assertion it says it is, unverified: only to find the key to verify it with. Raises `InvalidToken`."""
    return _text(_object(_parts(assertion)[3]), "iss")


def verify(jws: str, keys: Mapping[str, str], typ: str) -> dict[str, Any]:
    """The payload of a compact JWS of exactly this type, signed ES256 by one of `keys`. Raises `InvalidToken`."""
    header, message, signature, raw = _parts(jws)
    # Exactly these: an unknown header may change what the rest means (crit, b64), or bring its own key (jwk, jku, x5u, x5c).
    if header.keys() != {"alg", "typ", "kid"} or header["typ"] != typ:
        raise InvalidToken(reason="header")
    kid = header["kid"]
    if not isinstance(kid, str) or kid not in keys:
        raise InvalidToken(reason="kid")
    return _checked(header, message, signature, raw, keys[kid])


def _parts(jws: str) -> tuple[dict[str, Any], bytes, bytes, bytes]:
    """Header, what was signed, signature, payload as bytes."""
    if len(jws) > MAX_BYTES:
        raise InvalidToken(reason="size")
    segments = jws.split(".")
    if len(segments) != 3:
        raise InvalidToken(reason="segments")
    header, payload, signature = (_decode(segment) for segment in segments)
    return _object(header), jws.rpartition(".")[0].encode(), signature, payload


def _checked(header: Mapping[str, Any], message: bytes, signature: bytes, payload: bytes, pem: str) -> dict[str, Any]:
    if header.get("alg") != "ES256":
        raise InvalidToken(reason="alg")
    if len(signature) != 64 or not _key(pem).verify(message, signature):
        raise InvalidToken(reason="signature")
    return _object(payload)


@lru_cache(maxsize=256)
def _key(pem: str) -> Key:
    """Built once: from PEM each time, checking costs a third more."""
    return jwk.construct(pem, "ES256")


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(segment: str) -> bytes:
    if not _SEGMENT.fullmatch(segment):
        raise InvalidToken(reason="base64")
    try:
        raw = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except binascii.Error:
        raise InvalidToken(reason="base64") from None
    if _encode(raw) != segment:  # spare bits set: a second spelling of the same token
        raise InvalidToken(reason="base64")
    return raw


def _dump(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _object(raw: bytes) -> dict[str, Any]:
    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise InvalidToken(reason="json") from None
    if not isinstance(value, dict):
        raise InvalidToken(reason="json")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise InvalidToken(reason=name)
    return value


def _uuid(body: Mapping[str, Any], name: str) -> uuid.UUID:
    value = _text(body, name)
    try:
        found = uuid.UUID(value)
    except ValueError:
        raise InvalidToken(reason=name) from None
    if str(found) != value:
        raise InvalidToken(reason=name)
    return found


def _instant(body: Mapping[str, Any], name: str) -> datetime:
    value = body.get(name)
    if type(value) is not int or not 0 <= value <= _LAST_INSTANT:  # bool is an int too
        raise InvalidToken(reason=name)
    return datetime.fromtimestamp(value, UTC)


def _scopes(body: Mapping[str, Any]) -> frozenset[str]:
    value = body.get("scope", "")
    if not isinstance(value, str):
        raise InvalidToken(reason="scope")
    return frozenset(value.split())


def _ensure_counts(issued: datetime, not_before: datetime, expires: datetime, life: timedelta, now: datetime) -> None:
    if now >= expires:
        raise InvalidToken(reason="exp")
    if not_before - now > SKEW:
        raise InvalidToken(reason="nbf")
    if issued - now > SKEW:
        raise InvalidToken(reason="iat")
    if expires - issued > life:
        raise InvalidToken(reason="life")


def _seconds(instant: datetime) -> int:
    return int(instant.timestamp())

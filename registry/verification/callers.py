"""Who knocks: the bearer token of a request, its signature checked once in its life."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime

from auth.errors import InvalidToken
from auth.tokens import SKEW, Claims, Realm, read
from registry.errors import Unauthenticated
from workflows.text import Text

KEPT = 4_096  # tokens remembered

_NONE = Text(
    "请先登录：请求头缺少 Authorization: Bearer。", "Sign in first: the header Authorization: Bearer is missing."
)


class Callers:
    """Reads tokens strictly (auth.tokens.read) and remembers what a good one said.

    A machine asks with one token for ten minutes, and the signature is dearer than the answer. Only claims are remembered:
    expiry is looked at each time, and whether the token still counts is the database's to say each time.
    """

    def __init__(self, realm: Realm) -> None:
        self._realm = realm
        self._keys: Mapping[str, str] = {}
        self._read: dict[bytes, Claims] = {}

    def trust(self, keys: Mapping[str, str]) -> None:
        """The public keys that sign tokens now; what another key signed is forgotten."""
        if keys != self._keys:
            self._keys = keys
            self._read.clear()

    def claims(self, authorization: str | None, now: datetime) -> Claims:
        """Of an Authorization header. Raises `Unauthenticated`."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated(_NONE)
        digest = hashlib.sha256(token.encode()).digest()
        known = self._read.get(digest)
        if known and known.issued_at - SKEW <= now < known.expires_at:
            return known
        try:
            claims = read(token, self._keys, self._realm, now)
        except InvalidToken as refused:
            raise Unauthenticated(Text(refused.zh, refused.en)) from None
        if len(self._read) >= KEPT:
            self._read.clear()
        self._read[digest] = claims
        return claims

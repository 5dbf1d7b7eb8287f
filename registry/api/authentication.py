"""Who calls: from the Authorization header to an actor, with one query and no trust in what the token says of roles."""

from __future__ import annotations

import re
from datetime import datetime

from starlette.requests import Request

from auth import tokens
from auth.actor import Actor
from auth.actors import ACTOR_SQL, actor_from, parameters
from auth.errors import InvalidToken
from auth.keys import KeyStore, Purpose
from auth.tokens import Claims, Realm
from registry.errors import Unauthenticated
from registry.settings import Settings
from workflows.text import Text

_BEARER = re.compile(r"bearer +(\S+)", re.IGNORECASE | re.ASCII)

# One answer for every fault: which one it was helps nobody who has a good token.
_NOT_SIGNED_IN = Text("未登录或登录已失效，请重新登录。", "Not signed in, or the sign-in has ended; sign in again.")


def authenticate(request: Request, authorization: str | None) -> Actor:
    """The actor behind a request, as the database has them now. Raises `Unauthenticated`."""
    state = request.app.state
    claims = bearer_claims(authorization, state.settings, state.keys, state.clock())
    # One statement needs no transaction around it.
    engine = state.database.engine.execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        row = connection.exec_driver_sql(ACTOR_SQL[claims.kind], parameters(claims)).one_or_none()
    if row is None:
        raise unauthenticated()
    return actor_from(row, claims)


def bearer_claims(authorization: str | None, settings: Settings, keys: KeyStore, now: datetime) -> Claims:
    """The verified claims of a Bearer token (RFC 6750), without the database: an asynchronous path asks
    `ACTOR_SQL[claims.kind]` with `parameters(claims)` itself and makes the actor by `actor_from`. Raises `Unauthenticated`.
    """
    match = _BEARER.fullmatch(authorization or "")
    if match is None:
        raise unauthenticated()
    try:
        return tokens.read(match[1], keys.verifying(Purpose.TOKEN, now), realm(settings), now)
    except InvalidToken:
        raise unauthenticated() from None


def realm(settings: Settings) -> Realm:
    """Whose tokens count here."""
    return Realm(settings.base_url)


def unauthenticated() -> Unauthenticated:
    return Unauthenticated(_NOT_SIGNED_IN)

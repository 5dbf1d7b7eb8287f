"""Sign-ins with their audit events. These commands hold their own transactions: a failure must outlive its refusal."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from auth import actors, clients, refresh, sign_in
from auth.actor import SYSTEM, Actor, ActorKind
from auth.second_factor import Cipher
from auth.sign_in import Failure
from auth.tables import Client, SignIn
from auth.tokens import LIFETIME, Claims, Realm, new_jti
from registry.log.events import record
from registry.transaction import Database, transaction

OWN_TOOLS = (
    "registry"  # the client_id of people's own tools, which have nothing to prove themselves with (RFC 9068 wants one)
)
_NOBODY = uuid.UUID(int=0)  # the subject of a failure by a name that no account has


@dataclass(frozen=True)
class Opened:
    """What an access token will say, and the refresh token beside it."""

    claims: Claims
    refresh_token: str


def by_password(
    database: Database,
    name: str,
    password: str,
    code: str,
    address: str,
    *,
    cipher: Cipher,
    demanded: bool,
    now: datetime,
) -> Opened | None:
    """A person signs in; None for whatever reason not. Raises `auth.errors.Throttled`."""
    with transaction(database) as session:
        attempt = sign_in.admit(session, name, address, now=now)
    proven = sign_in.prove(attempt, password)
    with transaction(database) as session:
        begun = sign_in.begin(session, attempt, proven=proven, code=code, cipher=cipher, demanded=demanded, now=now)
        if isinstance(begun, Failure):
            subject = attempt.account_id or _NOBODY
            payload = {"reason": str(begun), "origin": attempt.origin.hex()}
            _record(session, SYSTEM, "account.sign_in_failed", ("account", subject), payload, now)
            return None
        payload = {"sign_in": str(begun.id), "origin": attempt.origin.hex()}
        _record(session, _person(begun.account_id), "account.sign_in", ("account", begun.account_id), payload, now)
        return Opened(_claims(begun, now), refresh.issue(session, begun, now=now))


def by_refresh(database: Database, token: str, *, now: datetime) -> Opened | None:
    """The next tokens of a sign-in; None when the token is not good. One that was used before ends the sign-in."""
    with transaction(database) as session:
        match refresh.renew(session, token, now=now):
            case refresh.Renewal(begun, next_token):
                return Opened(_claims(begun, now), next_token)
            case refresh.Reuse(sign_in_id, account_id):
                payload = {"sign_in": str(sign_in_id)}
                _record(session, SYSTEM, "account.refresh_reused", ("account", account_id), payload, now)
        return None


def client_by_secret(database: Database, name: str, secret: str, address: str, *, now: datetime) -> Client | None:
    """The client this secret proves. Raises `auth.errors.Throttled`."""
    with transaction(database) as session:
        sign_in.ensure_heard(session, f"client {name}", address, now=now)
        return _heard(session, clients.by_secret(session, name, secret), name, address, now)


def client_by_assertion(
    database: Database, assertion: str, address: str, realm: Realm, *, now: datetime
) -> Client | None:
    """The client this assertion proves (RFC 7523). Raises `auth.errors.Throttled`."""
    with transaction(database) as session:
        sign_in.ensure_heard(session, "client", address, now=now)
        return _heard(session, clients.by_assertion(session, assertion, realm, now=now), "", address, now)


def client_token(database: Database, client: Client, scopes: frozenset[str], *, now: datetime) -> Claims:
    """What the access token of a proven client says."""
    with transaction(database) as session:
        actor = Actor(ActorKind.CLIENT, str(client.id), client.name)
        _record(session, actor, "client.sign_in", ("client", client.id), {"scopes": sorted(scopes)}, now)
    return Claims(
        ActorKind.CLIENT, client.id, client.name, new_jti(), issued_at=now, expires_at=now + LIFETIME, scopes=scopes
    )


def revoke(database: Database, claims: Claims, *, now: datetime) -> None:
    """Ends one access token."""
    with transaction(database) as session:
        actors.revoke(session, claims)
        actor = Actor(claims.kind, str(claims.subject), claims.client_id)
        _record(session, actor, "token.revoke", (str(claims.kind), claims.subject), {"jti": claims.jti}, now)


def sign_out(database: Database, refresh_token: str, *, now: datetime) -> None:
    """Ends the sign-in that a refresh token belongs to, with all its tokens; nothing when there is none."""
    with transaction(database) as session:
        found = refresh.find_sign_in(session, refresh_token)
        if found and (account_id := sign_in.end(session, found, now=now)):
            payload = {"sign_in": str(found)}
            _record(session, _person(account_id), "account.sign_out", ("account", account_id), payload, now)


def _heard(session: Session, client: Client | None, name: str, address: str, now: datetime) -> Client | None:
    if client is None:
        sign_in.count(session, f"client {name}".rstrip(), address, now=now)
        tried = clients.find(session, name)
        subject = tried.id if tried else _NOBODY
        _record(session, SYSTEM, "client.sign_in_failed", ("client", subject), {}, now)
    else:
        session.flush()
        session.expunge(client)  # read after the commit
    return client


def _claims(begun: SignIn, now: datetime) -> Claims:
    return Claims(
        kind=ActorKind.ACCOUNT,
        subject=begun.account_id,
        client_id=OWN_TOOLS,
        jti=new_jti(),
        issued_at=now,
        expires_at=min(now + LIFETIME, begun.expires_at),
        auth_time=begun.auth_time,
        sign_in=begun.id,
    )


def _person(account_id: uuid.UUID) -> Actor:
    return Actor(ActorKind.ACCOUNT, str(account_id), "")


def _record(
    session: Session,
    actor: Actor,
    type_: str,
    subject: tuple[str, uuid.UUID],
    payload: Mapping[str, object],
    now: datetime,
) -> None:
    record(session, actor, type_, subject, 1, payload, now=now)

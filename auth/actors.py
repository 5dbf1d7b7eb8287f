"""From a verified token to the actor: the token says who, the database says what, in one query on each request."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from auth.actor import Actor, ActorKind, Grant
from auth.roles import Role
from auth.tables import RevokedToken
from auth.tokens import Claims

# Plain SQL in the driver's own style, so that a path without SQLAlchemy asks the very same question.
# No row: disabled, signed out, revoked, or never there.
ACTOR_SQL: Mapping[ActorKind, str] = {
    ActorKind.ACCOUNT: """
        select a.name, a.physician_id, null::text[] as scopes, null::text as purpose,
               array(select g.role || ' ' || g.organisation from account_grant g where g.account_id = a.id) as grants
        from account a join sign_in s on s.account_id = a.id
        where a.id = %(subject)s and s.id = %(sign_in)s
          and a.disabled_at is null and s.ended_at is null
          and not exists (select from revoked_token r where r.jti = %(jti)s)
        """,
    ActorKind.CLIENT: """
        select c.name, null::uuid as physician_id, c.scopes, c.purpose,
               case when 'verify' = any (c.scopes) then array['verifier ' || c.organisation] else array[]::text[] end
                 as grants
        from client c
        where c.id = %(subject)s and c.disabled_at is null
          and not exists (select from revoked_token r where r.jti = %(jti)s)
        """,
}


def parameters(claims: Claims) -> dict[str, uuid.UUID | str | None]:
    """What `ACTOR_SQL[claims.kind]` asks for."""
    return {"subject": claims.subject, "sign_in": claims.sign_in, "jti": claims.jti}


def actor_from(row: Sequence[Any], claims: Claims) -> Actor:
    """The actor of one row of `ACTOR_SQL`. A client may do what its token says and it is still registered for."""
    name, physician_id, scopes, purpose, grants = row
    return Actor(
        kind=claims.kind,
        id=str(claims.subject),
        name=name,
        grants=frozenset(_grant(text) for text in grants),
        physician_id=physician_id,
        auth_time=claims.auth_time,
        scopes=claims.scopes & frozenset(scopes or ()),
        purpose=purpose,
    )


def actor_of(session: Session, claims: Claims) -> Actor | None:
    """Who stands behind verified claims now, with all they hold; None when they are disabled, signed out or revoked."""
    row = session.connection().exec_driver_sql(ACTOR_SQL[claims.kind], parameters(claims)).one_or_none()
    return None if row is None else actor_from(row, claims)


def revoke(session: Session, claims: Claims) -> None:
    """Ends one access token early, everywhere at once."""
    session.execute(insert(RevokedToken).values(jti=claims.jti, expires_at=claims.expires_at).on_conflict_do_nothing())


def _grant(text: str) -> Grant:
    role, _, organisation = text.partition(" ")
    return Grant(Role(role), organisation)

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from auth import accounts, clients
from auth.actor import Actor, ActorKind, Grant
from auth.actors import actor_of, revoke
from auth.roles import Role
from auth.tables import SignIn
from auth.tokens import Claims

HOSPITAL = "16099382211010011A1001"
FILER, REVIEWER = Grant(Role.FILER, HOSPITAL), Grant(Role.REVIEWER, "460000")


@pytest.fixture
def person(session: Session, now: datetime) -> Claims:
    account = accounts.add(session, "acting", FILER, password=None, now=now)
    accounts.give(session, account.id, REVIEWER, now=now)
    hours = timedelta(hours=12)
    sign_in = SignIn(account_id=account.id, auth_time=now, expires_at=now + hours, origin=bytes(32))
    session.add(sign_in)
    session.flush()
    return Claims(
        ActorKind.ACCOUNT, account.id, "registry", "a-jti", now, now + hours, auth_time=now, sign_in=sign_in.id
    )


@pytest.fixture
def machine(session: Session, now: datetime) -> Claims:
    scopes = frozenset({"verify", "directory"})
    client, _ = clients.add(session, "acting-machine", HOSPITAL, scopes, purpose="referral", now=now)
    hour = timedelta(hours=1)
    return Claims(ActorKind.CLIENT, client.id, client.name, "b-jti", now, now + hour, scopes=scopes | {"changes"})


def test_a_person_acts_with_what_the_database_says_they_hold(session: Session, person: Claims, now: datetime) -> None:
    assert actor_of(session, person) == Actor(
        ActorKind.ACCOUNT, str(person.subject), "acting", frozenset({FILER, REVIEWER}), auth_time=now
    )


def test_a_person_without_roles_is_somebody_who_may_nothing(session: Session, person: Claims) -> None:
    accounts.withdraw(session, person.subject, FILER)
    accounts.withdraw(session, person.subject, REVIEWER)
    actor = actor_of(session, person)
    assert actor is not None
    assert actor.grants == frozenset()


def test_a_client_does_what_its_token_says_and_it_is_still_registered_for(session: Session, machine: Claims) -> None:
    actor = actor_of(session, machine)
    assert actor is not None
    assert actor.scopes == {"verify", "directory"}
    assert actor.grants == {Grant(Role.VERIFIER, HOSPITAL)}
    assert actor.purpose == "referral"


@pytest.mark.parametrize(
    "change",
    [
        "update account set disabled_at = now()",
        "update sign_in set ended_at = now()",
    ],
)
def test_a_person_disabled_or_signed_out_is_nobody(session: Session, person: Claims, change: str) -> None:
    session.connection().execute(sa.text(change))
    assert actor_of(session, person) is None


def test_a_disabled_client_is_nobody(session: Session, machine: Claims) -> None:
    session.connection().execute(sa.text("update client set disabled_at = now()"))
    assert actor_of(session, machine) is None


def test_a_revoked_token_is_nobodys_and_another_of_the_same_person_still_counts(
    session: Session, person: Claims, machine: Claims
) -> None:
    for claims in (person, machine):
        revoke(session, claims)
        revoke(session, claims)
        assert actor_of(session, claims) is None
        assert actor_of(session, replace(claims, jti="another")) is not None


def test_a_token_cannot_borrow_anothers_sign_in_or_kind(session: Session, person: Claims, now: datetime) -> None:
    other = accounts.add(session, "other", FILER, password=None, now=now)
    assert actor_of(session, replace(person, subject=other.id)) is None
    assert actor_of(session, replace(person, sign_in=uuid.uuid4())) is None
    assert actor_of(session, replace(person, kind=ActorKind.CLIENT)) is None

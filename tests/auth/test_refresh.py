from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import Session, col, delete

from auth import accounts, refresh
from auth.actor import Grant
from auth.refresh import Renewal, Reuse
from auth.roles import Role
from auth.tables import Account, AccountGrant, SignIn


@pytest.fixture
def token(engine: sa.Engine, now: datetime) -> Iterator[str]:
    """A refresh token that other connections can see."""
    with Session(engine) as session:
        grant = Grant(Role.FILER, "16099382211010011A1001")
        account = accounts.add(session, f"refreshed-{uuid.uuid4()}", grant, password=None, now=now)
        sign_in = SignIn(account_id=account.id, auth_time=now, expires_at=now + timedelta(hours=12), origin=bytes(32))
        session.add(sign_in)
        session.flush()
        token, account_id = refresh.issue(session, sign_in, now=now), account.id
        session.commit()
    yield token
    with Session(engine) as session:
        session.exec(delete(SignIn).where(col(SignIn.account_id) == account_id))
        session.exec(delete(AccountGrant).where(col(AccountGrant.account_id) == account_id))
        session.exec(delete(Account).where(col(Account.id) == account_id))
        session.commit()


def test_the_second_use_waits_for_the_first_and_then_ends_the_sign_in(
    engine: sa.Engine, token: str, now: datetime
) -> None:
    outcomes: list[object] = []

    def use_again() -> None:
        with Session(engine) as session:
            outcomes.append(refresh.renew(session, token, now=now))
            session.commit()

    with Session(engine) as session:
        first = refresh.renew(session, token, now=now)
        assert isinstance(first, Renewal)
        second = threading.Thread(target=use_again)
        second.start()
        waiting = sa.text("select count(*) from pg_locks where not granted")
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as watcher:
            while second.is_alive() and not watcher.scalar(waiting):
                pass
        session.commit()
        second.join(10)
        assert isinstance(outcomes[0], Reuse)
        assert refresh.renew(session, first.token, now=now) is None


def test_only_the_digest_of_a_token_is_kept(engine: sa.Engine, token: str) -> None:
    with engine.connect() as connection:
        kept = connection.scalars(sa.text("select sha256 from refresh_token")).all()
    assert kept
    assert not any(token.encode() in bytes(digest) for digest in kept)


@pytest.mark.parametrize("unknown", ["", "nonsense", "\0", "\ud800", "x" * 10_000])
def test_what_was_never_given_renews_nothing(session: Session, now: datetime, unknown: str) -> None:
    assert refresh.renew(session, unknown, now=now) is None

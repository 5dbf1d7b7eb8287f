from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from datetime import datetime

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, delete

from auth import accounts
from auth.accounts import add, find, give, grants_of, name_key, withdraw
from auth.actor import Grant
from auth.errors import AdministratorsApart, Held, Taken, UnfitName, UnfitPassword
from auth.roles import Role
from auth.tables import Account, AccountGrant

PASSWORD = "tulip-harbour-29"
HOSPITAL = "16099382211010011A1001"
SYSADMIN, SECADMIN = Grant(Role.SYSADMIN, "460000"), Grant(Role.SECADMIN, "460100")


def made(session: Session, now: datetime, grant: Grant = SYSADMIN, name: str = "someone") -> Account:
    return add(session, name, grant, password=None, now=now)


def test_an_account_is_found_by_its_name_in_any_case_and_width(session: Session, now: datetime) -> None:
    account = made(session, now, name="Li.Wei")
    assert find(session, "li.wei") is account
    assert find(session, "ＬＩ.wei") is account
    assert find(session, "li.we") is None
    assert find(session, "li.wei\0") is None
    assert name_key("Ａbc") == "abc"


def test_a_name_is_given_once(session: Session, now: datetime) -> None:
    made(session, now, name="li.wei")
    with pytest.raises(Taken):
        made(session, now, name="LI.WEI")


@pytest.mark.parametrize("name", ["", " li", "li\n", "x" * 65, "\0", "a\u200bb"])
def test_a_name_that_cannot_be_read_is_refused(session: Session, now: datetime, name: str) -> None:
    with pytest.raises(UnfitName):
        made(session, now, name=name)


def test_the_password_is_kept_as_a_hash_only(session: Session, now: datetime) -> None:
    account = add(session, "hashed", SYSADMIN, password=PASSWORD, now=now)
    assert account.password_hash
    assert PASSWORD not in account.password_hash
    with pytest.raises(UnfitPassword):
        accounts.set_password(session, account, "short", now=now)


def test_a_role_is_held_until_it_is_withdrawn(session: Session, now: datetime) -> None:
    account, filer = made(session, now), Grant(Role.FILER, HOSPITAL)
    give(session, account.id, filer, now=now)
    assert grants_of(session, account.id) == {SYSADMIN, filer}
    with pytest.raises(Held):
        give(session, account.id, filer, now=now)
    assert withdraw(session, account.id, filer)
    assert not withdraw(session, account.id, filer)
    assert grants_of(session, account.id) == {SYSADMIN}


def test_nobody_is_two_kinds_of_administrator_even_in_two_places(session: Session, now: datetime) -> None:
    account = made(session, now)
    for other in (Role.SECADMIN, Role.AUDITOR):
        with pytest.raises(AdministratorsApart):
            give(session, account.id, Grant(other, "460100"), now=now)
    give(session, account.id, Grant(Role.SYSADMIN, "460100"), now=now)
    assert withdraw(session, account.id, SYSADMIN)
    assert withdraw(session, account.id, Grant(Role.SYSADMIN, "460100"))
    give(session, account.id, SECADMIN, now=now)


def test_the_database_itself_refuses_a_second_kind_of_administrator(session: Session, now: datetime) -> None:
    account = made(session, now)
    session.add(AccountGrant(account_id=account.id, role="auditor", organisation="460000"))
    with pytest.raises(IntegrityError) as refused:
        session.flush()
    assert isinstance(refused.value.orig, psycopg.errors.ExclusionViolation)
    assert refused.value.orig.diag.constraint_name == "ex_account_grant_one_kind_of_administrator"


@pytest.fixture
def committed(engine: sa.Engine, now: datetime) -> Iterator[uuid.UUID]:
    with Session(engine) as session:
        account = add(session, f"raced-{uuid.uuid4()}", Grant(Role.FILER, HOSPITAL), password=None, now=now)
        session.commit()
        account_id = account.id
    yield account_id
    with Session(engine) as session:
        session.exec(delete(AccountGrant).where(col(AccountGrant.account_id) == account_id))
        session.exec(delete(Account).where(col(Account.id) == account_id))
        session.commit()


def test_two_officers_at_once_cannot_make_one_account_two_administrators(
    engine: sa.Engine, committed: uuid.UUID, now: datetime
) -> None:
    together, outcomes = threading.Barrier(2), []

    def grant(role: Role) -> None:
        with Session(engine) as session:
            together.wait(5)
            try:
                give(session, committed, Grant(role, "460000"), now=now)
                session.commit()
                outcomes.append("granted")
            except (AdministratorsApart, sa.exc.OperationalError):
                outcomes.append("refused")

    threads = [threading.Thread(target=grant, args=(role,)) for role in (Role.SYSADMIN, Role.AUDITOR)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(outcomes) == ["granted", "refused"]
    with Session(engine) as session:
        assert len(grants_of(session, committed)) == 2  # filer and one administrator


@pytest.mark.parametrize(
    ("role", "organisation"),
    [
        ("filer", "460000"),
        ("physician", "460000"),
        ("reviewer", HOSPITAL),
        ("sysadmin", HOSPITAL),
        ("verifier", "46"),
        ("king", "460000"),
    ],
)
def test_the_database_knows_where_a_role_can_be_held(
    session: Session, now: datetime, role: str, organisation: str
) -> None:
    account = made(session, now)
    session.add(AccountGrant(account_id=account.id, role=role, organisation=organisation))
    with pytest.raises(IntegrityError):
        session.flush()

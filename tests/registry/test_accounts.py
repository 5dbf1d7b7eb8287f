from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from auth.actor import Grant
from auth.keys import KeyStore, Purpose
from auth.roles import Role
from registry.accounts import (
    add_account,
    disable_account,
    get,
    grant_role,
    list_accounts,
    withdraw_role,
)
from registry.clients import add_client, disable_client, list_clients
from registry.errors import Conflict, DomainError, Invalid, NotFound, Refusal
from registry.rotation import rotate_keys
from tests.world import World

PASSWORD = "tulip-harbour-29"
AUTHORITY = "460000"


@pytest.fixture
def books(world: World) -> Iterator[Session]:
    """A session on the loaded province; nothing in it stays."""
    with Session(world.database.engine) as session:
        yield session
        session.rollback()


def add(session: Session, now: datetime, role: str, organisation: str, name: str = "someone", **more: object) -> None:
    code = more.pop("practising_code", None)
    assert code is None or isinstance(code, str)
    demo = bool(more.pop("demo", True))
    add_account(session, name, role, organisation, PASSWORD, practising_code=code, demo=demo, now=now)


def last_event(session: Session) -> tuple[str, str, str | None]:
    row = session.connection().execute(
        sa.text("select type, actor, organisation from audit_event order by seq desc limit 1")
    )
    type_, actor, organisation = row.one()
    return type_, actor, organisation


def test_each_change_of_an_account_is_an_event_of_the_operator(books: Session, world: World, now: datetime) -> None:
    hospital = world.internet["登记号"]
    add(books, now, "filer", hospital)
    assert last_event(books) == ("account.add", "operator", hospital)
    grant_role(books, "someone", "reviewer", AUTHORITY, demo=True, now=now)
    assert last_event(books) == ("account.grant", "operator", AUTHORITY)
    withdraw_role(books, "someone", "filer", hospital, demo=True, now=now)
    assert last_event(books) == ("account.withdraw", "operator", hospital)
    (mine,) = [each for each in list_accounts(books) if each.name == "someone"]
    assert list(mine.grants) == [Grant(Role.REVIEWER, AUTHORITY)]
    assert not mine.disabled
    disable_account(books, "someone", demo=True, now=now)
    assert last_event(books) == ("account.disable", "operator", None)
    (mine,) = [each for each in list_accounts(books) if each.name == "someone"]
    assert mine.disabled


def test_a_physicians_account_is_bound_to_the_physician(books: Session, world: World, now: datetime) -> None:
    row = world.physician()
    add(books, now, "physician", row["主要执业机构登记号"], practising_code=row["执业证书编码"])
    bound = books.connection().scalar(
        sa.text("select practising_code from physician where id = :id").bindparams(
            id=get(books, "someone").physician_id
        )
    )
    assert bound == row["执业证书编码"]


def test_an_account_is_bound_to_one_physician_only(books: Session, world: World, now: datetime) -> None:
    first, second = world.physician(), world.physician()
    add(books, now, "physician", first["主要执业机构登记号"], practising_code=first["执业证书编码"])
    with pytest.raises(Refusal, match="another physician"):
        grant_role(
            books,
            "someone",
            "physician",
            second["主要执业机构登记号"],
            practising_code=second["执业证书编码"],
            demo=True,
            now=now,
        )


@pytest.mark.parametrize(
    ("role", "organisation", "code", "error", "says"),
    [
        ("king", AUTHORITY, None, Invalid, "No such role"),
        ("reviewer", "990000", None, NotFound, "990000"),
        ("filer", "00000000000000000A0000", None, NotFound, "import the institutions"),
        ("filer", "", None, NotFound, "no authority or institution"),
        ("filer", AUTHORITY, None, Invalid, "held in an institution"),
        ("reviewer", "HOSPITAL", None, Invalid, "held in an authority"),
        ("physician", "HOSPITAL", None, Invalid, "--physician"),
        ("filer", "HOSPITAL", "110460000000001", Invalid, "--physician"),
        ("physician", "HOSPITAL", "000000000000000", NotFound, "import the register"),
        ("physician", "HOSPITAL", "ELSEWHERE", Refusal, "not the main institution"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_clear_line(
    books: Session,
    world: World,
    now: datetime,
    role: str,
    organisation: str,
    code: str | None,
    error: type[DomainError],
    says: str,
) -> None:
    hospital = world.internet["登记号"] if organisation == "HOSPITAL" else organisation
    practising_code = world.physician()["执业证书编码"] if code == "ELSEWHERE" else code
    with pytest.raises(error) as refused:
        add(books, now, role, hospital, practising_code=practising_code)
    assert says in refused.value.text.en
    assert "\n" not in refused.value.text.en + refused.value.text.zh
    assert refused.value.text.zh != refused.value.text.en


def test_a_name_in_use_points_to_the_right_command(books: Session, now: datetime) -> None:
    add(books, now, "reviewer", AUTHORITY)
    with pytest.raises(Conflict, match="registry account grant"):
        add(books, now, "senior", AUTHORITY, name="SOMEONE")


def test_a_second_kind_of_administrator_is_refused(books: Session, now: datetime) -> None:
    add(books, now, "sysadmin", AUTHORITY)
    with pytest.raises(Refusal, match="three persons"):
        grant_role(books, "someone", "auditor", "460100", demo=True, now=now)


def test_in_production_the_operator_ends_where_people_govern(books: Session, now: datetime) -> None:
    add(books, now, "lead", "460100", "the-lead", demo=False)
    add(books, now, "secadmin", "460100", "the-secadmin", demo=False)
    acts: list[Callable[[], None]] = [
        lambda: add(books, now, "reviewer", "460100", "one-more", demo=False),
        lambda: grant_role(books, "the-lead", "senior", "460100", demo=False, now=now),
        lambda: withdraw_role(books, "the-lead", "lead", "460100", demo=False, now=now),
        lambda: disable_account(books, "the-secadmin", demo=False, now=now),
    ]
    for act in acts:
        with pytest.raises(Refusal, match="its own lead and secadmin"):
            act()
    add(books, now, "reviewer", "460200", "elsewhere", demo=False)
    add(books, now, "reviewer", "460100", "in-a-demo", demo=True)


def test_an_account_that_is_not_there_or_closed_is_said_so(books: Session, now: datetime) -> None:
    with pytest.raises(NotFound, match="registry account add"):
        disable_account(books, "nobody", demo=True, now=now)
    add(books, now, "reviewer", AUTHORITY)
    with pytest.raises(NotFound, match="no role lead"):
        withdraw_role(books, "someone", "lead", AUTHORITY, demo=True, now=now)
    disable_account(books, "someone", demo=True, now=now)
    with pytest.raises(Conflict, match="already"):
        disable_account(books, "someone", demo=True, now=now)


def test_a_client_is_added_once_and_its_secret_shown_once(books: Session, world: World, now: datetime) -> None:
    hospital = world.internet["登记号"]
    secret = add_client(books, "his-1", hospital, ["verify", "changes"], now=now)
    assert secret
    assert len(secret) >= 43
    assert last_event(books) == ("client.add", "operator", hospital)
    with pytest.raises(Conflict):
        add_client(books, "his-1", hospital, ["verify"], now=now)
    kept = books.connection().execute(sa.text("select client::text from client where name = 'his-1'")).scalar_one()
    assert secret not in kept
    (mine,) = [client for client in list_clients(books) if client.name == "his-1"]
    assert mine.scopes == ["changes", "verify"]
    disable_client(books, "his-1", now=now)
    with pytest.raises(Conflict):
        disable_client(books, "his-1", now=now)


@pytest.mark.parametrize(
    ("name", "organisation", "scopes", "key"),
    [
        ("his 2", AUTHORITY, ["verify"], None),
        ("his-2", "990000", ["verify"], None),
        ("his-2", AUTHORITY, [], None),
        ("his-2", AUTHORITY, ["everything"], None),
        ("his-2", AUTHORITY, ["verify"], "not a key"),
    ],
)
def test_a_client_that_cannot_be_is_refused(
    books: Session, now: datetime, name: str, organisation: str, scopes: list[str], key: str | None
) -> None:
    with pytest.raises((Invalid, NotFound)):
        add_client(books, name, organisation, scopes, public_key=key, now=now)


def test_a_rotation_is_an_event_and_rotates_both_signing_keys(books: Session, now: datetime, tmp_path: Path) -> None:
    store = KeyStore(tmp_path)
    store.make_missing(now, generated=False)
    rotated = rotate_keys(books, store, now=now)
    assert [key.purpose for key in rotated] == [Purpose.TOKEN, Purpose.RECEIPT]
    assert last_event(books) == ("keys.rotate", "operator", None)
    assert [key.purpose for key in rotate_keys(books, store, Purpose.PERSONAL, now=now)] == [Purpose.PERSONAL]

from __future__ import annotations

from datetime import datetime, timedelta

import pyotp
import pytest
from sqlmodel import Session, col, delete, select

from auth import accounts, second_factor, sign_in
from auth.actor import Grant
from auth.errors import Throttled
from auth.roles import Role
from auth.sign_in import IN_ALL, PER_ADDRESS, PER_ORIGIN, Failure
from auth.sweep import sweep
from auth.tables import Account, SignIn, SignInAttempt
from registry.sealed import Seal

PASSWORD = "tulip-harbour-29"
SEAL = Seal({1: bytes(32)})
HERE, ELSEWHERE = "192.0.2.1", "198.51.100.7"
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _quiet(session: Session) -> None:
    """Nobody has failed before: other tests leave their attempts behind."""
    session.exec(delete(SignInAttempt))


@pytest.fixture
def owner(session: Session, now: datetime) -> Account:
    return accounts.add(session, "owner", Grant(Role.REVIEWER, "460000"), password=PASSWORD, now=now)


def tried(
    session: Session,
    now: datetime,
    password: str = PASSWORD,
    *,
    name: str = "owner",
    address: str = HERE,
    code: str = "",
    demanded: bool = False,
) -> SignIn | Failure:
    attempt = sign_in.admit(session, name, address, now=now)
    proven = sign_in.prove(attempt, password)
    return sign_in.begin(session, attempt, proven=proven, code=code, cipher=SEAL, demanded=demanded, now=now)


def failed(session: Session, now: datetime, times: int, name: str = "owner", address: str = HERE) -> None:
    for _ in range(times):
        sign_in.count(session, name, address, now=now)


def test_the_right_password_signs_in(session: Session, owner: Account, now: datetime) -> None:
    opened = tried(session, now)
    assert isinstance(opened, SignIn)
    assert (opened.account_id, opened.auth_time) == (owner.id, now)
    assert opened.expires_at == now + timedelta(hours=12)


def test_every_other_state_fails_and_says_why_to_the_audit_only(
    session: Session, owner: Account, now: datetime
) -> None:
    assert tried(session, now, "not the password") is Failure.PASSWORD
    assert tried(session, now, name="nobody") is Failure.UNKNOWN
    accounts.add(session, "passwordless", Grant(Role.REVIEWER, "460000"), password=None, now=now)
    assert tried(session, now, name="passwordless") is Failure.PASSWORD
    accounts.disable(session, owner.id, now=now)
    assert tried(session, now) is Failure.DISABLED


def test_ten_failures_close_the_door_for_the_rest_of_five_minutes(
    session: Session, owner: Account, now: datetime
) -> None:
    failed(session, now, PER_ORIGIN)
    with pytest.raises(Throttled) as throttled:
        tried(session, now + 2 * MINUTE)
    assert throttled.value.retry_after == 180
    assert isinstance(tried(session, now + 5 * MINUTE), SignIn)


def test_the_owner_still_gets_in_from_elsewhere(session: Session, owner: Account, now: datetime) -> None:
    failed(session, now, PER_ORIGIN)
    assert isinstance(tried(session, now, address=ELSEWHERE), SignIn)


def test_spelling_the_name_another_way_is_the_same_name(session: Session, owner: Account, now: datetime) -> None:
    failed(session, now, PER_ORIGIN)
    with pytest.raises(Throttled):
        tried(session, now, name="ＯＷＮＥＲ")


def test_a_throttled_attempt_does_not_lengthen_the_wait(session: Session, owner: Account, now: datetime) -> None:
    failed(session, now, PER_ORIGIN)
    with pytest.raises(Throttled):
        tried(session, now + 4 * MINUTE)
    assert isinstance(tried(session, now + 5 * MINUTE), SignIn)


def test_a_success_forgets_the_failures_before_it(session: Session, owner: Account, now: datetime) -> None:
    failed(session, now, PER_ORIGIN - 1)
    assert isinstance(tried(session, now), SignIn)
    assert not session.exec(select(SignInAttempt).where(col(SignInAttempt.at) == now)).all()


def test_an_attempt_is_counted_before_the_password_is_looked_at(
    session: Session, owner: Account, now: datetime
) -> None:
    for _ in range(PER_ORIGIN):
        sign_in.admit(session, "owner", HERE, now=now)  # and the connection breaks
    with pytest.raises(Throttled):
        sign_in.admit(session, "owner", HERE, now=now)


def test_one_address_that_tries_many_names_is_closed_out(session: Session, owner: Account, now: datetime) -> None:
    for number in range(PER_ADDRESS):
        failed(session, now, 1, name=f"guess-{number}")
    with pytest.raises(Throttled):
        tried(session, now, name="another-guess")
    assert isinstance(tried(session, now, address=ELSEWHERE), SignIn)


def test_a_flood_from_everywhere_stops_strangers_and_not_who_is_known_here(
    session: Session, owner: Account, now: datetime
) -> None:
    assert isinstance(tried(session, now), SignIn)
    session.add_all(
        SignInAttempt(at=now, origin=number.to_bytes(32), address=number.to_bytes(32)) for number in range(IN_ALL)
    )
    session.flush()
    with pytest.raises(Throttled):
        tried(session, now, address=ELSEWHERE)
    assert isinstance(tried(session, now), SignIn)


def test_counters_keep_no_name_and_no_address(session: Session, now: datetime) -> None:
    failed(session, now, 1, name="a-password-typed-as-name")
    row = session.exec(select(SignInAttempt).where(col(SignInAttempt.at) == now)).one()
    assert b"password" not in row.origin + row.address
    assert HERE.encode() not in row.origin + row.address


def test_where_it_is_demanded_a_reviewer_needs_a_code(session: Session, owner: Account, now: datetime) -> None:
    assert tried(session, now, demanded=True) is Failure.SECOND_FACTOR
    device = pyotp.parse_uri(second_factor.enrol(session, owner, SEAL, issuer="Registry"))
    assert isinstance(device, pyotp.TOTP)
    code = device.at(now)
    assert tried(session, now, code="000000" if code != "000000" else "111111", demanded=True) is Failure.SECOND_FACTOR
    assert isinstance(tried(session, now, code=code, demanded=True), SignIn)
    assert tried(session, now, code=code, demanded=True) is Failure.SECOND_FACTOR


def test_a_code_that_was_enrolled_is_asked_for_everywhere(session: Session, owner: Account, now: datetime) -> None:
    second_factor.enrol(session, owner, SEAL, issuer="Registry")
    assert tried(session, now, demanded=False) is Failure.SECOND_FACTOR


def test_a_new_password_ends_the_sign_ins_of_the_old_one(session: Session, owner: Account, now: datetime) -> None:
    opened = tried(session, now)
    assert isinstance(opened, SignIn)
    accounts.set_password(session, owner, "another-harbour-30", now=now)
    session.refresh(opened)
    assert opened.ended_at == now


def test_what_has_no_use_any_more_is_swept_away(session: Session, owner: Account, now: datetime) -> None:
    tried(session, now)
    failed(session, now, 3, name="somebody")
    sweep(session, now=now + timedelta(days=1))
    assert not session.exec(select(SignInAttempt).where(col(SignInAttempt.at) == now)).all()
    assert session.exec(select(SignIn).where(col(SignIn.account_id) == owner.id)).all()
    sweep(session, now=now + timedelta(days=40))
    assert not session.exec(select(SignIn).where(col(SignIn.account_id) == owner.id)).all()

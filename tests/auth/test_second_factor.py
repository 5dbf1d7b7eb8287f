from __future__ import annotations

import uuid
from datetime import datetime, timedelta

import pyotp
import pytest
from sqlmodel import Session

from auth import accounts, second_factor
from auth.actor import Grant
from auth.roles import Role
from auth.tables import Account
from registry.sealed import Seal, SealBroken

SEAL = Seal({1: bytes(range(32))})
STEP = timedelta(seconds=30)


@pytest.fixture
def account(session: Session, now: datetime) -> Account:
    return accounts.add(session, "otp-owner", Grant(Role.REVIEWER, "460000"), password=None, now=now)


@pytest.fixture
def device(session: Session, account: Account) -> pyotp.TOTP:
    made = pyotp.parse_uri(second_factor.enrol(session, account, SEAL, issuer="Registry"))
    assert isinstance(made, pyotp.TOTP)
    return made


def test_the_code_of_now_and_of_one_step_either_side_is_taken(
    account: Account, device: pyotp.TOTP, now: datetime
) -> None:
    for moment in (now - STEP, now, now + STEP):
        assert second_factor.accepts(account, device.at(moment), SEAL, now)


@pytest.mark.parametrize("steps", [-3, -2, 2, 3])
def test_a_code_of_another_time_is_refused(account: Account, device: pyotp.TOTP, now: datetime, steps: int) -> None:
    assert not second_factor.accepts(account, device.at(now + steps * STEP), SEAL, now)


def test_no_code_is_taken_twice_nor_an_earlier_one_after_it(
    account: Account, device: pyotp.TOTP, now: datetime
) -> None:
    assert second_factor.accepts(account, device.at(now), SEAL, now)
    assert not second_factor.accepts(account, device.at(now), SEAL, now)
    assert not second_factor.accepts(account, device.at(now - STEP), SEAL, now)
    assert second_factor.accepts(account, device.at(now + STEP), SEAL, now + STEP)


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "１２３４５６", "12345\n", "-12345"])
def test_what_is_no_code_is_refused(account: Account, device: pyotp.TOTP, now: datetime, code: str) -> None:
    assert not second_factor.accepts(account, code, SEAL, now)


def test_without_enrolment_no_code_is_good(account: Account, now: datetime) -> None:
    assert not second_factor.accepts(account, "000000", SEAL, now)


def test_the_secret_is_sealed_for_its_own_account(account: Account, device: pyotp.TOTP, now: datetime) -> None:
    assert account.totp_sealed is not None
    assert device.secret.encode() not in account.totp_sealed
    with pytest.raises(SealBroken):
        SEAL.open("account.totp_sealed", uuid.uuid4(), account.totp_sealed)


def test_the_authoritys_roles_need_it_where_it_is_demanded() -> None:
    assert second_factor.is_required(frozenset({Role.FILER, Role.REVIEWER}), demanded=True)
    assert not second_factor.is_required(frozenset({Role.FILER, Role.PHYSICIAN}), demanded=True)
    assert not second_factor.is_required(frozenset({Role.LEAD}), demanded=False)

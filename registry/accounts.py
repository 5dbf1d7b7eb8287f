"""Accounts as the installing operator makes them (`registry account …`). Each change is an event of the operator's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from auth import accounts, second_factor
from auth.actor import OPERATOR, Grant, is_division
from auth.errors import AdministratorsApart, AuthError, Held, Taken
from auth.roles import AUTHORITY_ROLES, INSTITUTION_ROLES, Role
from auth.second_factor import Cipher
from auth.tables import Account
from registry.authorities import queries as authorities
from registry.authorities.commands import ensure_operator_may_act
from registry.errors import Conflict, Invalid, NotFound, Refusal
from registry.institutions import queries as institutions
from registry.log.events import record
from registry.physicians.tables import Physician, Registration
from workflows.text import Text

_PHYSICIAN = Text(
    "角色 physician 须以 --physician 给出执业证书编码，其他角色不得给出。",
    "Role physician needs --physician with the practising code; no other role takes it.",
)


@dataclass(frozen=True)
class Listed:
    """One account as `registry account list` shows it."""

    name: str
    grants: Sequence[Grant]
    disabled: bool


def add_account(
    session: Session,
    name: str,
    role: str,
    organisation: str,
    password: str,
    *,
    practising_code: str | None = None,
    demo: bool,
    now: datetime,
) -> Account:
    """A new account holding `role` in `organisation`. Raises `DomainError` with one clear line."""
    grant = _grant(session, role, organisation, demo=demo)
    physician = _physician(session, grant, practising_code)
    if accounts.find(session, name) is not None:
        raise _taken(name)
    with in_our_words():
        try:
            account = accounts.add(
                session, name, grant, password=password, physician_id=physician.id if physician else None, now=now
            )
        except Taken:  # between the look and the write
            raise _taken(name) from None
    _record(session, "account.add", account, grant, now)
    return account


def grant_role(
    session: Session,
    name: str,
    role: str,
    organisation: str,
    *,
    practising_code: str | None = None,
    demo: bool,
    now: datetime,
) -> None:
    """One more role for an account. Raises `DomainError`."""
    account = get(session, name)
    grant = _grant(session, role, organisation, demo=demo)
    physician = _physician(session, grant, practising_code)
    if physician is not None:
        if account.physician_id not in (None, physician.id):
            raise Refusal(
                Text("该账号已绑定另一位医师。", "The account is bound to another physician; add a second account.")
            )
        account.physician_id = physician.id
    with in_our_words():
        accounts.give(session, account.id, grant, now=now)
    _record(session, "account.grant", account, grant, now)


def withdraw_role(session: Session, name: str, role: str, organisation: str, *, demo: bool, now: datetime) -> None:
    """Ends a role at once, in running sign-ins too. Raises `DomainError`."""
    account = get(session, name)
    grant = _grant(session, role, organisation, demo=demo)
    if not accounts.withdraw(session, account.id, grant):
        raise NotFound(
            Text(f"该账号在 {organisation} 没有角色 {role}。", f"The account has no role {role} in {organisation}.")
        )
    _record(session, "account.withdraw", account, grant, now)


def disable_account(session: Session, name: str, *, demo: bool, now: datetime) -> None:
    """Closes an account and ends its sign-ins. Raises `DomainError`."""
    account = get(session, name)
    for organisation in sorted({g.organisation for g in accounts.grants_of(session, account.id)}):
        _ensure_operators(session, organisation, demo=demo)
    if not accounts.disable(session, account.id, now=now):
        raise Conflict(Text("该账号已停用。", "The account is disabled already."))
    record(session, OPERATOR, "account.disable", ("account", account.id), 1, {}, now=now)


def give_second_factor(session: Session, name: str, cipher: Cipher, *, issuer: str, demo: bool, now: datetime) -> str:
    """A new one-time-code secret in place of any other: the otpauth address, to be shown once. Raises `DomainError`."""
    account = get(session, name)
    for organisation in sorted({g.organisation for g in accounts.grants_of(session, account.id)}):
        _ensure_operators(session, organisation, demo=demo)
    address = second_factor.enrol(session, account, cipher, issuer=issuer)
    record(session, OPERATOR, "account.second_factor", ("account", account.id), 1, {}, now=now)
    return address


def list_accounts(session: Session) -> list[Listed]:
    """Every account with its roles, by name."""
    found = session.exec(select(Account).order_by(col(Account.name_key))).all()
    held = accounts.listed(session, [account.id for account in found])
    return [
        Listed(a.name, sorted(held[a.id], key=lambda g: (g.organisation, g.role)), a.disabled_at is not None)
        for a in found
    ]


def get(session: Session, name: str) -> Account:
    """`NotFound` when there is none."""
    found = accounts.find(session, name)
    if found is None:
        raise NotFound(
            Text(
                "没有这个账号，请先运行 registry account add。", "There is no such account; run: registry account add."
            )
        )
    return found


def ensure_organisation(session: Session, organisation: str) -> None:
    """Raises `NotFound` unless it is an authority's division code or an institution's registration number that is here."""
    if is_division(organisation):
        known = authorities.exists(session, organisation)
    else:
        known = institutions.find(session, organisation) is not None
    if not known:
        raise NotFound(
            Text(
                f"没有代码为 {organisation} 的机关或机构，请先导入机构。",
                f"There is no authority or institution {organisation}; import the institutions first.",
            )
        )


@contextmanager
def in_our_words() -> Iterator[None]:
    """What the auth package refuses, as an error of the domain."""
    try:
        yield
    except AuthError as error:
        text = Text(error.zh, error.en)
        if isinstance(error, (Taken, Held)):
            raise Conflict(text) from None
        if isinstance(error, AdministratorsApart):
            raise Refusal(text) from None
        raise Invalid(text) from None


def _grant(session: Session, role: str, organisation: str, *, demo: bool) -> Grant:
    try:
        grant = Grant(Role(role), organisation)
    except ValueError:
        raise Invalid(
            Text(f"没有这个角色；可用：{'、'.join(Role)}。", f"No such role; there are: {', '.join(Role)}.")
        ) from None
    if is_division(organisation) and grant.role in INSTITUTION_ROLES:
        raise Invalid(
            Text(f"角色 {role} 只能在医疗机构担任。", f"Role {role} is held in an institution, not in an authority.")
        )
    if not is_division(organisation) and grant.role in AUTHORITY_ROLES:
        raise Invalid(
            Text(
                f"角色 {role} 只能在卫生健康行政部门担任。",
                f"Role {role} is held in an authority, not in an institution.",
            )
        )
    ensure_organisation(session, organisation)
    _ensure_operators(session, organisation, demo=demo)
    return grant


def _ensure_operators(session: Session, organisation: str, *, demo: bool) -> None:
    if is_division(organisation):
        ensure_operator_may_act(session, organisation, demo=demo)


def _physician(session: Session, grant: Grant, practising_code: str | None) -> Physician | None:
    if (grant.role is Role.PHYSICIAN) != (practising_code is not None):
        raise Invalid(_PHYSICIAN)
    if practising_code is None:
        return None
    found = session.exec(select(Physician).where(col(Physician.practising_code) == practising_code)).one_or_none()
    if found is None:
        raise NotFound(
            Text(
                "没有该执业证书编码的医师，请先导入医师注册信息。",
                "No physician has this practising code; import the register first.",
            )
        )
    at_home = session.exec(
        select(Registration.id)
        .where(
            Registration.physician_id == found.id,
            Registration.main_registration_no == grant.organisation,
            sa.func.upper_inf(col(Registration.recorded)),
        )
        .limit(1)
    ).first()
    if at_home is None:
        raise Refusal(
            Text(
                f"{grant.organisation} 不是该医师的主要执业机构。",
                f"{grant.organisation} is not the main institution of this physician.",
            )
        )
    return found


def _taken(name: str) -> Conflict:
    return Conflict(
        Text(
            f"已有账号 {name}；如需增加角色，请用 registry account grant。",
            f"There is an account {name} already; to give it another role use: registry account grant.",
        )
    )


def _record(session: Session, type_: str, account: Account, grant: Grant, now: datetime) -> None:
    payload = {"role": str(grant.role), "organisation": grant.organisation}
    subject = ("account", account.id)
    record(session, OPERATOR, type_, subject, 1, payload, now=now, organisation=grant.organisation)

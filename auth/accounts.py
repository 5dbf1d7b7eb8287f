"""Accounts and the roles they hold: added, granted, withdrawn, disabled. Only the edge commits."""

from __future__ import annotations

import unicodedata
import uuid
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select, update

from auth.actor import Grant
from auth.errors import AdministratorsApart, Held, Taken, UnfitName
from auth.passwords import ensure_fit, hash_password
from auth.roles import ADMINISTRATORS
from auth.tables import Account, AccountGrant, SignIn


def name_key(name: str) -> str:
    """What two spellings of one name share: width and case do not tell accounts apart."""
    return unicodedata.normalize("NFKC", name).casefold()


def add(
    session: Session,
    name: str,
    grant: Grant,
    *,
    password: str | None,
    physician_id: uuid.UUID | None = None,
    now: datetime,
) -> Account:
    """A new account with its first role. Raises `UnfitName`, `UnfitPassword`, `Taken`."""
    _ensure_name(name)
    if password is not None:
        ensure_fit(password, name)
    added = session.scalars(
        insert(Account)
        .values(
            name=name,
            name_key=name_key(name),
            password_hash=None if password is None else hash_password(password),
            physician_id=physician_id,
            created_at=now,
        )
        .on_conflict_do_nothing(constraint="uq_account_name_key")
        .returning(Account)
    ).one_or_none()
    if added is None:
        raise Taken("已有同名账号。", "There is an account of this name already.")
    give(session, added.id, grant, now=now)
    return added


def give(session: Session, account_id: uuid.UUID, grant: Grant, *, now: datetime) -> None:
    """Raises `Held` for a role held already, `AdministratorsApart` for a second kind of administrator."""
    written = session.execute(
        insert(AccountGrant)
        .values(account_id=account_id, role=str(grant.role), organisation=grant.organisation, created_at=now)
        .on_conflict_do_nothing()  # the primary key, or the constraint that keeps the administrators apart
        .returning(col(AccountGrant.role))
    ).one_or_none()
    if written is not None:
        return
    if grant in grants_of(session, account_id):
        raise Held("该账号已有此角色。", "The account holds this role here already.")
    three = ", ".join(sorted(ADMINISTRATORS))
    raise AdministratorsApart(
        f"系统管理员、安全管理员、审计管理员须由三人分别担任（{three}）。",
        f"System, security and audit administration are three persons ({three}); use another account.",
    )


def withdraw(session: Session, account_id: uuid.UUID, grant: Grant) -> bool:
    """Ends a role at once; whether it was held."""
    ended = session.execute(
        sa.delete(AccountGrant)
        .where(
            col(AccountGrant.account_id) == account_id,
            col(AccountGrant.role) == str(grant.role),
            col(AccountGrant.organisation) == grant.organisation,
        )
        .returning(col(AccountGrant.role))
    )
    return ended.one_or_none() is not None


def disable(session: Session, account_id: uuid.UUID, *, now: datetime) -> bool:
    """Closes the account and ends its sign-ins; whether it was open."""
    closed = session.execute(
        update(Account)
        .where(col(Account.id) == account_id, col(Account.disabled_at).is_(None))
        .values(disabled_at=now)
        .returning(col(Account.id))
    )
    end_sign_ins(session, account_id, now=now)
    return closed.one_or_none() is not None


def set_password(session: Session, account: Account, password: str, *, now: datetime) -> None:
    """Ends every sign-in made with the old one. Raises `UnfitPassword`."""
    ensure_fit(password, account.name)
    account.password_hash = hash_password(password)
    session.add(account)
    session.flush()
    end_sign_ins(session, account.id, now=now)


def end_sign_ins(session: Session, account_id: uuid.UUID, *, now: datetime) -> None:
    """Signs the account out everywhere."""
    session.execute(
        update(SignIn).where(col(SignIn.account_id) == account_id, col(SignIn.ended_at).is_(None)).values(ended_at=now)
    )


def find(session: Session, name: str) -> Account | None:
    if not name.isprintable():
        return None
    return session.exec(select(Account).where(Account.name_key == name_key(name))).one_or_none()


def grants_of(session: Session, account_id: uuid.UUID) -> frozenset[Grant]:
    return listed(session, [account_id])[account_id]


def listed(session: Session, account_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, frozenset[Grant]]:
    """The grants of each of these accounts."""
    rows = session.exec(select(AccountGrant).where(col(AccountGrant.account_id).in_(account_ids))).all()
    found: dict[uuid.UUID, set[Grant]] = {account_id: set() for account_id in account_ids}
    for row in rows:
        found[row.account_id].add(row.grant)
    return {account_id: frozenset(grants) for account_id, grants in found.items()}


def _ensure_name(name: str) -> None:
    if not (1 <= len(name) <= 64) or not name.isprintable() or name != name.strip():
        raise UnfitName(
            "账号名为 1 至 64 个可见字符，首尾无空格。",
            "An account's name has 1 to 64 visible characters and no space at either end.",
        )

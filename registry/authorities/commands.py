"""Setting what an authority has decided: always a new dated row with its basis."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from auth.actor import Actor
from registry.authorities import queries
from registry.authorities.keys import ensure_valid
from registry.authorities.tables import AuthoritySetting
from registry.errors import NotFound, Refusal
from registry.log.events import record
from workflows.text import Text


def set_setting(
    session: Session, actor: Actor, code: str, key: str, value: str, basis: str, *, now: datetime
) -> AuthoritySetting:
    """Add one setting of the authority `code`. Raises `Invalid`, or `NotFound` for a code that is no authority."""
    ensure_valid(key, value, basis)
    queries.lock(session, code)
    row = AuthoritySetting(authority=code, key=key, value=value, basis=basis.strip(), set_by=actor.id, at=now)
    session.add(row)
    session.flush()
    record(
        session,
        actor,
        "authority.set",
        queries.subject(code),
        queries.version(session, code),
        {"authority": code, "key": key, "value": value, "basis": row.basis},
        now=now,
        organisation=code,
    )
    return row


def set_by_operator(
    session: Session, actor: Actor, code: str, key: str, value: str, basis: str, *, now: datetime, demo: bool
) -> AuthoritySetting:
    """The installing operator's way in, closed in production once the authority has its own lead and secadmin."""
    ensure_operator_may_act(session, code, demo=demo)
    return set_setting(session, actor, code, key, value, basis, now=now)


def ensure_operator_may_act(session: Session, code: str, *, demo: bool) -> None:
    """Raises `NotFound` or `Refusal`: people of the authority now decide, two of them (lifecycle: rule version, setting)."""
    if not queries.exists(session, code):
        raise NotFound(Text(f"没有代码为 {code} 的机关。", f"There is no authority with the code {code}."))
    if not demo and queries.governs_itself(session, code):
        raise Refusal(
            Text(
                f"{code} 已有负责人和安全管理员，运维人员不能再代为设置。",
                f"{code} has its own lead and secadmin: the operator no longer sets anything for it.",
            )
        )

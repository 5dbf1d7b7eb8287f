"""What an authority has set, and its place in the tree."""

from __future__ import annotations

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlmodel import Session, col, select

from auth.roles import Role
from auth.tables import Account, AccountGrant
from registry.authorities.tables import STATE_COUNCIL, Authority, AuthoritySetting, CalendarDay, CalendarYear
from registry.errors import NotFound
from workflows.clock import Calendar
from workflows.rules.facts import Policy
from workflows.text import Text

_SPACE = uuid.UUID("6f7c1a52-9d0e-5b43-8a1f-2c4d6e8f0a13")  # of authorities' ids in the audit


def subject(code: str) -> tuple[str, uuid.UUID]:
    """An authority as the subject of an audit event: its id there follows from its code."""
    return "authority", uuid.uuid5(_SPACE, code)


def exists(session: Session, code: str) -> bool:
    return session.get(Authority, code) is not None


def lock(session: Session, code: str) -> Authority:
    """The row, held against another setting at the same time. Raises `NotFound`."""
    row = session.exec(select(Authority).where(col(Authority.code) == code).with_for_update()).first()
    if row is None:
        raise NotFound(Text(f"没有代码为 {code} 的机关。", f"There is no authority with the code {code}."))
    return row


def version(session: Session, code: str) -> int:
    """How many settings the authority has made."""
    return session.exec(
        select(sa.func.count()).select_from(AuthoritySetting).where(col(AuthoritySetting.authority) == code)
    ).one()


def governs_itself(session: Session, code: str) -> bool:
    """Whether enabled accounts hold both roles that decide on settings there."""
    roles = session.exec(
        select(AccountGrant.role)
        .join(Account, col(Account.id) == col(AccountGrant.account_id))
        .where(
            col(AccountGrant.organisation) == code,
            col(AccountGrant.role).in_([Role.LEAD, Role.SECADMIN]),
            col(Account.disabled_at).is_(None),
        )
        .distinct()
    ).all()
    return len(roles) == 2


def settings_of(session: Session, code: str, now: datetime) -> dict[str, AuthoritySetting]:
    """What holds at `now`, by key: the newest of its own, else of the nearest authority above."""
    tree = _upwards(code)
    rows = session.exec(
        select(AuthoritySetting)
        .join(tree, tree.c.code == col(AuthoritySetting.authority))
        .where(col(AuthoritySetting.at) <= now)
        .ext(distinct_on(col(AuthoritySetting.key)))
        .order_by(col(AuthoritySetting.key), tree.c.above, col(AuthoritySetting.id).desc())
    ).all()
    return {row.key: row for row in rows}


def policy(session: Session, code: str, now: datetime, *, province: str) -> Policy:
    """What filings received by the authority are judged by at `now`; its version names the newest setting that holds."""
    held = settings_of(session, code, now)
    values = {key: row.value for key, row in held.items()}
    newest = max((row.id or 0 for row in held.values()), default=0)
    mode = held.get("cross_province_mode")
    return Policy(
        authority=code,
        province=province,
        version=f"{code}/{newest}",
        cross_province_mode=mode.value if mode else Policy.cross_province_mode,
        cross_province_basis=mode.basis if mode else None,
        attested_consent=values.get("attested_consent") == "on",
        max_sites=int(values.get("max_sites", Policy.max_sites)),
        max_term_days=int(values.get("max_term", Policy.max_term_days)),
        max_age=int(values.get("max_age", Policy.max_age)),
        switches={key.removeprefix("rule."): value for key, value in values.items() if key.startswith("rule.")},
    )


def calendar(session: Session, code: str) -> Calendar:
    """The State Council's days, with the overlay of the authority; where it says nothing, of those above it."""
    tree = _upwards(code)
    years = session.exec(select(CalendarYear.year).where(col(CalendarYear.authority) == STATE_COUNCIL)).all()
    rows = session.execute(
        select(col(CalendarDay.authority), col(CalendarDay.day), col(CalendarDay.working))
        .join(tree, tree.c.code == col(CalendarDay.authority), isouter=True)
        .where((tree.c.code.is_not(None)) | (col(CalendarDay.authority) == STATE_COUNCIL))
        .order_by(tree.c.above.desc())
    ).all()
    national = {day: working for authority, day, working in rows if authority == STATE_COUNCIL}
    return Calendar(
        years=frozenset(years),
        off=frozenset(day for day, working in national.items() if not working),
        make_up=frozenset(day for day, working in national.items() if working),
        overlay={day: working for authority, day, working in rows if authority != STATE_COUNCIL},
    )


def _upwards(code: str) -> sa.CTE:
    """The authority and those above it, as columns `code`, `parent` and `above` (how far up)."""
    own = (
        select(col(Authority.code), col(Authority.parent), sa.literal(0).label("above"))
        .where(col(Authority.code) == code)
        .cte("tree", recursive=True)
    )
    return own.union_all(
        select(col(Authority.code), col(Authority.parent), own.c.above + 1).where(col(Authority.code) == own.c.parent)
    )

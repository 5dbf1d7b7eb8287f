"""What every node needs before its first import. Run at the end of each migration; an edited row is never overwritten."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, or_

from auth.actor import OPERATOR
from registry.authorities.commands import set_setting
from registry.authorities.queries import settings_of
from registry.authorities.tables import STATE_COUNCIL, Authority, CalendarDay, CalendarYear
from registry.codes.load import calendar_days, packaged_tables, read_calendar, read_packaged
from registry.codes.tables import CodeRow

NATIONAL = STATE_COUNCIL
DEMO_AUTHORITY = "460000"
DEMO_SETTINGS = {
    "cross_province_mode": (
        "LOCAL_FILE",
        "海南省卫生健康委员会2019年11月30日公告：医师跨省多机构执业由现场纸质审批改为网上电子化备案",
    ),
    "attested_consent": ("on", "演示环境设置"),
}


def seed(session: Session, now: datetime, *, demo: bool) -> None:
    """Code tables, the authority tree and calendars; in a demo the settings of its authority as well."""
    _codes(session)
    _authorities(session)
    _calendars(session)
    if demo:
        held = settings_of(session, DEMO_AUTHORITY, now)
        for key, (value, basis) in DEMO_SETTINGS.items():
            if key not in held:
                set_setting(session, OPERATOR, DEMO_AUTHORITY, key, value, basis, now=now)


def _codes(session: Session) -> None:
    fields = ("key", "zh", "en", "attributes", "confidence")
    given = insert(CodeRow).values([row.model_dump() for row in read_packaged()])
    session.execute(
        given.on_conflict_do_update(
            index_elements=["table", "code"],
            set_={name: given.excluded[name] for name in fields},
            # Only what differs: a row not written keeps its version, and with it every cache (registry/codes/load.py).
            where=col(CodeRow.edited).is_(False)
            & or_(*(getattr(CodeRow, name).is_distinct_from(given.excluded[name]) for name in fields)),
        )
    )


def _authorities(session: Session) -> None:
    """The nation, the provinces, and the divisions of the provinces whose divisions are packaged."""
    tables = packaged_tables().tables
    rows = [{"code": NATIONAL, "name": "国家卫生健康委员会", "parent": None}]
    rows += [
        {"code": f"{code}0000", "name": f"{province.zh}卫生健康委员会", "parent": NATIONAL}
        for code, province in tables["province"].items()
    ]
    # In the order of codes a prefecture comes before its districts.
    rows += [
        {"code": code, "name": f"{division.zh}卫生健康委员会", "parent": _above(code, set(tables["division"]))}
        for code, division in tables["division"].items()
    ]
    session.execute(insert(Authority).values(rows).on_conflict_do_nothing())


def _above(code: str, divisions: set[str]) -> str:
    prefecture = f"{code[:4]}00"
    return prefecture if prefecture != code and prefecture in divisions else f"{code[:2]}0000"


def _calendars(session: Session) -> None:
    days = [
        {"authority": STATE_COUNCIL, "day": day, "working": working, "basis": basis}
        for day, working, basis in calendar_days()
    ]
    years = [
        {"authority": STATE_COUNCIL, "year": year, "basis": notice["basis"]} for year, notice in read_calendar().items()
    ]
    session.execute(insert(CalendarDay).values(days).on_conflict_do_nothing())
    session.execute(insert(CalendarYear).values(years).on_conflict_do_nothing())

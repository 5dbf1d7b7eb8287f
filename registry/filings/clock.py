"""The ledger of a filing's time limits, and what it says today. Due dates are derived each time, never stored."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import col, select

from registry.authorities.queries import calendar, settings_of
from registry.context import Context
from registry.database import fresh
from registry.filings.tables import ClockEntry, Filing
from registry.time import day_in_china
from workflows import clock
from workflows.clock import ClockReading, Entry, EntryKind, Limit
from workflows.codes import FilingType
from workflows.filing import State


def completeness(filing: Filing) -> Limit:
    return clock.completeness_limit(FilingType(filing.type))


def decisions(context: Context, filings: Sequence[Filing]) -> Mapping[uuid.UUID, Limit]:
    """The decision limit of each filing, as its authority has set it."""
    days = {code: _decision_days(context, code) for code in {filing.authority for filing in filings}}
    return {f.id: clock.decision_limit(FilingType(f.type), days[f.authority]) for f in filings}


def start(context: Context, filing: Filing, limit: Limit, at: datetime) -> None:
    _enter(context, filing, EntryKind.START, limit.basis, at, limit.id)


def pause(context: Context, filing: Filing, cause: str) -> None:
    _enter(context, filing, EntryKind.PAUSE, cause, context.now)


def resume(context: Context, filing: Filing, cause: str) -> None:
    _enter(context, filing, EntryKind.RESUME, cause, context.now)


def stop(context: Context, filings: Sequence[Filing], cause: str) -> None:
    """Ends whichever limit runs of each; nothing where none does."""
    ledgers = _ledgers(context, [filing.id for filing in filings])
    for filing in filings:
        if clock.running(ledgers.get(filing.id, [])) is not None:
            _enter(context, filing, EntryKind.STOP, cause, context.now)


def readings(context: Context, filings: Sequence[Filing]) -> Mapping[uuid.UUID, ClockReading]:
    """The clock of each filing, today; two queries and one per authority, however many filings."""
    ledgers = _ledgers(context, [filing.id for filing in filings])
    authorities = {filing.authority for filing in filings}
    calendars = {code: calendar(context.session, code or f"{context.province}0000") for code in authorities}
    days = {code: _decision_days(context, code) for code in authorities}
    return {
        filing.id: clock.reading(
            ledgers.get(filing.id, []),
            clock.limits(FilingType(filing.type), days[filing.authority]),
            calendars[filing.authority],
            context.today,
        )
        for filing in filings
    }


def reading(context: Context, filing: Filing) -> ClockReading:
    return readings(context, [filing])[filing.id]


def shown(found: ClockReading) -> dict[str, Any]:
    """The clock as the contract shows it."""
    return {
        "kind": str(found.kind),
        "due": found.due.isoformat() if found.due else None,
        "days_left": found.days_left,
        "paused": found.paused,
        "ledger": [line.shown() for line in found.ledger],
    }


def deemed_at(context: Context, filings: Sequence[Filing]) -> Mapping[uuid.UUID, datetime]:
    """When each unanswered filing counts as accepted: the end of its completeness limit (行政许可法 32(4))."""
    waiting = [filing for filing in filings if filing.state == State.SUBMITTED]
    return {
        id_: clock.end_of(found.due)
        for id_, found in readings(context, waiting).items()
        if found.limit == clock.COMPLETENESS and not found.paused and found.due is not None
    }


def lapses_at(filing: Filing) -> datetime | None:
    """When a filing that waits for somebody ends by itself."""
    if filing.waiting_since is None:
        return None
    last = clock.lapse_day(day_in_china(filing.waiting_since), State(filing.state))
    return clock.end_of(last) if last else None


def _decision_days(context: Context, authority: str | None) -> int:
    if authority is None:
        return clock.DECISION_DAYS
    found = settings_of(context.session, authority, context.now).get("decision_days")
    return int(found.value) if found else clock.DECISION_DAYS


def _enter(
    context: Context, filing: Filing, kind: EntryKind, cause: str, at: datetime, limit: str | None = None
) -> None:
    context.session.add(fresh(ClockEntry, filing_id=filing.id, kind=str(kind), limit=limit, cause=cause, at=at))


def _ledgers(context: Context, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[Entry]]:
    # In the order they were entered: a deemed acceptance starts a limit on an earlier day than it is written.
    rows = context.session.exec(
        select(ClockEntry).where(col(ClockEntry.filing_id).in_(ids)).order_by(col(ClockEntry.id))
    )
    found: dict[uuid.UUID, list[Entry]] = {}
    for row in rows:
        entry = Entry(EntryKind(row.kind), day_in_china(row.at), row.cause, row.limit)
        found.setdefault(row.filing_id, []).append(entry)
    return found

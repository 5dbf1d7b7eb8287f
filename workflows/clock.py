"""Working days, time limits, pauses, and the ledger that explains a due date.

Days are days in China, passed in. The day of receipt is not counted; a limit ends at 24:00 of its last day. A due date
is derived from the ledger each time and stored nowhere, so it can always be recomputed and explained.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from enum import StrEnum
from typing import Final

from workflows.codes import LICENCES, FilingType
from workflows.filing_terms import WAITING, State

CHINA: Final = timezone(timedelta(hours=8))  # without daylight saving since 1991
ONE_DAY: Final = timedelta(days=1)


class NoCalendar(Exception):
    """The State Council's notice for a year is not loaded; nothing is guessed in its place (R140)."""

    def __init__(self, year: int) -> None:
        super().__init__(str(year))
        self.year = year


@dataclass(frozen=True)
class Calendar:
    """The State Council's days off and make-up working days, and what one authority's area has besides.

    `overlay` maps a local day to whether it is worked, and goes before the national days.
    """

    years: frozenset[int]
    off: frozenset[date] = frozenset()
    make_up: frozenset[date] = frozenset()
    overlay: Mapping[date, bool] = field(default_factory=dict)

    def is_working(self, day: date) -> bool:
        """Raises `NoCalendar` when the year of `day` is not loaded."""
        if day.year not in self.years:
            raise NoCalendar(day.year)
        if day in self.overlay:
            return self.overlay[day]
        return day in self.make_up or (day.weekday() < 5 and day not in self.off)

    def is_special(self, day: date) -> bool:
        """Whether `day` differs from an ordinary week."""
        return self.is_working(day) != (day.weekday() < 5)


def add_working_days(start: date, days: int, calendar: Calendar) -> date:
    """The `days`-th working day after `start`, which is not counted itself. Raises `NoCalendar`."""
    day = start
    while days > 0:
        day += ONE_DAY
        days -= calendar.is_working(day)
    return day


def working_days(after: date, until: date, calendar: Calendar) -> int:
    """How many working days lie in (after, until]; negative when `until` comes first. Raises `NoCalendar`."""
    if until < after:
        return -working_days(until, after, calendar)
    return sum(calendar.is_working(day) for day in _days(after, until))


class Kind(StrEnum):
    """What a due date is worth: 法定, 承诺, 内部; or why there is none."""

    STATUTORY = "statutory"
    PROMISED = "promised"
    INTERNAL = "internal"
    NO_CALENDAR = "no_calendar"
    NONE = "none"  # no limit has started


class Unit(StrEnum):
    WORKING_DAY = "working_day"
    CALENDAR_DAY = "calendar_day"


@dataclass(frozen=True)
class Limit:
    """A time limit (codes.yaml: time_limits) with what it rests on."""

    id: str
    value: int
    kind: Kind
    basis: str
    unit: Unit = Unit.WORKING_DAY

    def after(self, start: date, days: int, calendar: Calendar) -> date:
        if self.unit is Unit.WORKING_DAY:
            return add_working_days(start, days, calendar)
        return start + days * ONE_DAY

    def between(self, after: date, until: date, calendar: Calendar) -> int:
        if self.unit is Unit.WORKING_DAY:
            return working_days(after, until, calendar)
        return (until - after).days


COMPLETENESS: Final = "COMPLETENESS"
DECISION_REG: Final = "DECISION_REG"
DECISION_SITE_FILE: Final = "DECISION_SITE_FILE"

DECISION_DAYS: Final = 5  # what an authority promises for 备案 until it sets its own number
LAPSE_DAYS: Final[Mapping[State, int]] = dict.fromkeys((*sorted(WAITING), State.CORRECTION), 30)


def completeness_limit(type_: FilingType) -> Limit:
    """The limit that starts at receipt. For 备案, which is no licence, it is a promise."""
    kind = Kind.STATUTORY if type_ in LICENCES else Kind.PROMISED
    return Limit(COMPLETENESS, 5, kind, "行政许可法 32(4)")


def decision_limit(type_: FilingType, decision_days: int = DECISION_DAYS) -> Limit:
    """The limit that starts at acceptance; `decision_days` is the authority's setting for 备案."""
    if type_ in LICENCES:
        return Limit(DECISION_REG, 20, Kind.STATUTORY, "医师法 13, 16")
    return Limit(DECISION_SITE_FILE, decision_days, Kind.PROMISED, "承诺时限")


def limits(type_: FilingType, decision_days: int = DECISION_DAYS) -> tuple[Limit, Limit]:
    return completeness_limit(type_), decision_limit(type_, decision_days)


class EntryKind(StrEnum):
    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"


@dataclass(frozen=True)
class Entry:
    """One entry of the ledger. `limit` is the id that a start starts; the others concern the limit that runs."""

    kind: EntryKind
    day: date
    cause: str
    limit: str | None = None


@dataclass(frozen=True)
class Line:
    """One line of the sum shown to whoever doubts a due date."""

    day: date
    what: str  # an EntryKind, or holiday, make_up, due
    cause: str

    def shown(self) -> dict[str, str]:
        return {"day": self.day.isoformat(), "what": self.what, "cause": self.cause}


@dataclass(frozen=True)
class ClockReading:
    """`days_left` counts the limit's units after today up to `due`: 0 on the last day, negative when overdue.

    While paused, `due` is the date that holds if the clock resumed today, so it moves and `days_left` does not.
    """

    kind: Kind
    due: date | None = None
    days_left: int | None = None
    paused: bool = False
    overdue: bool = False
    limit: str | None = None
    ledger: tuple[Line, ...] = ()


def running(ledger: Sequence[Entry]) -> str | None:
    """The id of the limit that runs, or rests in a pause; None when none started or the last was stopped."""
    last = next((entry for entry in reversed(ledger) if entry.kind in {EntryKind.START, EntryKind.STOP}), None)
    return last.limit if last and last.kind is EntryKind.START else None


def reading(ledger: Sequence[Entry], of: Sequence[Limit], calendar: Calendar, today: date) -> ClockReading:
    """The limit that was started last, as it stands today. Never fails: without a calendar the kind says so."""
    started = next((entry.limit for entry in reversed(ledger) if entry.kind is EntryKind.START), None)
    limit = next((limit for limit in of if limit.id == started), None)
    return due(ledger, limit, calendar, today) if limit else ClockReading(Kind.NONE, ledger=_lines(ledger))


def due(ledger: Sequence[Entry], limit: Limit, calendar: Calendar, today: date) -> ClockReading:
    """When `limit` ends by the entries of the ledger, in their order. Pauses push it by the days they last."""
    entries = _concerning(ledger, limit)
    if not entries:
        return ClockReading(Kind.NONE, ledger=_lines(ledger))
    pauses, paused = _pauses(entries, today)
    stopped = entries[-1].kind is EntryKind.STOP
    counted_to = entries[-1].day if stopped else today
    try:
        end = limit.after(entries[0].day, limit.value, calendar)
        for begin, resumed in pauses:
            if begin < end:  # what was overdue already is not healed by a pause
                end = limit.after(end, limit.between(begin, resumed, calendar), calendar)
        left = limit.between(counted_to, end, calendar)
        skipped = _specials(entries[0].day, end, calendar) if limit.unit is Unit.WORKING_DAY else ()
    except NoCalendar:
        return ClockReading(Kind.NO_CALENDAR, paused=paused, limit=limit.id, ledger=_lines(ledger))
    lines = sorted((*_lines(ledger), *skipped, Line(end, "due", limit.basis)), key=lambda line: line.day)
    return ClockReading(
        kind=limit.kind,
        due=end,
        days_left=None if stopped else left,
        paused=paused,
        overdue=counted_to > end,
        limit=limit.id,
        ledger=tuple(lines),
    )


def lapse_day(since: date, state: State, days: Mapping[State, int] = LAPSE_DAYS) -> date | None:
    """The last day that a filing may rest in CORRECTION or WAIT_*; None for other states. Calendar days."""
    return since + days[state] * ONE_DAY if state in days else None


def end_of(day: date) -> datetime:
    """24:00 of a day in China: the instant from which its limit has passed."""
    return datetime.combine(day + ONE_DAY, time(), CHINA)


def _concerning(ledger: Sequence[Entry], limit: Limit) -> list[Entry]:
    """From the last start of the limit up to its stop."""
    starts = [n for n, entry in enumerate(ledger) if entry.kind is EntryKind.START and entry.limit == limit.id]
    if not starts:
        return []
    entries = [ledger[starts[-1]]]
    for entry in ledger[starts[-1] + 1 :]:
        entries.append(entry)
        if entry.kind is EntryKind.STOP:
            break
    return entries


def _pauses(entries: Sequence[Entry], today: date) -> tuple[list[tuple[date, date]], bool]:
    """The spans (from, to] that do not count, and whether the last is still open."""
    spans: list[tuple[date, date]] = []
    begin: date | None = None
    for entry in entries[1:]:
        if entry.kind is EntryKind.PAUSE:
            begin = begin or entry.day
        elif begin is not None:
            spans.append((begin, entry.day))
            begin = None
    if begin is not None:
        spans.append((begin, max(begin, today)))
    return spans, begin is not None


def _days(after: date, until: date) -> Iterator[date]:
    return (after + n * ONE_DAY for n in range(1, (until - after).days + 1))


def _specials(after: date, until: date, calendar: Calendar) -> tuple[Line, ...]:
    """The days in (after, until] that a reader with an ordinary calendar would count differently."""
    return tuple(
        Line(day, "make_up" if calendar.is_working(day) else "holiday", "")
        for day in _days(after, until)
        if calendar.is_special(day)
    )


def _lines(ledger: Sequence[Entry]) -> tuple[Line, ...]:
    return tuple(Line(entry.day, str(entry.kind), entry.cause) for entry in ledger)

"""The wall clock, read in one place. Everything below the edge takes `now` as an argument."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone

Clock = Callable[[], datetime]  # an aware instant in UTC

# One offset for the whole country, without summer time since 1991; older instants never meet a day of practice.
CHINA = timezone(timedelta(hours=8), "Asia/Shanghai")


def system_clock() -> datetime:
    return datetime.now(UTC)


def clock_at(fixed: datetime | None) -> Clock:
    """A clock that stands at `fixed` (a demo's), or the system's."""
    if fixed is None:
        return system_clock
    instant = fixed.astimezone(UTC)
    return lambda: instant


def day_in_china(instant: datetime) -> date:
    """The civil day on which the law counts."""
    return instant.astimezone(CHINA).date()

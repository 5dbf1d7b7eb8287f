"""The State Council's calendar of 2024 to 2026, as its yearly notices give it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from workflows.clock import Calendar


def _days(year: int, *spans: str) -> set[date]:
    """`0101` is a day, `0501-0505` a span of one year."""
    found: set[date] = set()
    for span in spans:
        first, _, last = span.partition("-")
        begin, end = (date(year, int(d[:2]), int(d[2:])) for d in (first, last or first))
        found |= {begin + timedelta(days=n) for n in range((end - begin).days + 1)}
    return found


OFF: Final = frozenset(
    _days(2024, "0101", "0210-0217", "0404-0406", "0501-0505", "0610", "0915-0917", "1001-1007")
    | _days(2025, "0101", "0128-0204", "0404-0406", "0501-0505", "0531-0602", "1001-1008")
    | _days(2026, "0101-0103", "0215-0223", "0404-0406", "0501-0505", "0619-0621", "0925-0927", "1001-1007")
)
MAKE_UP: Final = frozenset(
    _days(2024, "0204", "0218", "0407", "0428", "0511", "0914", "0929", "1012")
    | _days(2025, "0126", "0208", "0427", "0928", "1011")
    | _days(2026, "0104", "0214", "0228", "0509", "0920", "1010")
)
CALENDAR: Final = Calendar(frozenset({2024, 2025, 2026}), OFF, MAKE_UP)

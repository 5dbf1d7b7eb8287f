"""Spans of days as the law writes them, both ends included, and as PostgreSQL keeps them, half open."""

from __future__ import annotations

from datetime import date, timedelta

from psycopg.types.range import DateRange
from sqlalchemy.dialects.postgresql import Range


def last_day(span: Range[date] | DateRange) -> date | None:
    """The last day inside a half-open span; None when it is open."""
    return span.upper - timedelta(days=1) if span.upper else None


def days(first: date, last: date | None) -> Range[date]:
    """The half-open span from `first` to `last`, both included; open when `last` is None."""
    return Range(first, last + timedelta(days=1) if last else None)

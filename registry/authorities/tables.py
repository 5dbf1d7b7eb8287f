"""Authorities, their dated settings and their working-day calendars."""

from __future__ import annotations

from datetime import date, datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from registry.database import instant

# The nation's node in the tree, and the calendar of its yearly notice.
STATE_COUNCIL = "000000"


class Authority(SQLModel, table=True):
    """A health authority, by GB/T 2260 division code; the tree follows `parent`."""

    __tablename__ = "authority"

    code: str = Field(primary_key=True, sa_type=sa.Text)
    name: str = Field(sa_type=sa.Text, unique=True)
    parent: str | None = Field(default=None, foreign_key="authority.code", sa_type=sa.Text)


class AuthoritySetting(SQLModel, table=True):
    """One dated setting; the newest row of a key holds. Rows are only ever added."""

    __tablename__ = "authority_setting"

    id: int | None = Field(
        default=None, primary_key=True, sa_type=sa.BigInteger, sa_column_kwargs={"autoincrement": True}
    )
    authority: str = Field(foreign_key="authority.code", sa_type=sa.Text, index=True)
    key: str = Field(sa_type=sa.Text)
    value: str = Field(sa_type=sa.Text)
    basis: str = Field(sa_type=sa.Text)
    set_by: str = Field(sa_type=sa.Text)  # an account's id, or operator
    at: datetime = instant(now=True)


class CalendarDay(SQLModel, table=True):
    """A day that differs from Monday-to-Friday: off, or a make-up working day. `authority` 000000 is the State Council's."""

    __tablename__ = "calendar_day"

    authority: str = Field(primary_key=True, sa_type=sa.Text)
    day: date = Field(primary_key=True)
    working: bool
    basis: str = Field(sa_type=sa.Text)


class CalendarYear(SQLModel, table=True):
    """A year whose notice has been loaded; a clock stops at a year that is not here."""

    __tablename__ = "calendar_year"

    authority: str = Field(primary_key=True, sa_type=sa.Text)
    year: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    basis: str = Field(sa_type=sa.Text)

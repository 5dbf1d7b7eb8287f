"""Sites, bitemporal: what holds on which day, as known at which time."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlmodel import Field, SQLModel

from registry.database import key, span, texts


class Site(SQLModel, table=True):
    """The state of one authorised additional practice over a span of days, as known over a span of time.

    The main institution is a site too, read from the registration itself (registry/sites/queries.py) and not stored twice.
    One `site_id` has one row for each stretch of days with one state; a correction closes `recorded` and inserts.
    """

    __tablename__ = "site"
    __table_args__ = (
        sa.CheckConstraint(
            sa.text("state in ('EFFECTIVE', 'SUSPENDED', 'ENDED', 'EXPIRED', 'LAPSED', 'REVOKED')"), name="state"
        ),
        # No two current rows of one physician at one institution overlap (invariant I7). Days that were taken away stand
        # in nobody's way: whoever is registered again may be filed again.
        pg.ExcludeConstraint(
            ("physician_id", "="),
            ("institution_id", "="),
            ("valid", "&&"),
            where=sa.text("upper_inf(recorded) and state in ('EFFECTIVE', 'SUSPENDED')"),
            name="ex_site_no_overlap",
        ),
        sa.Index("ix_site_physician_id", "physician_id"),
        sa.Index("ix_site_site_id", "site_id"),
        sa.Index("ix_site_institution_id", "institution_id"),
    )

    id: uuid.UUID = key()
    site_id: uuid.UUID
    filing_id: uuid.UUID = Field(foreign_key="filing.id", index=True)
    physician_id: uuid.UUID = Field(foreign_key="physician.id")
    institution_id: uuid.UUID = Field(foreign_key="institution.id")
    place: str = Field(sa_type=sa.Text)  # of the registration it rests on
    category: str = Field(sa_type=sa.Text)
    scopes: list[str] = texts()
    state: str = Field(sa_type=sa.Text)
    cause: str | None = Field(default=None, sa_type=sa.Text)  # what put it into this state
    valid: Any = span(pg.DATERANGE)
    recorded: Any = span(pg.TSTZRANGE)

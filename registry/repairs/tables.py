"""Repairs of what was decided."""

from __future__ import annotations

import uuid
from datetime import date, datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from registry.database import instant, key


class Repair(SQLModel, table=True):
    """One repair of one approved filing. Moved by `commands.act` alone; what it did is in the rows of the site."""

    __tablename__ = "repair"
    __table_args__ = (
        sa.CheckConstraint(sa.text("kind in ('reverse', 'redate')"), name="kind"),
        sa.CheckConstraint(sa.text("state in ('proposed', 'done', 'declined', 'withdrawn')"), name="state"),
        sa.CheckConstraint(sa.text("decided_by <> proposed_by or state = 'withdrawn'"), name="two_people"),
        # One at a time: two would each be about a site that the other changes.
        sa.Index("ix_repair_open", "filing_id", unique=True, postgresql_where=sa.text("state = 'proposed'")),
        sa.Index("ix_repair_authority", "authority", "id"),
    )

    id: uuid.UUID = key()
    filing_id: uuid.UUID = Field(foreign_key="filing.id")
    authority: str = Field(sa_type=sa.Text)  # that decided the filing
    kind: str = Field(sa_type=sa.Text)
    valid_from: date | None = None  # of a reversal the day it holds from, of new days the first
    valid_to: date | None = None  # of new days the last
    reason: str = Field(sa_type=sa.Text)
    state: str = Field(sa_type=sa.Text)
    version: int = 1
    proposed_by: str = Field(sa_type=sa.Text)
    proposed_at: datetime = instant()
    decided_by: str | None = Field(default=None, sa_type=sa.Text)
    decided_at: datetime | None = instant(nullable=True)

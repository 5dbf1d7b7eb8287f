"""Who asked about whom, and why: durable before the answer leaves."""

from __future__ import annotations

import uuid
from datetime import date, datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from registry.database import instant, key


class AccessRecord(SQLModel, table=True):
    """One verification. The question is kept as asked, without the name."""

    __tablename__ = "access_record"
    __table_args__ = (sa.Index("ix_access_record_physician", "physician_id", "id"),)

    id: uuid.UUID = key()
    at: datetime = instant()
    asked_by: str = Field(sa_type=sa.Text)  # account or client id
    organisation: str | None = Field(default=None, sa_type=sa.Text)
    purpose: str = Field(sa_type=sa.Text)
    physician_id: uuid.UUID | None = None  # null: unknown
    practising_code: str = Field(sa_type=sa.Text)
    institution: str | None = Field(default=None, sa_type=sa.Text)
    scope: str | None = Field(default=None, sa_type=sa.Text)
    valid_on: date
    answer: str = Field(sa_type=sa.Text)
    receipt_jti: str = Field(sa_type=sa.Text)
    batch: uuid.UUID | None = None  # the subject of the event that commits to it; null: from before there were any


class OpeningRecord(SQLModel, table=True):
    """A physician's record or a filing that somebody else opened. Append-only."""

    __tablename__ = "opening_record"
    __table_args__ = (
        sa.Index("ix_opening_record_physician", "physician_id", "id"),
        sa.CheckConstraint("subject_type in ('physician', 'filing')", name="subject_type"),
    )

    id: uuid.UUID = key()
    at: datetime = instant()
    opened_by: str = Field(sa_type=sa.Text)  # account id
    organisation: str | None = Field(default=None, sa_type=sa.Text)
    purpose: str = Field(sa_type=sa.Text)
    subject_type: str = Field(sa_type=sa.Text)
    subject_id: uuid.UUID
    physician_id: uuid.UUID | None = None  # null: a filing of somebody the register does not know
    batch: uuid.UUID

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

"""Audit events, shaped to become leaves of a transparency log: the event holds no personal data, only a commitment."""

from __future__ import annotations

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from registry.database import instant


class AuditEvent(SQLModel, table=True):
    """One change. Append-only by grants and triggers; `commitment` = SHA-256(salt ‖ JCS(payload))."""

    __tablename__ = "audit_event"
    __table_args__ = (sa.Index("ix_audit_event_subject", "subject_type", "subject_id", "seq"),)

    seq: int | None = Field(default=None, primary_key=True, sa_type=sa.BigInteger, sa_column_kwargs={"autoincrement": True})
    at: datetime = instant()
    type: str = Field(sa_type=sa.Text)  # noun.act, such as filing.approve
    actor: str = Field(sa_type=sa.Text)  # an account's or client's id, operator or system
    organisation: str | None = Field(default=None, sa_type=sa.Text)
    subject_type: str = Field(sa_type=sa.Text)
    subject_id: uuid.UUID
    subject_version: int
    commitment: bytes = Field(sa_type=sa.LargeBinary)


class AuditPayload(SQLModel, table=True):
    """What the commitment commits to, apart, so that erasing it leaves the event whole (PIPL 47)."""

    __tablename__ = "audit_payload"

    seq: int = Field(primary_key=True, foreign_key="audit_event.seq", sa_type=sa.BigInteger, sa_column_kwargs={"autoincrement": False})
    salt: bytes = Field(sa_type=sa.LargeBinary)
    payload: str = Field(sa_type=sa.Text)  # the JCS text itself (RFC 8785), hashed byte for byte

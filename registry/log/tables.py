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

    seq: int | None = Field(
        default=None, primary_key=True, sa_type=sa.BigInteger, sa_column_kwargs={"autoincrement": True}
    )
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

    seq: int = Field(
        primary_key=True,
        foreign_key="audit_event.seq",
        sa_type=sa.BigInteger,
        sa_column_kwargs={"autoincrement": False},
    )
    salt: bytes = Field(sa_type=sa.LargeBinary)
    payload: str = Field(sa_type=sa.Text)  # the JCS text itself (RFC 8785), hashed byte for byte


class LogPending(SQLModel, table=True):
    """An event that waits for its place in the tree. Filled by a trigger on `audit_event`, so no writer can forget it."""

    __tablename__ = "log_pending"

    seq: int = Field(primary_key=True, sa_type=sa.BigInteger, sa_column_kwargs={"autoincrement": False})


class LogLeaf(SQLModel, table=True):
    """One leaf of the tree; `seq` is its event's, null where a restore lost the event and the leaf came from the mirror."""

    __tablename__ = "log_leaf"

    index: int = Field(primary_key=True, sa_type=sa.BigInteger, sa_column_kwargs={"autoincrement": False})
    seq: int | None = Field(default=None, sa_type=sa.BigInteger, unique=True)
    leaf: bytes = Field(sa_type=sa.LargeBinary)


class LogTile(SQLModel, table=True):
    """256 neighbouring hashes of one level, and the root over them. Partial tiles are not stored: their hashes are the
    leaves' own, or the `root` of the full tiles below, so rows are only added.
    """

    __tablename__ = "log_tile"

    level: int = Field(primary_key=True, sa_type=sa.SmallInteger, sa_column_kwargs={"autoincrement": False})
    n: int = Field(primary_key=True, sa_type=sa.BigInteger, sa_column_kwargs={"autoincrement": False})
    hashes: bytes = Field(sa_type=sa.LargeBinary)
    root: bytes = Field(sa_type=sa.LargeBinary)


class LogCheckpoint(SQLModel, table=True):
    """A published checkpoint, a signed note with the cosignatures that came in time."""

    __tablename__ = "log_checkpoint"

    size: int = Field(primary_key=True, sa_type=sa.BigInteger, sa_column_kwargs={"autoincrement": False})
    note: str = Field(sa_type=sa.Text)
    at: datetime = instant()

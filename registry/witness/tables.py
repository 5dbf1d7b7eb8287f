"""What a witness has seen of others' logs, and what a log has heard from its witnesses."""

from __future__ import annotations

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from registry.database import instant, key


class WitnessedLog(SQLModel, table=True):
    """A log that this node watches, and the last checkpoint co-signed for it. A trigger refuses to let `size` fall."""

    __tablename__ = "witnessed_log"
    __table_args__ = (sa.CheckConstraint("size >= 0", name="size"),)

    origin: str = Field(primary_key=True, sa_type=sa.Text)
    vkey: str = Field(sa_type=sa.Text)  # as its operator handed it over
    size: int = Field(default=0, sa_type=sa.BigInteger)
    root: bytes | None = Field(default=None, sa_type=sa.LargeBinary)
    note: str | None = Field(default=None, sa_type=sa.Text)  # with our cosignature
    at: datetime | None = instant(nullable=True)


class ForkEvidence(SQLModel, table=True):
    """A checkpoint under a log's own signature that did not continue the one we had co-signed. Append-only, each once.

    Of one size and two roots it proves a fork by itself; of another size it does unless the log shows a proof that fits.
    """

    __tablename__ = "fork_evidence"
    __table_args__ = (sa.Index("ix_fork_evidence_checkpoint", "origin", "checkpoint_sha256", unique=True),)

    id: uuid.UUID = key()
    at: datetime = instant()
    origin: str = Field(sa_type=sa.Text)
    seen: str = Field(sa_type=sa.Text)  # the checkpoint we had co-signed
    checkpoint_sha256: bytes = Field(sa_type=sa.LargeBinary)  # of the refused checkpoint's text
    submitted: str = Field(sa_type=sa.Text)  # the whole of what was refused


class Cosigner(SQLModel, table=True):
    """A witness of our own log, by name: how far it has followed us, and since when it is late."""

    __tablename__ = "cosigner"

    name: str = Field(primary_key=True, sa_type=sa.Text)
    size: int = Field(default=0, sa_type=sa.BigInteger)  # of the last checkpoint it co-signed
    at: datetime | None = instant(nullable=True)  # when it did
    late_since: datetime | None = instant(nullable=True)
    failure: str | None = Field(default=None, sa_type=sa.Text)  # the last one, while it is late

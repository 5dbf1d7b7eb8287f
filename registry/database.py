"""The metadata, its naming, and the column types every table shares."""

from __future__ import annotations

import os
import time
import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlmodel import Field, SQLModel

# Constraint names are part of the schema: errors are mapped by them and migrations drop by them.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = SQLModel.metadata


def new_id() -> uuid.UUID:
    """A time-ordered id (RFC 9562, version 7): rows of one moment lie together, and pages can be keyed by it."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds << 80) | int.from_bytes(os.urandom(10))
    value = value & ~(0xF << 76) | 0x7 << 76
    return uuid.UUID(int=value & ~(0x3 << 62) | 0x2 << 62)


def key() -> Any:
    """The primary key of most tables; the database's `uuid7()` fills it in set-based inserts."""
    return Field(
        default_factory=new_id,
        sa_column_kwargs={"server_default": sa.text("uuid7()")},
        primary_key=True,
        sa_type=sa.Uuid,
    )


def instant(*, now: bool = False, nullable: bool = False, index: bool = False) -> Any:
    """A timestamptz column; `now` lets the database fill it."""
    return Field(
        default=None,
        sa_type=sa.DateTime(timezone=True),
        sa_column_kwargs={"server_default": sa.func.now()} if now else {},
        nullable=nullable,
        index=index,
    )


def texts(*, nullable: bool = False) -> Any:
    """A text[] column."""
    return Field(default_factory=list, sa_type=pg.ARRAY(sa.Text), nullable=nullable)


def json_column(*, default: Any = dict) -> Any:
    return Field(default_factory=default, sa_type=pg.JSONB, nullable=False)


def span(kind: type[pg.TSTZRANGE | pg.DATERANGE], **kwargs: Any) -> Any:
    return Field(sa_type=kind, nullable=False, **kwargs)


Instant = datetime

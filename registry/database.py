"""The metadata, its naming, and the column types every table shares."""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from pydantic_core import PydanticUndefined
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.orm.attributes import instance_dict, manager_of_class
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


class _Ticks:
    """The time in 1/4096 ms, never twice the same: what is made later in a process comes later."""

    def __init__(self) -> None:
        self._turn, self._last = threading.Lock(), 0

    def __call__(self) -> int:
        with self._turn:
            self._last = max(time.time_ns() * 4096 // 1_000_000, self._last + 1)
            return self._last


_ticks = _Ticks()


def new_id() -> uuid.UUID:
    """A time-ordered id (RFC 9562, version 7): rows of one moment lie together, and pages can be keyed by it.

    The ids of one process follow one another strictly (section 6.2, method 3), so rows of one transaction keep the order
    in which they were made: the ledger of a filing's clock is read by it.
    """
    milliseconds, fraction = divmod(_ticks(), 4096)
    high = milliseconds << 16 | 0x7 << 12 | fraction
    return uuid.UUID(int=high << 64 | 0x2 << 62 | int.from_bytes(os.urandom(8)) >> 2)


Row = TypeVar("Row", bound=SQLModel)


def fresh(table: type[Row], **values: Any) -> Row:
    """A new row of `table` with its defaults, for writers of many: SQLModel's constructor sets attribute by attribute
    and looks into every default's signature, some fifty times the work. Like it, nothing is checked.
    """
    plain, made = _defaults(table)
    row = manager_of_class(table).new_instance()
    held = instance_dict(row)
    held.update(plain)
    held.update((name, make()) for name, make in made if name not in values)
    held.update(values)
    return row


@cache
def _defaults(table: type[SQLModel]) -> tuple[dict[str, Any], tuple[tuple[str, Callable[[], Any]], ...]]:
    """Defaults that are values, and those that are made anew for each row."""
    fields = table.model_fields.items()
    plain = {name: f.default for name, f in fields if f.default_factory is None and f.default is not PydanticUndefined}
    made = tuple((name, cast("Callable[[], Any]", f.default_factory)) for name, f in fields if f.default_factory)
    return plain, made


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

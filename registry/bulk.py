"""Writing many rows at once: COPY through the connection of a session, in the session's own transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import sql
from sqlmodel import Session, SQLModel

Cursor = psycopg.Cursor[tuple[Any, ...]]


def cursor_of(session: Session) -> Cursor:
    """A cursor of the driver inside the session's transaction."""
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    return connection.cursor()


def copy_rows(cursor: Cursor, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Append `rows` to `table`; each has a value per column."""
    statement = sql.SQL("copy {} ({}) from stdin").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def array(texts: Iterable[str]) -> str:
    """A text[] as PostgreSQL writes it: many times cheaper to send than a list that the driver looks into."""
    joined = "\x1f".join(texts)
    if not joined:
        return "{}"
    if '"' in joined or "\\" in joined:
        joined = joined.replace("\\", "\\\\").replace('"', '\\"')
    return '{"' + joined.replace("\x1f", '","') + '"}'


def columns(table: type[SQLModel], *names: str) -> list[Any]:
    """These columns to be selected: rows read by the thousand are looked at once, and need no record each."""
    return [getattr(table, name) for name in names]


def one_of(column: Any, values: Iterable[object]) -> sa.ColumnElement[bool]:
    """`column = any(…)` with all values in one parameter: a statement that stays the same however many there are."""
    fits: sa.ColumnElement[bool] = column == sa.any_(sa.literal(list(values), sa.ARRAY(column.type)))
    return fits

"""Migrations without an alembic.ini: from a checkout and from the wheel alike (docs/adr/0006)."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text
from sqlmodel import Session

from registry.seed import seed
from registry.transaction import Database

HERE = Path(__file__).resolve().parent

# One migrator at a time, whatever the number of processes that start together.
LOCK = 0x72656769


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the database up to `revision`. `engine` is the owner's."""
    with _locked(engine) as connection:
        command.upgrade(_config(connection), revision)


def prepare(database: Database, now: datetime, *, demo: bool) -> None:
    """All that `registry migrate` does: the tables, then the rows every node needs."""
    upgrade(database.owner_engine)
    with Session(database.owner_engine) as session, session.begin():
        seed(session, now, demo=demo)


def downgrade(engine: Engine, revision: str) -> None:
    with _locked(engine) as connection:
        command.downgrade(_config(connection), revision)


def check(engine: Engine) -> None:
    """Raises `alembic.util.CommandError` when the tables of the code and of the migrations differ."""
    with engine.connect() as connection:
        command.check(_config(connection))


def is_current(connection: Connection) -> bool:
    """Whether every migration of this code has run; for the readiness probe."""
    heads = ScriptDirectory.from_config(_config(connection)).get_heads()
    return set(MigrationContext.configure(connection).get_current_heads()) == set(heads)


@contextmanager
def _locked(engine: Engine) -> Iterator[Connection]:
    """A connection that holds the migrators' lock."""
    with engine.connect() as connection:
        connection.execute(text("select pg_advisory_lock(:lock)"), {"lock": LOCK})
        # A migration that waits for a long reader would stop every writer behind it.
        connection.execute(text("set lock_timeout = '10s'"))
        connection.commit()
        yield connection


def _config(connection: Connection) -> Config:
    shipped = HERE / "_migrations"  # in an installed wheel
    config = Config(stdout=io.StringIO())
    config.set_main_option(
        "script_location", str(shipped if shipped.is_dir() else HERE.parent / "alembic").replace("%", "%%")
    )
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config

"""Run by Alembic: with the connection it was handed (registry/migrate.py), or with the settings' (the alembic command)."""

from __future__ import annotations

from typing import Any

from alembic import context
from alembic.util import CommandError
from sqlalchemy import Connection

from registry.schema import metadata
from registry.settings import read_settings
from registry.transaction import open_database


def is_ours(name: str | None, kind: str, _parent: Any) -> bool:
    """Autogenerate leaves the job queue's tables alone: their schema is the library's."""
    return not (kind == "table" and str(name).startswith("procrastinate_"))


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        compare_type=True,
        include_name=is_ours,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    raise CommandError("these migrations read the database as they go: --sql is not offered")
if (given := context.config.attributes.get("connection")) is not None:
    run(given)
else:
    with open_database(read_settings()).owner_engine.connect() as own:
        run(own)

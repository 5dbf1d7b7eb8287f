"""A database of a test's own that has what every node has, for commands that commit."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from registry import migrate
from registry.institutions import imports as institutions
from registry.sealed import Seal
from registry.time import CHINA
from registry.transaction import Database
from tests.conftest import EmptyDatabases
from tests.registry.extracts import Extracts


@pytest.fixture(scope="session")
def prepared(empty_databases: EmptyDatabases) -> str:
    """The name of a migrated and seeded database that others are copied from."""
    database = empty_databases.make()
    migrate.prepare(database, datetime(2026, 1, 1, tzinfo=CHINA), demo=True)
    database.dispose()
    return empty_databases.made[-1][0]


@pytest.fixture
def own_database(empty_databases: EmptyDatabases, prepared: str) -> Iterator[Database]:
    """Migrated and seeded; committed to at will, thrown away afterwards."""
    database = empty_databases.copy(prepared)
    yield database
    database.dispose()


@pytest.fixture(scope="session")
def seal() -> Seal:
    return Seal({1: bytes(range(32))})


@pytest.fixture
def extracts(own_database: Database, seal: Seal, now: datetime, tmp_path: Path) -> Extracts:
    """Files to import, and their import into `own_database`, which knows the sample's institutions."""
    made = Extracts(own_database, seal, now, tmp_path)
    institutions.run(own_database, made.institutions(), seal, source_at=now, now=now)
    return made

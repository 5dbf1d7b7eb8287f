"""A real PostgreSQL for every test: migrated once per run, rolled back after each test."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from psycopg import sql
from sqlalchemy.engine import make_url
from sqlmodel import Session

from registry import migrate
from registry.app import create_app
from registry.localpg import Cluster
from registry.node import Node
from registry.settings import Environment, Settings
from registry.time import CHINA
from registry.transaction import Database
from tests.invariants import check
from tests.world import StoppedClock, World

# Nothing here must survive a power cut.
FAST = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


@pytest.fixture(scope="session")
def server() -> Iterator[tuple[str, str]]:
    """Addresses (owner's, application's) of a server to make databases in.

    The embedded one, or the one REGISTRY_TEST_DATABASE_URL names: its login must be allowed to create databases.
    """
    if given := os.environ.get("REGISTRY_TEST_DATABASE_URL"):
        yield given, given
        return
    # Not tmp_path: that is closed to the account which runs the server for root.
    root = Path(tempfile.mkdtemp(prefix="registry-"))
    cluster = Cluster(root, settings=FAST, die_with_parent=True).start()
    yield cluster.owner_url("postgres"), cluster.app_url("postgres")
    cluster.stop()
    shutil.rmtree(root, ignore_errors=True)


def _in(url: str, database: str) -> str:
    return make_url(url).set(database=database).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def empty_databases(server: tuple[str, str]) -> Iterator[EmptyDatabases]:
    """Makes databases with nothing in them; all are dropped at the end of the run."""
    databases = EmptyDatabases(*server)
    yield databases
    databases.drop()


class EmptyDatabases:
    def __init__(self, owner_url: str, app_url: str) -> None:
        self.owner_url, self.app_url = owner_url, app_url
        self.made: list[tuple[str, Database]] = []

    def copy(self, template: str) -> Database:
        """A copy of one of these databases, which nobody may be connected to."""
        name = f"registry_test_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self.owner_url, autocommit=True) as connection:
            connection.execute(
                sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template))
            )
        database = Database(_in(self.owner_url, name), _in(self.app_url, name))
        self.made.append((name, database))
        return database

    def make(self) -> Database:
        name = f"registry_test_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self.owner_url, autocommit=True) as connection:
            # Bytes for sorting, as the embedded cluster has it, whatever the server's default.
            connection.execute(
                sql.SQL(
                    "create database {} template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C.UTF-8'"
                ).format(sql.Identifier(name))
            )
        database = Database(_in(self.owner_url, name), _in(self.app_url, name))
        self.made.append((name, database))
        return database

    def drop(self) -> None:
        with psycopg.connect(self.owner_url, autocommit=True) as connection:
            for name, database in self.made:
                database.dispose()
                connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


@pytest.fixture(scope="session")
def database(empty_databases: EmptyDatabases) -> Database:
    """The migrated database of this run, with the rows every node has and the demo's settings."""
    database = empty_databases.make()
    migrate.prepare(database, datetime(2026, 1, 1, tzinfo=CHINA), demo=True)
    return database


@pytest.fixture
def empty_database(empty_databases: EmptyDatabases) -> Database:
    """A database of the test's own: all tables, no rows."""
    database = empty_databases.make()
    migrate.upgrade(database.owner_engine)
    return database


@pytest.fixture(scope="session")
def engine(database: Database) -> sa.Engine:
    """Connections of the application's role."""
    return database.engine


@pytest.fixture(scope="session")
def owner_engine(database: Database) -> sa.Engine:
    return database.owner_engine


@pytest.fixture
def session(engine: sa.Engine) -> Iterator[Session]:
    """A session in a transaction that is rolled back at the end; a commit inside ends only a savepoint."""
    with engine.connect() as connection:
        outer = connection.begin()
        with Session(connection, join_transaction_mode="create_savepoint") as session:
            yield session
        outer.rollback()


@pytest.fixture
def now() -> datetime:
    """A Saturday in the calendar that is loaded, at nine in the morning in China."""
    return datetime(2026, 11, 21, 9, 0, tzinfo=CHINA)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A demo's settings, untouched by the environment's `.env`."""
    return Settings(_env_file=None, env=Environment.DEMO, data_dir=tmp_path, key_dir=tmp_path / "keys")


@pytest.fixture(scope="session")
def loaded(empty_databases: EmptyDatabases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("world")
    started = datetime(2026, 11, 23, 9, 0, tzinfo=CHINA)  # a Monday
    database = empty_databases.make()
    migrate.prepare(database, started, demo=True)
    settings = Settings(_env_file=None, env=Environment.DEMO, data_dir=folder, key_dir=folder / "keys")
    clock = StoppedClock(started)
    app = create_app(Node(settings, database, clock))
    world = World(app, TestClient(app, raise_server_exceptions=False), database, folder, clock)
    with world.http:
        world.load()
        yield world
        check(database, world.told)


@pytest.fixture
def world(loaded: World) -> World:
    """The province on its first Monday; every test takes physicians and accounts of its own."""
    loaded.clock.now = datetime(2026, 11, 23, 9, 0, tzinfo=CHINA)
    return loaded

"""The database as the edge holds it: addresses, engines, and the one transaction of a request (docs/adr/0004)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property

import sqlalchemy as sa
from sqlalchemy.engine import make_url
from sqlmodel import Session

from registry.localpg import APP, Cluster
from registry.settings import Settings

# The application role's limits are given at the start of each connection too: a login other than the role itself
# (an external database) does not inherit what ALTER ROLE set.
LIMITS = {"lock_timeout": "2s", "statement_timeout": "15s", "idle_in_transaction_session_timeout": "30s"}
_APP_OPTIONS = " ".join(f"-c {name}={value}" for name, value in {"role": APP, **LIMITS}.items())


@dataclass(frozen=True)
class Database:
    """Addresses of one database: the owner's for migrations, the application's for everything else."""

    owner_url: str = field(repr=False)  # passwords inside
    app_url: str = field(repr=False)
    read_url: str = field(default="", repr=False)  # a replica for verification; empty: the application's
    connections: int = 20  # of the application's role that one process opens at most

    @cached_property
    def engine(self) -> sa.Engine:
        """Connections of the application's role: it owns nothing and cannot change audit rows (docs/adr/0003)."""
        return sa.create_engine(
            self.app_url,
            connect_args={"options": app_options(self.app_url), "connect_timeout": 5, "application_name": "registry"},
            pool_size=self.connections // 2,
            max_overflow=self.connections - self.connections // 2,
            pool_timeout=5,
            pool_pre_ping=True,  # a restarted database costs a reconnect, not an error
        )

    @cached_property
    def owner_engine(self) -> sa.Engine:
        return sa.create_engine(
            self.owner_url,
            poolclass=sa.NullPool,
            connect_args={"connect_timeout": 5, "application_name": "registry-owner"},
        )

    def dispose(self) -> None:
        """Close the engines that were made."""
        for name in ("engine", "owner_engine"):
            if name in self.__dict__:
                self.__dict__.pop(name).dispose()


def app_options(url: str) -> str:
    """The libpq `options` that make a connection the application's: its role and its limits."""
    given = make_url(url).query.get("options", "")
    return f"{given if isinstance(given, str) else ' '.join(given)} {_APP_OPTIONS}".strip()


def open_database(settings: Settings) -> Database:
    """The database that the settings name; without one, the embedded cluster, started or adopted.

    Raises `registry.localpg.LocalPgError`.
    """
    if settings.database_url:
        return Database(
            owner_url=settings.owner_database_url or settings.database_url,
            app_url=settings.database_url,
            read_url=settings.read_database_url,
        )
    cluster = embedded(settings).start()
    return Database(cluster.owner_url(), cluster.app_url())


def embedded(settings: Settings) -> Cluster:
    """The embedded cluster of these settings, running or not."""
    return Cluster(settings.data_dir / "postgres")


@contextmanager
def transaction(database: Database) -> Iterator[Session]:
    """One unit of work: committed when the block ends, rolled back when it raises."""
    with Session(database.engine) as session, session.begin():
        yield session

"""What one process holds for its lifetime: settings, database and clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from registry.settings import Settings, read_settings
from registry.time import Clock, clock_at
from registry.transaction import Database, open_database


@dataclass(frozen=True)
class Node:
    """As a context manager it closes its connections at the end."""

    settings: Settings
    database: Database
    clock: Clock

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.database.dispose()


def open_node(settings: Settings | None = None) -> Node:
    """The node that the settings describe; an embedded database is started.

    Raises `SettingsError`, `registry.localpg.LocalPgError`.
    """
    settings = settings or read_settings()
    return Node(settings, open_database(settings), clock_at(settings.now))

"""A node with a log of its own, and ways to write events and to look at what became of them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from auth.actor import OPERATOR
from registry.bulk import cursor_of
from registry.keys import open_keys
from registry.log.bulk import Event, record_all
from registry.log.checkpoint import Checkpoint
from registry.log.mirror import Mirror
from registry.log.note import Note, VerifierKey, verifier_key
from registry.log.sequencer import Sequencer, last_published
from registry.node import Node
from registry.settings import Environment, Settings
from registry.transaction import Database, transaction

SUBJECT = uuid.UUID(int=7)


@dataclass
class Book:
    """One node and its log."""

    node: Node

    @property
    def mirror(self) -> Mirror:
        return Mirror(self.node.settings.mirror)

    @property
    def key(self) -> VerifierKey:
        return verifier_key(self.node.settings.origin, open_keys(self.node.settings, self.node.clock()).log_key())

    def write(self, count: int) -> None:
        """That many events, in one transaction."""
        with transaction(self.node.database) as session:
            events = (Event("test.happen", "test", SUBJECT, n, f'{{"n":{n}}}', None) for n in range(count))
            record_all(cursor_of(session), OPERATOR, events, now=self.node.clock())

    def sequence(self) -> int:
        """Sequence and publish all there is, as a new process."""
        with Sequencer(self.node) as sequencer:
            assert sequencer.leads
            return sequencer.step()

    def published(self) -> Note:
        with self.node.database.engine.connect() as connection:
            note = last_published(connection)
        assert note
        return note.ensure_by(self.key)

    @property
    def checkpoint(self) -> Checkpoint:
        return Checkpoint.of(self.published())

    def count(self, table: str) -> int:
        with self.node.database.engine.connect() as connection:
            found: int = connection.execute(sa.select(sa.func.count()).select_from(sa.table(table))).scalar_one()
        return found

    def leaves(self) -> list[bytes]:
        with self.node.database.engine.connect() as connection:
            return [
                bytes(leaf)
                for leaf in connection.execute(sa.text("select leaf from log_leaf order by index")).scalars()
            ]


@pytest.fixture
def book(own_database: Database, now: datetime, tmp_path: Path) -> Iterator[Book]:
    """An empty log on a database of the test's own."""
    settings = Settings(_env_file=None, env=Environment.DEMO, data_dir=tmp_path, key_dir=tmp_path / "keys")
    yield Book(Node(settings, own_database, lambda: now))
    own_database.dispose()

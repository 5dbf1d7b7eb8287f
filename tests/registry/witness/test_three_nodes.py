"""Three nodes that watch each other over HTTP: what they co-sign, what a thief of a log key gets, and what silence costs."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
import uvicorn
from sqlmodel import Session, select

from registry.log.checkpoint import Checkpoint
from registry.log.note import Note, VerifierKey
from registry.log.sequencer import Sequencer
from registry.node import Node
from registry.settings import Environment, Settings
from registry.time import Clock
from registry.transaction import Database, transaction
from registry.witness import asking
from registry.witness.app import create_app
from registry.witness.asking import Neighbour, Witnesses, majority
from registry.witness.tables import Cosigner, ForkEvidence, WitnessedLog
from registry.witness.witnessing import Witness, watch
from tests.conftest import EmptyDatabases
from tests.registry.log.conftest import Book
from tests.registry.witness.conftest import Watcher, key
from tests.world import StoppedClock


@dataclass
class Peer:
    """A node: its own log, its witness of the others, and its witness's address."""

    name: str
    book: Book
    watcher: Watcher
    clock: StoppedClock
    url: str = ""

    @property
    def neighbour(self) -> Neighbour:
        return Neighbour(self.name, self.url, self.watcher.key)

    def publish(self, neighbours: list[Neighbour], events: int = 3) -> Note:
        """Write, sequence, ask the neighbours, publish."""
        self.book.write(events)
        witnesses = Witnesses(self.book.node.database, self.clock, neighbours, majority(len(neighbours)))
        with Sequencer(self.book.node, witnesses) as sequencer:
            sequencer.step()
        return self.book.published()

    def cosigners(self) -> dict[str, Cosigner]:
        with Session(self.book.node.database.engine) as session:
            return {row.name: row for row in session.exec(select(Cosigner)).all()}

    def seen(self, other: Peer) -> int:
        """How much of another's log this node has co-signed."""
        with transaction(self.book.node.database) as session:
            return session.get_one(WitnessedLog, other.book.key.name).size

    def evidence(self) -> list[ForkEvidence]:
        with Session(self.book.node.database.engine) as session:
            return list(session.exec(select(ForkEvidence)).all())


def peer(database: Database, number: int, folder: Path, now: datetime) -> Peer:
    settings = Settings(
        _env_file=None,
        env=Environment.DEMO,
        data_dir=folder,
        key_dir=folder / "keys",
        log_origin=f"node{number}.example/log",
    )
    clock = StoppedClock(now)
    watcher = Watcher(database, Witness(f"node{number}.example/witness", key(20 + number)))
    return Peer(f"node{number}", Book(Node(settings, database, clock)), watcher, clock)


@contextmanager
def served(watcher: Watcher, clock: Clock) -> Iterator[str]:
    """A witness, over HTTP."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        app = create_app(watcher.database, watcher.witness, clock)
        server = uvicorn.Server(uvicorn.Config(app, log_level="error", ws="none", lifespan="off"))
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture
def peers(empty_databases: EmptyDatabases, prepared: str, tmp_path: Path, now: datetime) -> Iterator[list[Peer]]:
    """Three of them; each watches the two others."""
    made = [peer(empty_databases.copy(prepared), n, tmp_path / f"node{n}", now) for n in (1, 2, 3)]
    with ExitStack() as stack:
        for one in made:
            one.url = stack.enter_context(served(one.watcher, one.clock))
            with transaction(one.book.node.database) as session:
                for other in made:
                    if other is not one:
                        watch(session, str(other.book.key))
        yield made
    for one in made:
        one.book.node.database.dispose()


def others(peers: list[Peer], one: Peer) -> list[Neighbour]:
    return [other.neighbour for other in peers if other is not one]


def cosigned_by(note: Note, neighbours: list[Neighbour]) -> set[VerifierKey]:
    return {key for key, _ in note.by([neighbour.key for neighbour in neighbours])}


def test_each_checkpoint_bears_the_cosignatures_of_the_others(peers: list[Peer]) -> None:
    for one in peers:
        for _ in range(3):
            neighbours = others(peers, one)
            note = one.publish(neighbours)
            assert cosigned_by(note, neighbours) == {neighbour.key for neighbour in neighbours}
        assert {other.seen(one) for other in peers if other is not one} == {one.book.checkpoint.size}
        assert {row.size for row in one.cosigners().values()} == {one.book.checkpoint.size}
        assert all(row.late_since is None for row in one.cosigners().values())
    assert [one.evidence() for one in peers] == [[], [], []]


def test_a_fork_under_the_stolen_log_key_finds_no_witness_and_stays_as_evidence(
    peers: list[Peer], empty_databases: EmptyDatabases, prepared: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    victim, *witnesses = peers
    neighbours = others(peers, victim)
    victim.publish(neighbours, events=20)
    # The thief has the key and a database of before; its mirror is empty, so nothing there holds it back.
    settings = victim.book.node.settings.model_copy(update={"data_dir": tmp_path / "thief"})
    database = empty_databases.copy(prepared)
    thief = replace(victim, book=Book(Node(settings, database, victim.clock)))
    with caplog.at_level(logging.ERROR):
        forged = thief.publish(neighbours, events=30)
    assert Checkpoint.of(forged).size > victim.book.checkpoint.size
    assert forged.ensure_by(victim.book.key)  # perfect, but for the witnesses
    assert cosigned_by(forged, neighbours) == set()
    assert "0 of 2 cosignatures" in caplog.text
    for witness in witnesses:
        (kept,) = witness.evidence()
        assert str(forged).partition("\n\n")[0] in kept.submitted
        assert Checkpoint.of(Note.parse(kept.seen)) == victim.book.checkpoint
    assert {row.failure for row in thief.cosigners().values()} == {"it answered 422"}
    database.dispose()


def test_a_log_that_lost_leaves_learns_it_from_its_witnesses(
    peers: list[Peer], empty_databases: EmptyDatabases, prepared: str, tmp_path: Path
) -> None:
    victim = peers[0]
    victim.publish(others(peers, victim), events=20)
    settings = victim.book.node.settings.model_copy(update={"data_dir": tmp_path / "restored"})
    database = empty_databases.copy(prepared)
    restored = replace(victim, book=Book(Node(settings, database, victim.clock)))
    restored.publish(others(peers, victim), events=1)
    for row in restored.cosigners().values():
        assert (
            row.failure
            == f"it has co-signed {victim.book.checkpoint.size} leaves: this log lost some, or its key signs elsewhere"
        )
    database.dispose()


def test_a_witness_that_says_nothing_delays_and_prevents_nothing(
    peers: list[Peer], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    one, two, three = peers
    monkeypatch.setattr(asking, "PATIENCE", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent, caplog.at_level(logging.ERROR):
        dead = three.neighbour._replace(url=f"http://127.0.0.1:{silent.getsockname()[1]}")
        began = time.monotonic()
        note = one.publish([two.neighbour, dead])
        assert time.monotonic() - began < 5
    assert cosigned_by(note, [two.neighbour, dead]) == {two.watcher.key}
    rows = one.cosigners()
    assert rows["node2"].late_since is None
    assert (rows["node3"].late_since, rows["node3"].failure) == (one.clock.now, "no answer in time")
    assert "1 of 2 cosignatures: published without" in caplog.text


def test_a_witness_that_is_back_goes_on_from_where_it_was(peers: list[Peer]) -> None:
    one, two, three = peers
    one.publish(others(peers, one))
    gone = three.neighbour._replace(url="http://127.0.0.1:9")
    assert cosigned_by(one.publish([two.neighbour, gone]), [three.neighbour]) == set()
    assert one.cosigners()["node3"].late_since == one.clock.now
    one.clock.now += timedelta(minutes=1)
    assert cosigned_by(one.publish(others(peers, one)), [three.neighbour]) == {three.watcher.key}
    assert one.cosigners()["node3"].late_since is None
    assert three.seen(one) == one.book.checkpoint.size


def test_a_witness_that_failed_is_left_alone_for_a_while(peers: list[Peer], monkeypatch: pytest.MonkeyPatch) -> None:
    one, two, three = peers
    asked: list[str] = []
    post = asking._post

    def counted(url: str, body: bytes) -> tuple[int, bytes]:
        asked.append(url)
        return post(url, body)

    monkeypatch.setattr(asking, "_post", counted)
    gone = three.neighbour._replace(url="http://127.0.0.1:9")
    witnesses = Witnesses(one.book.node.database, one.clock, [two.neighbour, gone], 2)
    with Sequencer(one.book.node, witnesses) as sequencer:
        for _ in range(3):
            one.book.write(1)
            sequencer.step()
        assert asked.count(gone.url) == 1
        one.clock.now += asking.AGAIN
        one.book.write(1)
        sequencer.step()
    assert asked.count(gone.url) == 2


def test_the_witness_answers_over_http_as_specified(peers: list[Peer]) -> None:
    one, two, _ = peers
    status, body = asking._post(two.url, b"nonsense")
    assert status == 400
    assert b"\n" in body
    assert asking._post(two.url, b"x" * 20_000)[0] == 413
    assert asking._post(f"{two.url}/elsewhere", b"old 0\n")[0] == 404
    one.publish(others(peers, one))
    with one.book.node.database.engine.connect() as connection:
        assert connection.execute(sa.text("select count(*) from cosigner")).scalar_one() == 2

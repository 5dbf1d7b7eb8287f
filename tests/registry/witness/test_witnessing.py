"""What a witness co-signs, what it refuses and with which status, and that it keeps what it cannot have both of."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError
from sqlmodel import select

from registry.log.checkpoint import Checkpoint
from registry.log.note import Malformed, Note, Signature
from registry.transaction import transaction
from registry.witness.submission import SIZE_TYPE, Submission
from registry.witness.tables import ForkEvidence, WitnessedLog
from registry.witness.witnessing import Reply, watch
from tests.registry.witness.conftest import NOON, Log, Watcher, key


def size_of(watcher: Watcher, origin: str = "log.example") -> int:
    with transaction(watcher.database) as session:
        return session.get_one(WitnessedLog, origin).size


def evidence(watcher: Watcher) -> list[tuple[str, str]]:
    with transaction(watcher.database) as session:
        return [(row.seen, row.submitted) for row in session.exec(select(ForkEvidence)).all()]


def test_a_continued_log_is_co_signed_at_the_time_that_it_is(watcher: Watcher, log: Log) -> None:
    longer = log.grown(7)
    reply = watcher.told(longer.submission(10))
    assert reply.status == 200
    signature = Signature.parse(reply.body.removesuffix("\n"))
    assert signature.time == int(NOON.timestamp())
    longer.note.signed(signature).ensure_by(watcher.key)
    assert size_of(watcher) == 17


def test_what_was_co_signed_is_kept_with_the_cosignature(watcher: Watcher, log: Log) -> None:
    with transaction(watcher.database) as session:
        kept = session.get_one(WitnessedLog, log.name)
        Note.parse(kept.note or "").ensure_by(watcher.key)
        assert (kept.size, kept.root, kept.at) == (10, log.range_hash(0, 10), NOON)


def test_the_same_checkpoint_is_co_signed_again(watcher: Watcher, log: Log) -> None:
    assert watcher.told(log.submission(10)).status == 200
    assert evidence(watcher) == []


def test_a_log_that_is_not_watched_is_not_found(watcher: Watcher, log: Log) -> None:
    assert watcher.told(Log("another.example").grown(1).submission(0)).status == 404


def test_a_stranger_s_signature_is_forbidden(watcher: Watcher, log: Log) -> None:
    stranger = replace(log, signer=key(2)).grown(1)
    assert watcher.told(stranger.submission(10)).status == 403
    assert (size_of(watcher), evidence(watcher)) == (10, [])


def test_what_cannot_be_read_is_a_bad_request(watcher: Watcher, log: Log) -> None:
    assert watcher.told(b"old ten\n").status == 400
    assert watcher.told(log.submission(11)).status == 400  # older than it is


@pytest.mark.parametrize("old", [0, 3, 9])
def test_from_another_size_is_a_conflict_that_names_the_size(watcher: Watcher, log: Log, old: int) -> None:
    assert watcher.told(log.grown(5).submission(old)) == Reply(409, "10\n", SIZE_TYPE)
    assert evidence(watcher) == []


def test_a_rolled_back_log_is_a_conflict(watcher: Watcher, log: Log) -> None:
    shorter = replace(log, leaves=log.leaves[:6])
    assert watcher.told(shorter.submission(6)) == Reply(409, "10\n", SIZE_TYPE)
    assert size_of(watcher) == 10


def test_a_proof_that_does_not_fit_is_refused(watcher: Watcher, log: Log) -> None:
    longer = log.grown(7)
    wrong = Submission(10, (bytes(32),), longer.note)
    assert watcher.told(str(wrong).encode()).status == 422
    assert size_of(watcher) == 10


def test_a_fork_under_the_stolen_key_is_refused_and_kept(watcher: Watcher, log: Log) -> None:
    fork = Log(leaves=[b"another past", *log.leaves[1:]]).grown(7)
    body = fork.submission(10)
    assert watcher.told(body).status == 422
    assert size_of(watcher) == 10
    ((seen, submitted),) = evidence(watcher)
    assert submitted.encode() == body
    Note.parse(seen).ensure_by(watcher.key)
    assert Checkpoint.of(Note.parse(seen)).root == log.range_hash(0, 10)


def test_two_trees_of_one_size_are_kept_whatever_size_came_with_them(watcher: Watcher, log: Log) -> None:
    fork = Log(leaves=[b"another past", *log.leaves[1:]])
    assert watcher.told(fork.submission(10)).status == 409
    assert watcher.told(fork.submission(0)).status == 409
    assert len(evidence(watcher)) == 1  # the checkpoint once, however often it is sent


def test_a_log_begins_with_a_tree_that_is_empty_or_needs_no_proof(watcher: Watcher) -> None:
    empty = Log("new.example")
    watcher.watches(empty)
    assert watcher.told(str(Submission(0, (bytes(32),), empty.grown(2).note)).encode()).status == 422
    assert watcher.told(empty.submission(0)).status == 200
    assert watcher.told(empty.grown(2).submission(0)).status == 200
    assert size_of(watcher, "new.example") == 2


def test_of_many_at_once_one_is_first_and_the_tree_never_goes_back(watcher: Watcher, log: Log) -> None:
    sizes, replies, begin = range(11, 19), [], threading.Barrier(8)

    def submit(size: int) -> None:
        begin.wait()
        replies.append((size, watcher.told(log.grown(size - 10).submission(10)).status))

    threads = [threading.Thread(target=submit, args=(size,)) for size in sizes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(status for _, status in replies) == {200: 1, 409: 7}
    assert [size for size, status in replies if status == 200] == [size_of(watcher)]


def test_a_known_log_is_not_watched_under_another_key(watcher: Watcher, log: Log) -> None:
    watcher.watches(log)
    with transaction(watcher.database) as session, pytest.raises(Malformed):
        watch(session, replace(log, signer=key(2)).vkey)


@pytest.mark.parametrize(
    "statement",
    [
        "update witnessed_log set size = 3",
        "update witnessed_log set root = sha256('')",
        "update witnessed_log set vkey = 'another'",
        "delete from witnessed_log",
        "delete from fork_evidence",
    ],
)
def test_not_even_the_owner_makes_a_witness_forget(watcher: Watcher, log: Log, statement: str) -> None:
    with watcher.database.owner_engine.connect() as connection, pytest.raises(ProgrammingError):
        connection.execute(sa.text(statement))

"""Logs that others keep, in memory, and a witness on a database of the test's own."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from registry.log import merkle
from registry.log.checkpoint import Checkpoint
from registry.log.note import COSIGNATURE, Note, VerifierKey, sign, verifier_key
from registry.transaction import Database, transaction
from registry.witness.submission import Submission
from registry.witness.witnessing import Reply, Witness, watch

NOON = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)


def key(seed: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)


@dataclass
class Log:
    """Somebody's log: its leaves and its key."""

    name: str = "log.example"
    signer: Ed25519PrivateKey = field(default_factory=lambda: key(1))
    leaves: list[bytes] = field(default_factory=list)

    @property
    def vkey(self) -> str:
        return str(verifier_key(self.name, self.signer))

    def grown(self, count: int, mark: str = "leaf") -> Log:
        """The same log, continued."""
        return Log(self.name, self.signer, self.leaves + [f"{mark} {n}".encode() for n in range(count)])

    def range_hash(self, start: int, end: int) -> bytes:
        return merkle.root(map(merkle.leaf_hash, self.leaves[start:end]))

    @property
    def note(self) -> Note:
        text = str(Checkpoint(self.name, len(self.leaves), self.range_hash(0, len(self.leaves))))
        return Note(text, (sign(text, self.name, self.signer),))

    def submission(self, old: int) -> bytes:
        """What it sends to a witness that is at `old`."""
        size = len(self.leaves)
        proof = merkle.consistency_proof(old, size, self.range_hash) if old <= size else []
        return str(Submission(old, tuple(proof), self.note)).encode()


@dataclass
class Watcher:
    """A witness and its database."""

    database: Database
    witness: Witness = field(default_factory=lambda: Witness("witness.example", key(9)))

    @property
    def key(self) -> VerifierKey:
        return verifier_key(self.witness.name, self.witness.key, COSIGNATURE)

    def watches(self, log: Log) -> None:
        with transaction(self.database) as session:
            watch(session, log.vkey)

    def told(self, body: bytes, now: datetime = NOON) -> Reply:
        with transaction(self.database) as session:
            return self.witness.add_checkpoint(session, body, now)


@pytest.fixture
def watcher(own_database: Database) -> Watcher:
    return Watcher(own_database)


@pytest.fixture
def log(watcher: Watcher) -> Log:
    """A log of ten leaves that the witness watches and has co-signed."""
    log = Log().grown(10)
    watcher.watches(log)
    assert watcher.told(log.submission(0)).status == 200
    return log

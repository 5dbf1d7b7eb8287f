"""Writes what foreign verifiers must accept and refuse: python cases.py FOLDER

A log of every awkward size as the sequencer makes it on a scratch database, with its mirror, checkpoints and proofs, and altered
copies. The same cases for every verifier: `suite.json` says of each its kind and whether it is to be accepted.
"""

from __future__ import annotations

import argparse
import base64
import itertools
import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from registry import migrate
from registry.keys import open_keys
from registry.localpg import Cluster
from registry.log import merkle, note, proofs
from registry.log.checkpoint import Checkpoint
from registry.log.note import Note
from registry.log.tiles import path_of, with_tiles
from registry.node import Node
from registry.settings import Environment, Settings
from registry.transaction import Database, transaction
from tests.registry.log.conftest import Book

SIZES = (1, 2, 255, 256, 257, 65_536, 65_537)
LARGEST = SIZES[-1]
NAME = "registry.example/log"
WITNESS = "witness.example"
NOW = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)


@dataclass
class Case:
    """One thing to be accepted or refused. `note` and `older` are checkpoints, `file` a .tlog-proof, the rest as its kind needs."""

    name: str
    kind: str  # note, cosigned, tree, inclusion, proof, consistency
    accept: bool
    note: str = ""
    older: str = ""
    folder: str = ""
    index: int = 0
    leaf: str = ""
    proof: list[str] = field(default_factory=list)
    file: str = ""


def key(seed: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)


STRANGER, CO = key(2), key(3)


@dataclass
class Log:
    """Our log: what it published at each size, and proofs from its tiles."""

    book: Book
    signer: Ed25519PrivateKey
    notes: dict[int, Note]
    leaves: list[bytes]

    @classmethod
    def grown(cls, book: Book, folder: Path) -> Log:
        """Sequenced and published at every size; a copy of the mirror as it was then lies in `log-<size>`."""
        notes: dict[int, Note] = {}
        for before, size in zip((0, *SIZES), SIZES, strict=False):
            book.write(size - before)
            book.sequence()
            notes[size] = book.published()
            linked(book.mirror.folder, folder / f"log-{size}")
        signer = open_keys(book.node.settings, NOW).log_key()
        return cls(book, signer, notes, list(book.mirror.leaves(0, LARGEST)))

    def inclusion(self, index: int, size: int) -> list[str]:
        with self.book.node.database.engine.connect() as connection:
            return encoded(with_tiles(connection, lambda over: merkle.inclusion_proof(index, size, over)))

    def consistency(self, old: int, new: int) -> list[str]:
        with transaction(self.book.node.database) as session:
            return encoded(proofs.consistency(session, old, new))

    def claimed(self, size: int, claim: int | None = None, by: Ed25519PrivateKey | None = None) -> Note:
        """The true root under another size, or another key, signed all the same."""
        checkpoint = Checkpoint.of(self.notes[size])
        text = str(replace(checkpoint, size=size if claim is None else claim))
        return Note(text, (note.sign(text, NAME, by or self.signer),))


class Fork:
    """Another history under the same key, held in memory: the hashes of every perfect subtree, by height."""

    def __init__(self, leaves: list[bytes], signer: Ed25519PrivateKey) -> None:
        self.signer = signer
        self.rows = [[merkle.leaf_hash(leaf) for leaf in leaves]]
        while len(row := self.rows[-1]) > 1:
            self.rows.append([merkle.node_hash(*row[at : at + 2]) for at in range(0, len(row) - 1, 2)])

    def range_hash(self, start: int, end: int) -> bytes:
        return merkle.joined([self.rows[height][at] for height, at in merkle.subtrees(start, end)])

    def consistency(self, old: int, new: int) -> list[str]:
        return encoded(merkle.consistency_proof(old, new, self.range_hash))

    def signed(self, size: int) -> Note:
        text = str(Checkpoint(NAME, size, self.range_hash(0, size)))
        return Note(text, (note.sign(text, NAME, self.signer),))


def encoded(hashes: Iterable[bytes]) -> list[str]:
    return [base64.b64encode(hash_).decode() for hash_ in hashes]


def linked(source: Path, copy: Path) -> None:
    """A copy of a folder, of links: files of a mirror are replaced, never changed."""
    shutil.copytree(source, copy, copy_function=lambda file, target: Path(target).hardlink_to(file))


def accepted(log: Log) -> Iterator[Case]:
    for size in SIZES:
        checkpoint = str(log.notes[size])
        yield Case(f"checkpoint {size}", "note", True, checkpoint)
        yield Case(f"tree {size}", "tree", True, checkpoint, folder=f"log-{size}")
        for index in sorted({0, 1, 254, 255, 256, size // 2, size - 2, size - 1} & set(range(size))):
            proof, known = log.inclusion(index, size), encoded([log.leaves[index]])[0]
            name = f"{index} in {size}"
            yield Case(f"leaf {name}", "inclusion", True, checkpoint, index=index, leaf=known, proof=proof)
            altered = encoded([log.leaves[index] + b" "])[0]
            yield Case(f"altered leaf {name}", "inclusion", False, checkpoint, index=index, leaf=altered, proof=proof)
            yield Case(f"moved leaf {name}", "inclusion", False, checkpoint, index=index ^ 1, leaf=known, proof=proof)
        for old in (old for old in SIZES if old <= size):
            older = str(log.notes[old])
            yield Case(f"{old} to {size}", "consistency", True, checkpoint, older, proof=log.consistency(old, size))


def forged_notes(log: Log) -> Iterator[Case]:
    for size in SIZES:
        claimed, strange = log.claimed(size, size + 1), log.claimed(size, by=STRANGER)
        unsigned = Note(claimed.text, log.notes[size].signatures)
        yield Case(f"size {size} forged under the signature", "note", False, str(unsigned))
        yield Case(f"checkpoint {size} of another key", "note", False, str(strange))
        yield Case(f"tree {size} of another key", "tree", False, str(strange), folder=f"log-{size}")
        # With the stolen log key: the note is good, and the tree is not what it says.
        yield Case(f"{size} claimed to be one more", "tree", False, str(claimed), folder=f"log-{size}")
        last, proof = encoded([log.leaves[size - 1]])[0], log.inclusion(size - 1, size)
        yield Case(f"last of {size}, claimed", "inclusion", False, str(claimed), index=size - 1, leaf=last, proof=proof)


def forged_histories(log: Log) -> Iterator[Case]:
    fork = Fork([b"another past", *log.leaves[1:]], log.signer)
    for old, size in itertools.pairwise(SIZES):
        older, newer, forked = str(log.notes[old]), str(log.notes[size]), str(fork.signed(size))
        yield Case(f"rolled back from {size}", "consistency", False, older, newer)
        yield Case(f"back from {size}", "consistency", False, older, newer, proof=log.consistency(old, size))
        yield Case(f"fork of {size}", "consistency", False, forked, older, proof=fork.consistency(old, size))
        yield Case(f"two trees of {size}", "consistency", False, forked, newer)


def forged_files(log: Log, folder: Path) -> Iterator[Case]:
    checkpoint, entries = str(log.notes[LARGEST]), [len(leaf).to_bytes(2) + leaf for leaf in log.leaves]
    files = {
        "first entry": path_of("entries", 0),
        "entry in the middle": path_of("entries", 128),
        "last entry": path_of("entries", 256, 1),
        "first tile": path_of(0, 0),
        "tile in the middle": path_of(0, 128),
        "last tile": path_of(0, 256, 1),
        "tile of tiles": path_of(1, 0),
        "top tile": path_of(2, 0, 1),
    }
    for number, (name, path) in enumerate(files.items()):
        content = bytearray((folder / f"log-{LARGEST}" / "tile" / path).read_bytes())
        content[-1] ^= 1
        yield Case(f"altered {name}", "tree", False, checkpoint, folder=altered(folder, number, path, bytes(content)))
    swapped = b"".join((entries[1793], entries[1792], *entries[1794:2048]))
    copy = altered(folder, len(files), path_of("entries", 7), swapped)
    yield Case("entries swapped", "tree", False, checkpoint, folder=copy)


def altered(folder: Path, number: int, path: str, content: bytes) -> str:
    """A copy of the whole log in which one file is another."""
    copy = folder / f"altered-{number}"
    linked(folder / f"log-{LARGEST}", copy)
    (copy / "tile" / path).unlink()
    (copy / "tile" / path).write_bytes(content)
    return copy.name


def proof_files(log: Log) -> Iterator[Case]:
    with transaction(log.book.node.database) as session:
        made = proofs.prove(session, [1, 4711, LARGEST])
    for proof in made:
        name, leaf = f"proof file of {proof.index}", encoded([proof.leaf])[0]
        wrong = {
            "another leaf": (str(proof), encoded([proof.leaf + b" "])[0]),
            "another index": (str(replace(proof, index=proof.index ^ 1)), leaf),
            "a longer path": (str(replace(proof, path=(*proof.path, bytes(32)))), leaf),
            "an older checkpoint": (str(replace(proof, note=log.notes[65_536])), leaf),
            "a stranger's checkpoint": (str(replace(proof, note=log.claimed(LARGEST, by=STRANGER))), leaf),
        }
        yield Case(name, "proof", True, file=str(proof), leaf=leaf)
        for what, (file, leaf_) in wrong.items():
            yield Case(f"{name} with {what}", "proof", False, file=file, leaf=leaf_)


def cosigned(log: Log) -> Iterator[Case]:
    checkpoint = log.notes[257]
    line = note.cosign(checkpoint.text, WITNESS, CO, 1_795_000_000)
    later = note.Signature(line.name, line.key_id, (1_795_000_001).to_bytes(8) + line.mark[8:])
    yield Case("cosigned", "cosigned", True, str(checkpoint.signed(line)))
    yield Case("cosigned, the log's line still counts", "note", True, str(checkpoint.signed(line)))
    yield Case("not cosigned", "cosigned", False, str(checkpoint))
    yield Case("cosigned at another time", "cosigned", False, str(checkpoint.signed(later)))
    yield Case("cosigned for another tree", "cosigned", False, str(log.notes[256].signed(line)))
    stranger = note.cosign(checkpoint.text, WITNESS, STRANGER, 1_795_000_000)
    yield Case("cosigned by a stranger", "cosigned", False, str(checkpoint.signed(stranger)))


@contextmanager
def empty_log() -> Iterator[Book]:
    """A node on a scratch database without a single event."""
    root = Path(tempfile.mkdtemp(prefix="registry-foreign-"))
    cluster = Cluster(root, settings={"fsync": "off"}, die_with_parent=True).start()
    try:
        database = Database(cluster.owner_url(), cluster.app_url())
        migrate.upgrade(database.owner_engine)
        settings = Settings(
            _env_file=None, env=Environment.DEMO, data_dir=root / "node", key_dir=root / "keys", log_origin=NAME
        )
        yield Book(Node(settings, database, lambda: NOW))
        database.dispose()
    finally:
        cluster.stop()
        shutil.rmtree(root, ignore_errors=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    folder.mkdir(exist_ok=True)
    with empty_log() as book:
        log = Log.grown(book, folder)
        keys = {"vkey": str(book.key), "witness": str(note.verifier_key(WITNESS, CO, note.COSIGNATURE))}
        made = (accepted(log), forged_notes(log), forged_histories(log), forged_files(log, folder))
        cases = [case for some in (*made, proof_files(log), cosigned(log)) for case in some]
    (folder / "suite.json").write_text(json.dumps({**keys, "cases": [asdict(case) for case in cases]}), "utf-8")
    print(f"{len(cases)} cases, {sum(case.accept for case in cases)} of them to be accepted")


if __name__ == "__main__":
    main()

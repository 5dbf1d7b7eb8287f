"""Writes what foreign verifiers must accept and refuse: python cases.py FOLDER

Logs of every awkward size, as the mirror holds them, with signed checkpoints and proofs of our code, and altered copies. The same
cases for every verifier: `suite.json` says of each its kind and whether it is to be accepted.
"""

from __future__ import annotations

import argparse
import base64
import json
import shutil
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from registry.log import merkle, note
from registry.log.checkpoint import Checkpoint
from registry.log.note import Note

SIZES = (1, 2, 255, 256, 257, 65_536, 65_537)
LARGEST = SIZES[-1]
NAME = "registry.example/log"
WITNESS = "witness.example"


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


LOG, STRANGER, CO = key(1), key(2), key(3)


class Tree:
    """A log held in memory: the hashes of every perfect subtree, by height."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.leaves = leaves
        self.rows = [[merkle.leaf_hash(leaf) for leaf in leaves]]
        while len(row := self.rows[-1]) > 1:
            self.rows.append([merkle.node_hash(*row[at : at + 2]) for at in range(0, len(row) - 1, 2)])

    def range_hash(self, start: int, end: int) -> bytes:
        return merkle.joined([self.rows[height][at] for height, at in merkle.subtrees(start, end)])

    def inclusion(self, index: int, size: int) -> list[str]:
        return encoded(merkle.inclusion_proof(index, size, self.range_hash))

    def consistency(self, old: int, new: int) -> list[str]:
        return encoded(merkle.consistency_proof(old, new, self.range_hash))

    def signed(self, size: int, *, claimed: int | None = None, by: Ed25519PrivateKey = LOG) -> Note:
        """The checkpoint of the first `size` leaves, or one that claims another size for their root."""
        text = str(Checkpoint(NAME, size if claimed is None else claimed, self.range_hash(0, size)))
        return Note(text, (note.sign(text, NAME, by),))

    def write(self, folder: Path, size: int) -> None:
        """Tiles and entry bundles of the first `size` leaves, as c2sp.org/tlog-tiles lays them out."""
        level, count = 0, size
        while count:
            for n in range(0, count, 256):
                written(folder, str(level), n // 256, self.rows[8 * level][n : min(n + 256, count)])
            level, count = level + 1, count >> 8
        for n in range(0, size, 256):
            entries = self.leaves[n : min(n + 256, size)]
            written(folder, "entries", n // 256, [len(entry).to_bytes(2) + entry for entry in entries])


def written(folder: Path, level: str, n: int, parts: list[bytes]) -> None:
    path = folder / tile_path(level, n, len(parts))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(parts))


def tile_path(level: str, n: int, width: int = 256) -> str:
    name = f"{n % 1000:03d}"
    while n := n // 1000:
        name = f"x{n % 1000:03d}/{name}"
    return f"tile/{level}/{name}" + (f".p/{width}" if width < 256 else "")


def encoded(hashes: Iterable[bytes]) -> list[str]:
    return [base64.b64encode(hash_).decode() for hash_ in hashes]


def leaf(n: int) -> bytes:
    return f'{{"at":"2026-11-21T01:00:00Z","type":"filing.approve","n":{n}}}'.encode()


def accepted(tree: Tree) -> Iterable[Case]:
    for size in SIZES:
        checkpoint = str(tree.signed(size))
        yield Case(f"checkpoint {size}", "note", True, checkpoint)
        yield Case(f"tree {size}", "tree", True, checkpoint, folder="log")
        for index in sorted({0, 1, 254, 255, 256, size // 2, size - 2, size - 1} & set(range(size))):
            proof, known = tree.inclusion(index, size), encoded([tree.leaves[index]])[0]
            name = f"{index} in {size}"
            yield Case(f"leaf {name}", "inclusion", True, checkpoint, index=index, leaf=known, proof=proof)
            altered = encoded([tree.leaves[index] + b" "])[0]
            yield Case(f"altered leaf {name}", "inclusion", False, checkpoint, index=index, leaf=altered, proof=proof)
            yield Case(f"moved leaf {name}", "inclusion", False, checkpoint, index=index ^ 1, leaf=known, proof=proof)
        for old in (old for old in SIZES if old <= size):
            older = str(tree.signed(old))
            yield Case(f"{old} to {size}", "consistency", True, checkpoint, older, proof=tree.consistency(old, size))


def forged_notes(tree: Tree) -> Iterable[Case]:
    for size in SIZES:
        true = tree.signed(size)
        longer = Note(str(Checkpoint(NAME, size + 1, tree.range_hash(0, size))), true.signatures)
        yield Case(f"size {size} forged under the signature", "note", False, str(longer))
        yield Case(f"checkpoint {size} of another key", "note", False, str(tree.signed(size, by=STRANGER)))
        yield Case(f"tree {size} of another key", "tree", False, str(tree.signed(size, by=STRANGER)), folder="log")
        # With the stolen log key: the note is good, and the tree is not what it says.
        claimed = str(tree.signed(size, claimed=size + 1))
        yield Case(f"{size} claimed to be one more", "tree", False, claimed, folder="log")
        last, proof = encoded([tree.leaves[size - 1]])[0], tree.inclusion(size - 1, size)
        yield Case(f"last of {size}, claimed", "inclusion", False, claimed, index=size - 1, leaf=last, proof=proof)


def forged_histories(tree: Tree, fork: Tree) -> Iterable[Case]:
    for size in SIZES[1:]:
        older, forked = str(tree.signed(size - 1)), str(fork.signed(size))
        yield Case(f"rolled back from {size}", "consistency", False, older, str(tree.signed(size)))
        backwards = tree.consistency(size - 1, size)
        yield Case(f"back from {size}", "consistency", False, older, str(tree.signed(size)), proof=backwards)
        yield Case(
            f"fork of {size}", "consistency", False, forked, older, proof=fork.consistency(size - 1, size)
        )  # with the stolen key
        yield Case(f"two trees of {size}", "consistency", False, forked, str(tree.signed(size)))


def forged_files(tree: Tree, folder: Path) -> Iterable[Case]:
    checkpoint = str(tree.signed(LARGEST))
    files = {
        "first entry": tile_path("entries", 0),
        "entry in the middle": tile_path("entries", 128),
        "last entry": tile_path("entries", 256, 1),
        "first tile": tile_path("0", 0),
        "tile in the middle": tile_path("0", 128),
        "last tile": tile_path("0", 256, 1),
        "tile of tiles": tile_path("1", 0),
        "top tile": tile_path("2", 0, 1),
    }
    for number, (name, path) in enumerate(files.items()):
        content = bytearray((folder / "log" / path).read_bytes())
        content[-1] ^= 1
        yield Case(f"altered {name}", "tree", False, checkpoint, folder=copied(folder, number, path, bytes(content)))
    path = tile_path("entries", 7)
    swapped = [leaf(n) for n in (1793, 1792, *range(1794, 2048))]
    content_ = b"".join(len(entry).to_bytes(2) + entry for entry in swapped)
    yield Case("entries swapped", "tree", False, checkpoint, folder=copied(folder, len(files), path, content_))


def copied(folder: Path, number: int, path: str, content: bytes) -> str:
    """A copy of the log, of links, in which one file is another."""
    copy = folder / f"altered-{number}"
    shutil.copytree(folder / "log", copy, copy_function=lambda source, target: Path(target).hardlink_to(source))
    (copy / path).unlink()
    (copy / path).write_bytes(content)
    return copy.name


def cosigned(tree: Tree) -> Iterable[Case]:
    checkpoint = tree.signed(257)
    line = note.cosign(checkpoint.text, WITNESS, CO, 1_795_000_000)
    later = note.Signature(line.name, line.key_id, (1_795_000_001).to_bytes(8) + line.mark[8:])
    yield Case("cosigned", "cosigned", True, str(checkpoint.signed(line)))
    yield Case("cosigned, the log's line still counts", "note", True, str(checkpoint.signed(line)))
    yield Case("not cosigned", "cosigned", False, str(checkpoint))
    yield Case("cosigned at another time", "cosigned", False, str(checkpoint.signed(later)))
    yield Case("cosigned for another tree", "cosigned", False, str(tree.signed(256).signed(line)))
    stranger = note.cosign(checkpoint.text, WITNESS, STRANGER, 1_795_000_000)
    yield Case("cosigned by a stranger", "cosigned", False, str(checkpoint.signed(stranger)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    tree = Tree([leaf(n) for n in range(LARGEST)])
    fork = Tree([b"another past", *tree.leaves[1:]])
    for size in SIZES:
        tree.write(folder / "log", size)
    cases = [
        *accepted(tree),
        *forged_notes(tree),
        *forged_histories(tree, fork),
        *forged_files(tree, folder),
        *cosigned(tree),
    ]
    keys = {
        "vkey": str(note.verifier_key(NAME, LOG)),
        "witness": str(note.verifier_key(WITNESS, CO, note.COSIGNATURE)),
    }
    suite = {**keys, "cases": [asdict(case) for case in cases]}
    (folder / "suite.json").write_text(json.dumps(suite), "utf-8")
    print(f"{len(cases)} cases, {sum(case.accept for case in cases)} of them to be accepted")


if __name__ == "__main__":
    main()

"""Checks the cases of a suite with aics-tlog: python aics.py FOLDER, with a Python of 3.12 or later that has it."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aics_tlog as foreign

Case = dict[str, Any]


class Refused(Exception):
    """The verifier does not accept the case."""


class Verifier:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.suite = json.loads((folder / "suite.json").read_text("utf-8"))
        self.key = foreign.parse_vkey(self.suite["vkey"])
        self.witness = foreign.parse_vkey(self.suite["witness"])
        self.kinds: dict[str, Callable[[Case], None]] = {
            "note": lambda case: ensure(self.opened(case["note"]) is not None),
            "cosigned": self.cosigned,
            "tree": self.tree,
            "inclusion": self.inclusion,
            "proof": self.proof,
            "consistency": self.consistency,
        }

    def opened(self, text: str) -> Any:
        """The checkpoint of a note that the log's key signed."""
        note = foreign.parse_note(text)
        ensure(foreign.verify_note(note, [self.key]))
        checkpoint = foreign.parse_checkpoint(note.text)
        ensure(checkpoint.origin == self.key.name)
        return checkpoint

    def cosigned(self, case: Case) -> None:
        note = foreign.parse_note(case["note"])
        ensure(foreign.verify_checkpoint(note, self.key, [self.witness], quorum=1).ok)

    def tree(self, case: Case) -> None:
        """Every tile and every entry, from the root down."""
        checkpoint = self.opened(case["note"])
        tiles = foreign.FileSystemTileReader(self.folder / case["folder"])
        foreign.audit_tiles(tiles, checkpoint.size, checkpoint.root)

    def inclusion(self, case: Case) -> None:
        checkpoint = self.opened(case["note"])
        leaf, proof = base64.b64decode(case["leaf"]), list(map(base64.b64decode, case["proof"]))
        ensure(foreign.verify_leaf_inclusion(leaf, case["index"], checkpoint.size, proof, checkpoint.root))

    def proof(self, case: Case) -> None:
        head, _, note = case["file"].partition("\n\n")
        first, *lines = [line for line in head.split("\n") if not line.startswith("extra ")]
        ensure(first == "c2sp.org/tlog-proof@v1")
        index = int(lines[0].removeprefix("index "))
        self.inclusion({"note": note, "index": index, "leaf": case["leaf"], "proof": lines[1:]})

    def consistency(self, case: Case) -> None:
        older, newer = self.opened(case["older"]), self.opened(case["note"])
        proof = list(map(base64.b64decode, case["proof"]))
        ensure(foreign.verify_consistency(older.size, newer.size, older.root, newer.root, proof))

    def refusal(self, case: Case) -> Exception | None:
        try:
            self.kinds[case["kind"]](case)
        except (Refused, ValueError, OSError) as refused:
            return refused
        return None


def ensure(accepted: bool) -> None:
    if not accepted:
        raise Refused


def main() -> int:
    verifier = Verifier(Path(sys.argv[1]))
    cases, failed = verifier.suite["cases"], 0
    for case in cases:
        refusal = verifier.refusal(case)
        if (refusal is None) is not case["accept"]:
            failed += 1
            print(f"FAILED {case['name']}: should be accepted: {case['accept']}, but: {refusal!r}")
    print(f"aics-tlog: {len(cases) - failed} passed, {failed} failed")
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main())

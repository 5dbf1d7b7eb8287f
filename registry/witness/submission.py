"""What a log sends its witness: the body of `add-checkpoint` (c2sp.org/tlog-witness@v1.0.0). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from registry.log.merkle import HASH
from registry.log.note import Malformed, Note, from_base64, to_base64

MOST_HASHES = 63
SIZE_TYPE = "text/x.tlog.size"  # of the answer that names the size last co-signed

_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")
_SIZE = re.compile(r"(0|[1-9][0-9]{0,18})\n")


@dataclass(frozen=True)
class Submission:
    """A checkpoint, and why its tree continues the one of size `old`; `str()` is the body."""

    old: int
    proof: tuple[bytes, ...]
    note: Note

    def __str__(self) -> str:
        return "".join(f"{line}\n" for line in (f"old {self.old}", *map(to_base64, self.proof), "")) + str(self.note)

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Nothing of it verified. Raises `Malformed`."""
        try:
            head, blank, note = body.decode().partition("\n\n")
        except UnicodeDecodeError:
            raise Malformed("not UTF-8") from None
        first, *hashes = head.split("\n")
        old = _OLD.fullmatch(first)
        if old is None or not blank or len(hashes) > MOST_HASHES:
            raise Malformed("not a submission: the size, the proof, an empty line, the checkpoint")
        proof = tuple(map(from_base64, hashes))
        if any(len(hash_) != HASH for hash_ in proof):
            raise Malformed("the proof's lines are SHA-256 hashes")
        return cls(int(old[1]), proof, Note.parse(note))


def parse_size(body: bytes) -> int:
    """The size in the body of a conflict. Raises `Malformed`."""
    match = _SIZE.fullmatch(body.decode("ascii", "replace"))
    if match is None:
        raise Malformed("not a size")
    return int(match[1])

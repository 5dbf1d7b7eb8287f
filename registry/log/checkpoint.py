"""Checkpoints (c2sp.org/tlog-checkpoint@v1.0.0): the text of a note that says how large a log's tree is and what its root is. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from registry.log.merkle import HASH
from registry.log.note import Malformed, Note, from_base64, to_base64

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True)
class Checkpoint:
    """The state of a log; `str()` is the text that is signed. Extension lines are not written, and read only to be kept."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = (self.origin, str(self.size), to_base64(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The checkpoint of a note's text. Raises `Malformed`."""
        *lines, rest = text.split("\n")
        if rest or len(lines) < 3 or not all(lines) or not _SIZE.fullmatch(lines[1]):
            raise Malformed("not a checkpoint")
        root = from_base64(lines[2])
        if len(root) != HASH:
            raise Malformed("not a checkpoint: its root is no SHA-256 hash")
        return cls(lines[0], int(lines[1]), root, tuple(lines[3:]))

    @classmethod
    def of(cls, note: Note) -> Self:
        """The checkpoint of a note. Raises `Malformed`."""
        return cls.parse(note.text)

"""The published log as files in a folder, laid out as it is served, outside the database and what can happen to it.

Files are written whole or not at all, and the checkpoint last: whatever a reader finds beside a checkpoint belongs to it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Connection

from registry.faults import fault
from registry.log.checkpoint import Checkpoint
from registry.log.note import Note
from registry.log.tiles import (
    ENTRIES,
    HEIGHT,
    WIDTH,
    Place,
    path_of,
    read_bundle,
    read_tiles,
    split_bundle,
)

_AT_ONCE = 64  # tiles held in memory
_HANDS = 8  # files written at once

_FULL_TILES = sa.text("select n, hashes from log_tile where level = :level and n >= :first and n < :end order by n")
_FULL_BUNDLES = sa.text("""
select index / 256, string_agg(int2send(octet_length(leaf)::int2) || leaf, ''::bytea order by index)
from log_leaf where index >= :first * 256 and index < :end * 256 group by 1 order by 1
""")


class Mirror:
    """One folder. Nothing here is trusted: what is read back is checked against a signature."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def checkpoint(self) -> Note | None:
        """The last one, nothing of it verified; None when nothing was published here yet. Raises `Malformed`."""
        try:
            return Note.parse((self.folder / "checkpoint").read_text("utf-8"))
        except FileNotFoundError:
            return None

    def publish(self, connection: Connection, note: Note) -> None:
        """Bring the folder from its checkpoint up to this one, of a tree that is committed. ValueError: tiles are missing."""
        before = self.checkpoint()
        old, size = Checkpoint.of(before).size if before else 0, Checkpoint.of(note).size
        for level in range(-(-size.bit_length() // HEIGHT)):
            self._full(connection, _FULL_TILES, level, old >> HEIGHT * (level + 1), size >> HEIGHT * (level + 1))
        self._full(connection, _FULL_BUNDLES, ENTRIES, old >> HEIGHT, size >> HEIGHT)
        fault("mirror.after_full_tiles")
        for path, content in _partial(connection, size):
            self._write(path, content)
        fault("mirror.before_checkpoint")
        self._write("checkpoint", str(note).encode())

    def leaves(self, first: int, size: int) -> Iterator[bytes]:
        """The leaves from `first` up to `size`. ValueError or OSError when a bundle is missing or cut off."""
        for n in range(first // WIDTH, -(-size // WIDTH)):
            width = Place(0, n).width(size)
            leaves = split_bundle(self._bundle(n, width))[:width]
            if len(leaves) != width:
                raise ValueError(f"{path_of(ENTRIES, n, width)} is cut off")
            yield from leaves[max(0, first - n * WIDTH) :]

    def _bundle(self, n: int, width: int) -> bytes:
        """The bundle of this width, or the full one that came after it."""
        partial = self.folder / "tile" / path_of(ENTRIES, n, width)
        return (partial if partial.exists() else self.folder / "tile" / path_of(ENTRIES, n)).read_bytes()

    def _full(self, connection: Connection, statement: sa.TextClause, level: int | str, first: int, end: int) -> None:
        for start in range(first, end, _AT_ONCE):
            stop = min(end, start + _AT_ONCE)
            rows = connection.execute(statement, {"level": level, "first": start, "end": stop}).all()
            if len(rows) != stop - start:
                raise ValueError(f"the database lacks tiles of level {level} between {start} and {stop}")
            with ThreadPoolExecutor(_HANDS) as pool:  # the disk is waited for once, not once a file
                list(pool.map(self._write_full, (path_of(level, n) for n, _ in rows), (bytes(row[1]) for row in rows)))

    def _write_full(self, path: str, content: bytes) -> None:
        self._write(f"tile/{path}", content)
        shutil.rmtree(self.folder / "tile" / f"{path}.p", ignore_errors=True)  # the full one serves them all

    def _write(self, path: str, content: bytes) -> None:
        place = self.folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=place.parent, prefix=".")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(0o644)  # it is public
            Path(name).replace(place)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def _partial(connection: Connection, size: int) -> Iterator[tuple[str, bytes]]:
    """The tiles and the bundle at the right edge of a tree of this size."""
    places = [Place(level, size >> HEIGHT * (level + 1)) for level in range(-(-size.bit_length() // HEIGHT))]
    found = read_tiles(connection, [place for place in places if place.width(size)])
    for place, hashes in found.items():
        width = place.width(size)
        yield f"tile/{path_of(*place, width)}", hashes[: width * 32]
    if width := Place(0, size >> HEIGHT).width(size):
        n = size >> HEIGHT
        yield f"tile/{path_of(ENTRIES, n, width)}", read_bundle(connection, n, width)

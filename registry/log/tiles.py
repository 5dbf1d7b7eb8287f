"""The tree as tiles (c2sp.org/tlog-tiles): where a hash lies, what a tile is called, and tiles read from the database.

A tile is 256 neighbouring hashes of one level; a hash of level L + 1 is the root of a full tile of level L.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from typing import NamedTuple, TypeVar

import sqlalchemy as sa
from sqlalchemy import Connection

from registry.log.merkle import HASH, RangeHash, joined, leaf_hash, node_hash, subtrees

HEIGHT = 8
WIDTH = 1 << HEIGHT
ENTRIES = "entries"  # in the place of a level: the leaves themselves

T = TypeVar("T")

_PATH = re.compile(r"(entries|[0-9]|[1-5][0-9]|6[0-3])/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")

# Full tiles as they are stored; for one that is not full yet the leaves' hashes, or the roots of the full tiles below.
_READ = sa.text("""
select w.level, w.n, coalesce(t.hashes, case when w.level = 0 then
    (select string_agg(sha256('\\x00'::bytea || leaf), ''::bytea order by index) from log_leaf
     where index >= w.n * 256 and index < w.n * 256 + 256)
  else
    (select string_agg(b.root, ''::bytea order by b.n) from log_tile b
     where b.level = w.level - 1 and b.n >= w.n * 256 and b.n < w.n * 256 + 256)
  end)
from unnest(cast(:levels as int[]), cast(:ns as bigint[])) w(level, n) left join log_tile t using (level, n)
""")
_BUNDLE = sa.text("""
select string_agg(int2send(octet_length(leaf)::int2) || leaf, ''::bytea order by index)
from log_leaf where index >= :first and index < :end
""")
_SIZE = sa.text("select coalesce(max(index) + 1, 0) from log_leaf")


class Place(NamedTuple):
    """Which tile."""

    level: int
    n: int

    def width(self, size: int) -> int:
        """How many hashes the tile has in a tree of `size` leaves: 0 to 256."""
        return max(0, min(WIDTH, (size >> HEIGHT * self.level) - self.n * WIDTH))


class Tile(NamedTuple):
    """A full tile."""

    place: Place
    hashes: bytes
    root: bytes


class Edge:
    """The right edge of a tree: for each level the hashes of its last tile, while that is not full."""

    def __init__(self, size: int, levels: list[list[bytes]]) -> None:
        self.size = size
        self._levels = levels

    def add(self, hash_: bytes) -> Iterator[Tile]:
        """Append a leaf's hash; the tiles it fills, lowest first."""
        self.size += 1
        for level in range(64):
            if level == len(self._levels):
                self._levels.append([])
            row = self._levels[level]
            row.append(hash_)
            if len(row) < WIDTH:
                return
            hash_ = tile_root(row)
            n = (self.size >> HEIGHT * (level + 1)) - 1
            yield Tile(Place(level, n), b"".join(row), hash_)
            row.clear()

    def root(self) -> bytes:
        """The root of the whole tree."""
        parts: list[bytes] = []
        for row in reversed(self._levels):
            for height, index in subtrees(0, len(row)):
                start = index << height
                parts.append(_perfect(row[start : start + (1 << height)]))
        return joined(parts)


def tile_root(hashes: list[bytes]) -> bytes:
    """The root over the hashes of a full tile."""
    assert len(hashes) == WIDTH
    return _perfect(hashes)


def path_of(level: int | str, n: int, width: int = WIDTH) -> str:
    """Such as `0/x001/234` or `entries/000.p/17`."""
    groups = []
    while True:
        groups.append(f"{n % 1000:03}")
        n //= 1000
        if not n:
            break
    name = "/".join([*(f"x{group}" for group in reversed(groups[1:])), groups[0]])
    return f"{level}/{name}" + (f".p/{width}" if width < WIDTH else "")


def parse_path(path: str) -> tuple[int | str, int, int]:
    """Level (or `entries`), number and width of such a path. ValueError for every other text."""
    match = _PATH.fullmatch(path)
    if match is None:
        raise ValueError("not the path of a tile")
    level: int | str = ENTRIES if match[1] == ENTRIES else int(match[1])
    n, width = int(match[2].replace("x", "").replace("/", "")), int(match[3] or WIDTH)
    if path_of(level, n, width) != path:
        raise ValueError("not the path of a tile")
    return level, n, width


def tree_size(connection: Connection) -> int:
    """How many leaves there are, published or not."""
    size: int = connection.execute(_SIZE).scalar_one()
    return size


def read_tiles(connection: Connection, places: Collection[Place]) -> dict[Place, bytes]:
    """The hashes of these tiles, as many as there are by now; one statement."""
    if not places:
        return {}
    levels, ns = zip(*places, strict=True)
    rows = connection.execute(_READ, {"levels": list(levels), "ns": list(ns)})
    return {Place(level, n): bytes(hashes or b"") for level, n, hashes in rows}


def read_bundle(connection: Connection, n: int, width: int) -> bytes:
    """The entry bundle `n`, its first `width` leaves."""
    first = n * WIDTH
    found: bytes | None = connection.execute(_BUNDLE, {"first": first, "end": first + width}).scalar_one()
    return bytes(found or b"")


def read_edge(connection: Connection, size: int) -> Edge:
    """The right edge of the tree of all `size` leaves. ValueError when tiles or leaves of it are missing."""
    places = [Place(level, size >> HEIGHT * (level + 1)) for level in range(-(-size.bit_length() // HEIGHT))]
    found = read_tiles(connection, places)
    levels = [chop(found[place]) for place in places]
    if [len(row) for row in levels] != [place.width(size) for place in places]:
        raise ValueError(f"the stored tiles are not those of a tree of {size} leaves")
    return Edge(size, levels)


def with_tiles(connection: Connection, prove: Callable[[RangeHash], T]) -> T:
    """What `prove` makes of the stored tree. It is run twice: to learn which tiles it needs, then with those, read at once."""
    wanted: set[Place] = set()

    def learn(start: int, end: int) -> bytes:
        wanted.update(_lies(height, index)[0] for height, index in subtrees(start, end))
        return b""

    prove(learn)
    found = read_tiles(connection, wanted)

    def look(start: int, end: int) -> bytes:
        parts = []
        for height, index in subtrees(start, end):
            place, offset, count = _lies(height, index)
            hashes = chop(found[place][offset * HASH : (offset + count) * HASH])
            if len(hashes) != count:
                raise ValueError(f"tile {path_of(*place)} is missing")
            parts.append(_perfect(hashes))
        return joined(parts)

    return prove(look)


def tree_root(connection: Connection, size: int) -> bytes:
    """The root over the first `size` leaves, from the tiles."""
    return with_tiles(connection, lambda over: over(0, size))


def chop(hashes: bytes) -> list[bytes]:
    return [hashes[at : at + HASH] for at in range(0, len(hashes), HASH)]


def split_bundle(bundle: bytes) -> list[bytes]:
    """The leaves of an entry bundle. ValueError when it is cut off."""
    leaves, at = [], 0
    while at < len(bundle):
        length = int.from_bytes(bundle[at : at + 2])
        leaf = bundle[at + 2 : at + 2 + length]
        if len(bundle) < at + 2 or len(leaf) != length:
            raise ValueError("the entry bundle is cut off")
        leaves.append(leaf)
        at += 2 + length
    return leaves


def bundle_hashes(bundle: bytes) -> bytes:
    """The level 0 tile that belongs to an entry bundle."""
    return b"".join(map(leaf_hash, split_bundle(bundle)))


def _lies(height: int, index: int) -> tuple[Place, int, int]:
    """In which tile a perfect subtree's hashes lie, from which one on, and how many."""
    level, rest = divmod(height, HEIGHT)
    first, count = index << rest, 1 << rest
    return Place(level, first // WIDTH), first % WIDTH, count


def _perfect(hashes: list[bytes]) -> bytes:
    """The root over a power of two of hashes."""
    while len(hashes) > 1:
        hashes = [node_hash(hashes[at], hashes[at + 1]) for at in range(0, len(hashes), 2)]
    return hashes[0]

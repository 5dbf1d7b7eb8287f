"""Tiles above the lowest level, compared with those below them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection

from registry.log.merkle import HASH, root
from registry.log.tiles import WIDTH
from registry.log.verifying.findings import Report, streamed

_HIGH_TILES = sa.text("""
select t.level, t.n, t.hashes, t.root, (
    select string_agg(b.root, ''::bytea order by b.n) from log_tile b
    where b.level = t.level - 1 and b.n >= t.n * 256 and b.n < t.n * 256 + 256
) as below
from log_tile t where t.level > 0 order by t.level, t.n
""")


def verify_tiles(connection: Connection, size: int, report: Report) -> None:
    """Tiles above the lowest level: hashes are the roots of the tiles below, roots fit, none is missing or too many."""
    levels: dict[int, set[int]] = {level: set() for level in range(64) if size >> 8 * (level + 1)}
    for row in streamed(connection, _HIGH_TILES):
        name = f"tile {row.level}/{row.n}"
        if row.level not in levels or row.n >= size >> 8 * (row.level + 1):
            report.found(name, "tile", None, "belongs to no leaves")
            continue
        levels[row.level].add(row.n)
        hashes = [bytes(row.hashes[at : at + HASH]) for at in range(0, len(row.hashes), HASH)]
        if row.hashes != row.below:
            report.found(name, "hashes", None, "are not the roots of the tiles below")
        if len(hashes) != WIDTH or root(hashes) != row.root:
            report.found(name, "root", None, "is not the root over its hashes")
    for level, seen in levels.items():
        if level:
            gone = set(range(size >> 8 * (level + 1))) - seen
            for n in sorted(gone):
                report.found(f"tile {level}/{n}", "tile", None, "is gone")

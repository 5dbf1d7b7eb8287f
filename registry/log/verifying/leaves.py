"""Leaves derived again from events, the tree from leaves, and both compared with what is stored and what was published."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from registry.log.merkle import HASH, Frontier, leaf_hash, root, subtrees
from registry.log.tiles import WIDTH, with_tiles
from registry.log.verifying.findings import Report, streamed

# Between an event and its leaf pass seconds; a clerk's import may take hours. A day is told from before.
_BACKDATED = timedelta(days=1)
_AHEAD = timedelta(minutes=1)
_GAP = 10_000  # leaves named one by one when they are gone

_RECORDS = sa.text("""
select l.index as place, l.leaf, l.seq, e.type, e.at, e.actor, e.organisation, e.subject_type, e.subject_id,
       e.subject_version, e.commitment, p.salt, p.payload
from log_leaf l left join audit_event e on e.seq = l.seq left join audit_payload p on p.seq = l.seq
where l.index >= :first order by l.index
""")
_LOW_TILES = sa.text("select n, hashes, root from log_tile where level = 0 and n >= :first order by n")
_ERASURES = sa.text("select payload from audit_event join audit_payload using (seq) where type = 'audit.erase'")

# A leaf's members and the columns they come from.
_MEMBERS = {
    "actor_ref": "actor or organisation",
    "at": "at",
    "commitment": "commitment",
    "record_version": "subject_version",
    "subject_ref": "subject",
    "type": "type",
    "v": "version of the leaf",
}


class Promise(NamedTuple):
    """A root that was published, and when; a checkpoint from outside the database has no time."""

    size: int
    root: bytes
    name: str
    at: datetime | None


class Derivation:
    """The tree as it comes to be again, leaf by leaf."""

    def __init__(
        self,
        connection: Connection,
        references: bytes,
        promises: list[Promise],
        report: Report,
    ) -> None:
        self._connection, self._references, self._report = connection, references, report
        self._due = sorted(promises, key=lambda promise: promise.size)
        self._times = [(promise.size, promise.at) for promise in self._due if promise.at]
        self._forked = False
        self.tree = Frontier()
        self.erased = _erased(connection)

    def derive(self, first: int) -> None:
        """Go through all leaves from `first`, which begins a tile; from the beginning, if the tiles before it are gone."""
        parts = subtrees(0, first)
        try:
            roots = with_tiles(self._connection, lambda over: [over(i << h, (i + 1) << h) for h, i in parts])
        except ValueError:
            first, roots = 0, []
        self.tree = Frontier(first, roots)
        self._due = [promise for promise in self._due if promise.size >= first]
        tiles = iter(streamed(self._connection, _LOW_TILES, first=first // WIDTH))
        group: list[bytes] = []
        doubts: list[Any] = []
        self._compare_roots()
        for row in streamed(self._connection, _RECORDS, first=first):
            if row.place - self.tree.size > _GAP:
                self._report.found(f"event {row.seq}", "leaf", row.at, f"its leaf {row.place} is far beyond the others")
                continue
            while self.tree.size < row.place:
                self._report.found(f"leaf {self.tree.size}", "leaf", None, "is gone")
                group.append(self._grow(bytes(HASH)))
                self._end_of_tile(group, doubts, tiles)
            doubts.append((row, self._leaf_of(row)))
            group.append(self._grow(leaf_hash(row.leaf)))
            self._end_of_tile(group, doubts, tiles)
        self._judge(doubts, None)
        for tile in tiles:
            self._report.found(f"tile 0/{tile.n}", "tile", None, "belongs to no leaves")
        for promise in self._due:
            text = f"was published with {promise.size} leaves; there are {self.tree.size}"
            self._report.found(promise.name, "size", promise.at, text)
        self._report.leaves = self.tree.size

    def _grow(self, hash_: bytes) -> bytes:
        self.tree.add(hash_)
        self._compare_roots()
        return hash_

    def _compare_roots(self) -> None:
        while self._due and self._due[0].size == self.tree.size:
            promise = self._due.pop(0)
            if self.tree.root() != promise.root and not self._forked:
                text = "is not the root over the leaves, nor are those published after it"
                self._report.found(promise.name, "root", promise.at, text)
                self._forked = True

    def _end_of_tile(self, group: list[bytes], doubts: list[Any], tiles: Iterator[Any]) -> None:
        if len(group) < WIDTH:
            return
        n = self.tree.size // WIDTH - 1
        tile = next(tiles, None)
        while tile is not None and tile.n < n:
            self._report.found(f"tile 0/{tile.n}", "tile", None, "comes twice")
            tile = next(tiles, None)
        if tile is None or tile.n != n:
            self._report.found(f"tile 0/{n}", "tile", None, "is gone")
            self._judge(doubts, None)
        else:
            hashes = [bytes(tile.hashes[at : at + HASH]) for at in range(0, len(tile.hashes), HASH)]
            self._judge(doubts, hashes)
            self._judge_tile(n, tile, hashes, group)
        group.clear()
        doubts.clear()

    def _judge_tile(self, n: int, tile: Any, hashes: list[bytes], group: list[bytes]) -> None:
        if len(hashes) != WIDTH or root(hashes) != tile.root:
            self._report.found(f"tile 0/{n}", "root", None, "is not the root over its hashes")
        for at, (stored, derived) in enumerate(zip(hashes, group, strict=False)):
            if stored != derived:
                self._report.found(f"tile 0/{n}", f"hash {at}", None, f"is not that of leaf {n * WIDTH + at}")

    def _judge(self, doubts: list[Any], hashes: list[bytes] | None) -> None:
        """Name what differs between events and leaves; the tile, where it is full, says which of the two was altered."""
        for row, derived in doubts:
            stored = bytes(row.leaf)
            if derived is None or derived == stored:
                continue
            blamed = f"event {row.seq}"
            if hashes and (voted := hashes[row.place % WIDTH]) != leaf_hash(stored):
                blamed = f"leaf {row.place}" if voted == leaf_hash(derived) else f"event {row.seq} and leaf {row.place}"
            for name in _differing(stored, derived):
                self._report.found(blamed, name, row.at, f"differs between event {row.seq} and its leaf {row.place}")

    def _leaf_of(self, row: Any) -> bytes | None:
        """The leaf that the event makes; None when there is no event, which is told."""
        if row.seq is None:
            self._report.found(f"leaf {row.place}", "event", _told_at(row.leaf), "its event was lost in a restore")
            return None
        if row.type is None:
            self._report.found(f"event {row.seq}", "event", _told_at(row.leaf), f"is gone; leaf {row.place} is of it")
            return None
        check_payload(row, self.erased, self._report)
        self._check_time(row)
        members = {
            "v": 1,
            "type": row.type,
            "at": row.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "actor_ref": self._reference([row.actor, row.organisation]),
            "subject_ref": self._reference([row.subject_type, str(row.subject_id)]),
            "record_version": row.subject_version,
            "commitment": bytes(row.commitment).hex(),
        }
        return json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    def _reference(self, named: list[str | None]) -> str:
        text = json.dumps(named, separators=(",", ":"), ensure_ascii=False).encode()
        return hmac.new(self._references, text, hashlib.sha256).hexdigest()[:32]

    def _check_time(self, row: Any) -> None:
        """An event that came after a checkpoint cannot tell of the day before it, nor of a time after the next one."""
        while (
            self._times and self._times[0][0] <= row.place and len(self._times) > 1 and self._times[1][0] <= row.place
        ):
            self._times.pop(0)
        before = self._times[0][1] if self._times and self._times[0][0] <= row.place else None
        after = next((at for size, at in self._times[:2] if size > row.place), None)
        if before and row.at < before - _BACKDATED:
            self._report.found(
                f"event {row.seq}", "at", row.at, f"is dated back: it came after {before.astimezone(UTC):%F %T}Z"
            )
        if after and row.at > after + _AHEAD:
            self._report.found(
                f"event {row.seq}", "at", row.at, f"is of the future: published {after.astimezone(UTC):%F %T}Z"
            )


def check_payload(row: Any, erased: set[int], report: Report) -> None:
    """The payload of an event is what it commits to, or was erased and an event says so."""
    if row.salt is None:
        if row.seq not in erased:
            report.found(f"payload {row.seq}", "payload", row.at, "is gone, and no event of erasure says so")
    elif hashlib.sha256(bytes(row.salt) + row.payload.encode()).digest() != bytes(row.commitment):
        report.found(f"payload {row.seq}", "payload or salt", row.at, f"is not what event {row.seq} commits to")


def _differing(stored: bytes, derived: bytes) -> list[str]:
    """The members in which two leaves differ, by the columns they come from."""
    ours = json.loads(derived)
    try:
        theirs = json.loads(stored)
        names = [name for name in sorted({*ours, *theirs}) if ours.get(name) != theirs.get(name)]
    except (ValueError, TypeError, AttributeError):
        names = []
    return [_MEMBERS.get(name, name) for name in names] or ["leaf"]


def _told_at(leaf: bytes) -> datetime | None:
    try:
        return datetime.fromisoformat(json.loads(leaf)["at"])
    except (ValueError, TypeError, KeyError):
        return None


def _erased(connection: Connection) -> set[int]:
    """The events whose payloads were erased, as events of erasure say."""
    return {int(seq) for payload in connection.execute(_ERASURES).scalars() for seq in json.loads(payload)["seqs"]}

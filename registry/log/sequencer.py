"""The one that gives every event its place: pending events become leaves, leaves a tree, the tree a signed checkpoint.

Commit first, sign after, publish last: a tree that is signed can no longer be lost to a crash, so no two trees of one size are ever
signed. Writers never wait for it (docs/adr/0018).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from threading import Event
from types import TracebackType
from typing import Self

import psycopg
import sqlalchemy as sa
from sqlalchemy import Connection

from auth.errors import KeyFault
from registry.bulk import Cursor, copy_rows
from registry.errors import DomainError, Refusal
from registry.faults import fault
from registry.keys import open_keys
from registry.log.checkpoint import Checkpoint
from registry.log.leaf import Recorded, leaf, reference_key
from registry.log.merkle import leaf_hash
from registry.log.mirror import Mirror
from registry.log.note import Malformed, Note, Untrusted, sign, verifier_key
from registry.log.tiles import read_edge, tree_root, tree_size
from registry.node import Node
from workflows.text import Text

log = logging.getLogger("registry")

LOCK = 0x6C6F67
BATCH = 20_000  # events of one transaction
EVERY_SECONDS = 0.5
_AGAIN_SECONDS = 10.0  # after a refusal, which only an operator resolves

Cosign = Callable[[Note], Note]
"""Asks the witnesses, inside no transaction: the note with the cosignatures that came in time. The network never makes it raise,
nor wait long."""

_TAKE = """
with taken as (
    delete from log_pending where seq in (select seq from log_pending order by seq limit %(most)s) returning seq
)
select seq, type, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), actor, organisation,
       subject_type, subject_id::text, subject_version, encode(commitment, 'hex')
from taken join audit_event using (seq) order by seq
"""
_LAST = sa.text("select size, note from log_checkpoint order by size desc limit 1")
_PUBLISHED = sa.text("insert into log_checkpoint (size, note, at) values (:size, :note, :at)")

_BEHIND = Text(
    "数据库中的日志有 {size} 条，而已公布 {published} 条：数据库被回退。请运行 registry log recover。",
    "The database has {size} leaves, {published} were published: it has been rolled back. Run: registry log recover",
)
_ANOTHER = Text(
    "数据库中的日志与已公布的检查点不一致，请运行 registry log verify 查明。",
    "The log in the database is not the one that was published; registry log verify says where.",
)
_NOT_OURS = Text(
    "已公布的检查点不是用本节点的日志密钥、以 {origin} 的名义签署的，请核对密钥目录与 REGISTRY_LOG_ORIGIN。",
    "The published checkpoint is not signed with this node's log key as {origin}; check the key folder and REGISTRY_LOG_ORIGIN.",
)


def work(node: Node, stop: Event, cosign: Cosign | None = None) -> None:
    """Sequence until told to stop. A database that is away is waited for; a log that must not go on is said aloud."""
    while not stop.is_set():
        wait = 1.0
        try:
            with Sequencer(node, cosign) as sequencer:
                while sequencer.leads and not stop.wait(EVERY_SECONDS):
                    sequencer.step()
        except sa.exc.DBAPIError as error:
            log.warning("log: the database refused, %s; going on in a moment", type(error.orig).__name__)
        except OSError as error:
            log.error("log: the mirror cannot be written, nothing is published: %s", error.strerror)  # noqa: TRY400
        except (DomainError, KeyFault) as refusal:
            log.error("log: %s", refusal)  # noqa: TRY400  a sentence for the operator
            wait = _AGAIN_SECONDS
        stop.wait(wait)


class Sequencer:
    """Holds the lock of the log while it is open; `leads` is False when another process has it.

    Raises `Refusal` on opening, when the log in the database is not, or no longer, the published one.
    """

    def __init__(self, node: Node, cosign: Cosign | None = None) -> None:
        keys = open_keys(node.settings, node.clock())
        self._clock, self._origin = node.clock, node.settings.origin
        self._key = keys.log_key()
        self._references = reference_key(self._key)
        self._cosign = cosign
        self._mirror = Mirror(node.settings.mirror)
        self._connection = node.database.engine.connect()
        self.leads = False

    def __enter__(self) -> Self:
        try:
            with self._connection.begin():
                self.leads = self._connection.execute(sa.select(sa.func.pg_try_advisory_lock(LOCK))).scalar_one()
            if self.leads:
                with self._connection.begin():
                    self._ensure_published()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._connection.invalidate()  # the session ends, and its lock with it, whatever state it is in
        self._connection.close()

    def step(self) -> int:
        """Give all pending events their leaves, then publish; how many leaves were added."""
        added = count = self.sequence()
        while count == BATCH:  # fewer are all there were: what came meanwhile comes next time
            count = self.sequence()
            added += count
        self.publish()
        return added

    def sequence(self) -> int:
        """One batch, one transaction."""
        with self._connection.begin():
            count = append(self._connection, self._references)
            fault("log.before_commit")
        fault("log.after_commit")
        return count

    def publish(self) -> None:
        """Sign the committed tree where it has grown, ask the witnesses, and publish: outside first, then here."""
        with self._connection.begin():
            last, size = last_published(self._connection), tree_size(self._connection)
            outside = self._outside()
            if size == 0 or (last and outside and Checkpoint.of(last).size == size == Checkpoint.of(outside).size):
                return
            self._ensure_published()
            checkpoint = Checkpoint(self._origin, size, tree_root(self._connection, size))
        fault("log.before_sign")
        known = last if last and Checkpoint.of(last).size == size else None
        note = known or Note(str(checkpoint)).signed(sign(str(checkpoint), self._origin, self._key))
        fault("log.after_sign")
        if self._cosign and not known:
            note = self._cosign(note)
        with self._connection.begin():
            try:
                self._mirror.publish(self._connection, note)
            except ValueError:
                raise Refusal(_ANOTHER, code="log_forked") from None
        fault("log.after_mirror")
        if not known:
            with self._connection.begin():
                self._connection.execute(_PUBLISHED, {"size": size, "note": str(note), "at": self._clock()})
        fault("log.after_publish")

    def _ensure_published(self) -> None:
        """What was published, here or outside, is the beginning of the tree in the database. Raises `Refusal`."""
        size = tree_size(self._connection)
        for note in (last_published(self._connection), self._outside()):
            if note is None:
                continue
            try:
                checkpoint = Checkpoint.of(note.ensure_by(verifier_key(self._origin, self._key)))
            except (Untrusted, Malformed):
                raise Refusal(_told(_NOT_OURS, origin=self._origin), code="log_not_ours") from None
            if checkpoint.size > size:
                raise Refusal(_told(_BEHIND, size=size, published=checkpoint.size), code="log_behind")
            if not self._is_root(checkpoint):
                raise Refusal(_ANOTHER, code="log_forked")

    def _is_root(self, checkpoint: Checkpoint) -> bool:
        try:
            return tree_root(self._connection, checkpoint.size) == checkpoint.root
        except (ValueError, IndexError):
            return False

    def _outside(self) -> Note | None:
        try:
            return self._mirror.checkpoint()
        except (Malformed, UnicodeDecodeError):
            raise Refusal(_told(_NOT_OURS, origin=self._origin), code="log_not_ours") from None


def append(connection: Connection, references: bytes, most: int = BATCH) -> int:
    """Make leaves of the pending events, in their order, and the tiles they fill; how many. The caller holds the lock."""
    rows = _cursor(connection).execute(_TAKE, {"most": most}).fetchall()
    if rows:
        add_leaves(connection, [(row[0], leaf(Recorded(*row[1:]), references)) for row in rows])
    return len(rows)


def add_leaves(connection: Connection, leaves: Sequence[tuple[int | None, bytes]]) -> None:
    """Append leaves, each with its event's number, to the tree. The caller holds the lock. Raises `Refusal`."""
    size = tree_size(connection)
    try:
        edge = read_edge(connection, size)
    except ValueError:
        raise Refusal(_ANOTHER, code="log_forked") from None
    tiles = [tile for _, entry in leaves for tile in edge.add(leaf_hash(entry))]
    cursor = _cursor(connection)
    copy_rows(cursor, "log_leaf", ("index", "seq", "leaf"), ((size + at, *entry) for at, entry in enumerate(leaves)))
    tile_rows = ((*tile.place, tile.hashes, tile.root) for tile in tiles)
    copy_rows(cursor, "log_tile", ("level", "n", "hashes", "root"), tile_rows)


def last_published(connection: Connection) -> Note | None:
    """The last checkpoint that the database knows to be published."""
    row = connection.execute(_LAST).one_or_none()
    return Note.parse(row.note) if row else None


def _cursor(connection: Connection) -> Cursor:
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver.cursor()


def _told(text: Text, **values: object) -> Text:
    return Text(text.zh.format(**values), text.en.format(**values))

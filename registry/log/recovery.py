"""After a restore: the leaves that were published and that the database has lost come back from the mirror.

Only leaves. What their events said beyond that is lost with the database, and `registry log verify` names each one.
"""

from __future__ import annotations

import hashlib
import uuid
from typing import NamedTuple

import sqlalchemy as sa
from sqlmodel import Session

from auth.actor import OPERATOR
from registry.errors import Refusal
from registry.keys import open_keys
from registry.log.checkpoint import Checkpoint
from registry.log.events import record
from registry.log.leaf import Recorded, leaf, reference_key
from registry.log.merkle import leaf_hash
from registry.log.mirror import Mirror
from registry.log.note import Malformed, Untrusted, verifier_key
from registry.log.sequencer import LOCK, add_leaves
from registry.log.tiles import read_edge, tree_size
from registry.node import Node
from registry.transaction import transaction
from workflows.text import Text

_NO_MIRROR = Text(
    "镜像目录中没有本日志签署的检查点，无法恢复。",
    "The mirror has no checkpoint signed by this log; there is nothing to recover from.",
)
_WRONG = Text(
    "镜像中的条目与其检查点不符，未作任何改动。",
    "The mirror's leaves are not those of its checkpoint; nothing was changed.",
)
_BUSY = Text("日志正在写入，请先停止 registry worker。", "The log is at work; stop registry worker first.")

_PENDING = sa.text("""
select e.seq, type, to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at, actor, organisation,
       subject_type, cast(subject_id as text) as subject_id, subject_version, encode(commitment, 'hex') as commitment
from log_pending join audit_event e using (seq) order by e.seq
""")


class Recovered(NamedTuple):
    """Leaves that came back, and how many of them have no event any more."""

    leaves: int
    lost: int


def recover(node: Node) -> Recovered:
    """Replay the missing leaves, when they verify against the published checkpoint. Raises `Refusal`, or nothing is missing.

    Events that the restore brought back as pending find the leaf they had, so none is logged twice.
    """
    settings, key = node.settings, open_keys(node.settings, node.clock()).log_key()
    mirror = Mirror(settings.mirror)
    try:
        note = mirror.checkpoint()
        if note is None:
            raise Refusal(_NO_MIRROR)
        published = Checkpoint.of(note.ensure_by(verifier_key(settings.origin, key)))
    except (Malformed, Untrusted):
        raise Refusal(_NO_MIRROR) from None
    with transaction(node.database) as session:
        if not session.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(LOCK))):
            raise Refusal(_BUSY)
        size = tree_size(session.connection())
        if size >= published.size:
            return Recovered(0, 0)
        try:
            missing = list(mirror.leaves(size, published.size))
            edge = read_edge(session.connection(), size)
        except (ValueError, FileNotFoundError):
            raise Refusal(_WRONG) from None
        for entry in missing:
            list(edge.add(leaf_hash(entry)))
        if edge.root() != published.root:
            raise Refusal(_WRONG)
        found = _pending(session, reference_key(key))
        leaves = [(found.get(entry), entry) for entry in missing]
        add_leaves(session.connection(), leaves)
        kept = [seq for seq, _ in leaves if seq is not None]
        session.execute(sa.text("delete from log_pending where seq = any(:kept)"), {"kept": kept})
        recovered = Recovered(len(missing), len(missing) - len(kept))
        subject = uuid.UUID(bytes=hashlib.sha256(settings.origin.encode()).digest()[:16])
        told = {"from": size, "lost": recovered.lost, "to": published.size}
        record(session, OPERATOR, "log.recover", ("log", subject), 1, told, now=node.clock())
    return recovered


def _pending(session: Session, references: bytes) -> dict[bytes, int]:
    """The leaf that each waiting event would become."""
    return {leaf(Recorded(*row[1:]), references): row[0] for row in session.execute(_PENDING)}

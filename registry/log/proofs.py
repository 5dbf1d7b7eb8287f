"""Proofs that stand alone (c2sp.org/tlog-proof@v1): a leaf, its path to the root, and the signed checkpoint with that root."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import sqlalchemy as sa
from sqlmodel import Session

from registry.errors import Conflict, NotFound
from registry.log import merkle
from registry.log.checkpoint import Checkpoint
from registry.log.note import Malformed, Note, VerifierKey, from_base64, to_base64
from registry.log.sequencer import last_published
from registry.log.tiles import with_tiles
from workflows.text import Text

_HEADER = "c2sp.org/tlog-proof@v1"
_NOT_YET = Text(
    "该事件尚未写入已公布的日志，请稍后重试。", "The event is not in the published log yet; try again in a second."
)

_LEAVES = sa.text("""
select e.seq, l.index as place, l.leaf from audit_event e left join log_leaf l using (seq) where e.seq = any(:seqs) order by e.seq
""")
# A decision is named by the payload of the act that made it.
_OF_DECISION = sa.text("""
select e.seq from decision d
join audit_event e on e.subject_type = 'filing' and e.subject_id = d.filing_id and e.type = 'filing.' || d.kind
join audit_payload p using (seq)
where d.id = :id and cast(p.payload as jsonb) ->> 'decision' = cast(d.id as text)
""")
_OF_FILING = sa.text("""
select e.seq from filing f join audit_event e on e.subject_type = 'filing' and e.subject_id = f.id
where f.number = :name or cast(f.id as text) = :name order by e.seq
""")


@dataclass(frozen=True)
class Proof:
    """One leaf in one published tree; `str()` is the text of a .tlog-proof file, `extra` being the leaf itself."""

    index: int
    leaf: bytes
    path: tuple[bytes, ...]
    note: Note

    def __str__(self) -> str:
        lines = (_HEADER, f"extra {to_base64(self.leaf)}", f"index {self.index}", *map(to_base64, self.path), "")
        return "".join(f"{line}\n" for line in lines) + str(self.note)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Nothing of it verified. Raises `Malformed`."""
        head, blank, note = text.partition("\n\n")
        lines = head.split("\n")
        if not blank or len(lines) < 3 or lines[0] != _HEADER or len(lines) > 3 + 64:
            raise Malformed("not a proof")
        (extra, leaf), (index, number) = (line.partition(" ")[::2] for line in lines[1:3])
        if extra != "extra" or index != "index" or not number.isascii() or not number.isdigit():
            raise Malformed("not a proof with its leaf")
        if str(int(number)) != number or len(number) > 19:
            raise Malformed("not a proof: its index")
        path = tuple(map(from_base64, lines[3:]))
        if any(len(hash_) != merkle.HASH for hash_ in path):
            raise Malformed("not a proof: its path holds something else than hashes")
        return cls(int(number), from_base64(leaf), path, Note.parse(note))

    def verified(self, log: VerifierKey) -> Checkpoint:
        """The checkpoint, when this log has signed it and its tree holds the leaf.

        Raises `Untrusted` for the signature, `Malformed` for anything else that does not hold.
        """
        checkpoint = Checkpoint.of(self.note.ensure_by(log))
        if checkpoint.origin != log.name:
            raise Malformed(f"the checkpoint is of {checkpoint.origin}, the key of {log.name}")
        if not merkle.includes(checkpoint.root, checkpoint.size, self.index, merkle.leaf_hash(self.leaf), self.path):
            raise Malformed("the leaf is not in the tree of the checkpoint")
        return checkpoint


def prove(session: Session, seqs: Sequence[int]) -> list[Proof]:
    """A proof for each of these events, against the last published checkpoint.

    Raises `NotFound` for an event that is not there and `Conflict` for one that is not published yet.
    """
    connection = session.connection()
    rows = connection.execute(_LEAVES, {"seqs": list(seqs)}).all()
    if len(rows) != len(set(seqs)) or not rows:
        raise NotFound
    note = last_published(connection)
    size = Checkpoint.of(note).size if note else 0
    if note is None or any(row.place is None or row.place >= size for row in rows):
        raise Conflict(_NOT_YET, code="not_published")
    paths = with_tiles(connection, lambda over: [merkle.inclusion_proof(row.place, size, over) for row in rows])
    return [Proof(row.place, bytes(row.leaf), tuple(path), note) for row, path in zip(rows, paths, strict=True)]


def consistency(session: Session, old: int, new: int) -> list[bytes]:
    """Why the tree of `new` leaves continues that of `old`. ValueError when there are not so many."""
    return with_tiles(session.connection(), lambda over: merkle.consistency_proof(old, new, over))


def events_of_filing(session: Session, name: str) -> list[int]:
    """The numbers of all events of a filing, named by its number or id. Raises `NotFound`."""
    return _some(session.execute(_OF_FILING, {"name": name}).scalars().all())


def events_of_decision(session: Session, decision_id: uuid.UUID) -> list[int]:
    """The number of the event that made this decision. Raises `NotFound`."""
    return _some(session.execute(_OF_DECISION, {"id": decision_id}).scalars().all())


def _some(seqs: Sequence[int]) -> list[int]:
    if not seqs:
        raise NotFound
    return list(seqs)

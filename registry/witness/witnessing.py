"""The witness's decision on one submission: co-sign, or refuse and keep the evidence."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, func, select

from registry.log.checkpoint import Checkpoint
from registry.log.merkle import EMPTY, continues
from registry.log.note import Malformed, Signature, Untrusted, VerifierKey, cosign
from registry.witness.submission import SIZE_TYPE, Submission
from registry.witness.tables import ForkEvidence, WitnessedLog

logger = logging.getLogger(__name__)

MOST_EVIDENCE = 10_000  # checkpoints of one log: one is enough, and a log gone wild must not fill the disk


@dataclass(frozen=True)
class Reply:
    """An HTTP answer."""

    status: int
    body: str
    type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Witness:
    """Who co-signs. A key of its own: the message of a cosignature does not name the cosigner."""

    name: str
    key: Ed25519PrivateKey

    def add_checkpoint(self, session: Session, body: bytes, now: datetime) -> Reply:
        """The reply to a submission; what it says is in the database when the transaction commits, and not to be sent before.

        200 a signature line, 400 malformed, 403 not signed by the log, 404 not a log we watch, 409 not from where we are,
        with the size we are at, 422 not a continuation.
        """
        try:
            submission = Submission.parse(body)
            checkpoint = Checkpoint.of(submission.note)
        except Malformed as error:
            return Reply(400, f"{error}\n")
        log = session.exec(
            select(WitnessedLog).where(WitnessedLog.origin == checkpoint.origin).with_for_update()
        ).one_or_none()
        if log is None:
            return Reply(404, "not a log that this witness watches\n")
        try:
            submission.note.ensure_by(VerifierKey.parse(log.vkey))
        except Untrusted as error:
            return Reply(403, f"{error}\n")
        if submission.old > checkpoint.size:
            return Reply(400, "the old size is larger than the checkpoint's\n")
        forked = checkpoint.size == log.size and checkpoint.root != (log.root or EMPTY)
        if submission.old != log.size or forked:
            if forked:
                _keep(session, log, submission, body, now)
            return Reply(409, f"{log.size}\n", SIZE_TYPE)
        if not continues(log.root or EMPTY, log.size, checkpoint.root, checkpoint.size, submission.proof):
            _keep(session, log, submission, body, now)
            return Reply(422, "the tree does not continue the one that was co-signed\n")
        return Reply(200, str(self._cosign(log, submission, checkpoint, now)))

    def _cosign(self, log: WitnessedLog, submission: Submission, checkpoint: Checkpoint, now: datetime) -> Signature:
        signature = cosign(submission.note.text, self.name, self.key, int(now.timestamp()))
        log.size, log.root, log.at = checkpoint.size, checkpoint.root, now
        log.note = str(submission.note.signed(signature))
        return signature


def watch(session: Session, vkey: str, origin: str | None = None) -> WitnessedLog:
    """Begin to watch a log, by default that of the key's own name. Raises `Malformed`, also for another key of a known log."""
    key = VerifierKey.parse(vkey)
    origin = origin or key.name
    known = session.get(WitnessedLog, origin)
    if known is None:
        known = WitnessedLog(origin=origin, vkey=str(key))
        session.add(known)
    elif known.vkey != str(key):
        raise Malformed(f"{origin} is watched under another key; a log with another key is another log")
    return known


def _keep(session: Session, log: WitnessedLog, submission: Submission, body: bytes, now: datetime) -> None:
    """What a log signed and cannot explain. Each checkpoint once, so that nobody fills the table by sending one again."""
    kept = select(func.count()).select_from(ForkEvidence).where(col(ForkEvidence.origin) == log.origin)
    if log.note is None or session.exec(kept).one() >= MOST_EVIDENCE:
        return
    evidence = insert(ForkEvidence).values(
        at=now,
        origin=log.origin,
        seen=log.note,
        checkpoint_sha256=hashlib.sha256(submission.note.text.encode()).digest(),
        submitted=body.decode(),
    )
    if session.connection().execute(evidence.on_conflict_do_nothing()).rowcount:
        logger.error("%s: a checkpoint that does not continue the log was refused and kept", log.origin)

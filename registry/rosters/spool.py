"""The uploaded file, sealed part by part on its way in; opened again only for the process that reads it."""

from __future__ import annotations

import hashlib
import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlmodel import Session, col, delete, select

from registry.database import new_id
from registry.rosters.tables import Roster, SpooledPart
from registry.sealed import Seal
from registry.transaction import Database, transaction
from workflows.roster import State

PART = 1 << 20


class Spool:
    """Takes the bytes of one upload. Each part is sealed and committed as it comes; nothing is kept in the clear."""

    def __init__(self, database: Database, seal: Seal) -> None:
        self.upload_id = new_id()
        self.size = 0
        self._database, self._seal = database, seal
        self._parts, self._held, self._digest = 0, bytearray(), hashlib.sha256()

    def write(self, content: bytes) -> None:
        self.size += len(content)
        self._digest.update(content)
        self._held += content
        while len(self._held) >= PART:
            self._put(bytes(self._held[:PART]))
            del self._held[:PART]

    def finish(self) -> str:
        """Store what is left; the SHA-256 of the whole."""
        if self._held:
            self._put(bytes(self._held))
            self._held.clear()
        return self._digest.hexdigest()

    def abandon(self) -> None:
        with transaction(self._database) as session:
            forget(session, self.upload_id)

    def _put(self, content: bytes) -> None:
        self._parts += 1
        sealed = self._seal.seal_bytes("spooled_part.sealed", f"{self.upload_id}/{self._parts}", content)
        with transaction(self._database) as session:
            session.add(SpooledPart(upload_id=self.upload_id, part=self._parts, sealed=sealed))


@contextmanager
def opened(session: Session, seal: Seal, upload_id: uuid.UUID) -> Iterator[Path]:
    """The file in the clear, in memory where the system can (Linux), for as long as it is read; no name leads to it."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("roster", os.MFD_CLOEXEC)
        path = Path(f"/proc/self/fd/{descriptor}")
    else:
        descriptor, name = tempfile.mkstemp()
        path = Path(name)
    try:
        parts = session.exec(
            select(SpooledPart.part).where(SpooledPart.upload_id == upload_id).order_by(col(SpooledPart.part))
        ).all()
        for part in parts:
            sealed = session.exec(
                select(SpooledPart.sealed).where(SpooledPart.upload_id == upload_id, SpooledPart.part == part)
            ).one()
            os.write(descriptor, seal.open_bytes("spooled_part.sealed", f"{upload_id}/{part}", sealed))
        yield path
    finally:
        os.close(descriptor)
        if not path.is_relative_to("/proc"):
            path.unlink()


def forget(session: Session, upload_id: uuid.UUID) -> None:
    session.execute(delete(SpooledPart).where(col(SpooledPart.upload_id) == upload_id))


def sweep(session: Session, before: datetime) -> None:
    """Drop uploads from before that nobody reads any more: they became no roster, or its rows are stored."""
    unread = [str(State.RECEIVED), str(State.PARSING)]
    rests = sa.and_(col(Roster.state) == State.PAUSED, col(Roster.resting).in_(unread))
    kept = sa.select(col(Roster.upload_id)).where(sa.or_(col(Roster.state).in_(unread), rests))
    session.execute(delete(SpooledPart).where(col(SpooledPart.at) < before, col(SpooledPart.upload_id).not_in(kept)))

"""Erasing what an event told, where the law demands it (个人信息保护法 47): the payload and its salt go, the event and its leaf stay."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session

from auth.actor import OPERATOR
from registry.database import new_id
from registry.errors import NotFound, Refusal
from registry.log.events import record
from workflows.text import Text

_NO_BASIS = Text("请注明依据。", "Give the basis.")
_OF_ERASURE = Text("删除记录本身不可删除。", "The event of an erasure is not erased.")

_TYPES = sa.text("select type from audit_event join audit_payload using (seq) where seq = any(:seqs)")
_ERASE = sa.text("delete from audit_payload where seq = any(:seqs)")


def erase(session: Session, seqs: Sequence[int], basis: str, *, now: datetime) -> int:
    """Erase the payloads of these events and record that it was done, and why; the number of the event that says so.

    The session is the owner's: nobody else may delete a payload. Raises `NotFound` when one is not there (any more), `Refusal`.
    """
    if not basis.strip():
        raise Refusal(_NO_BASIS)
    wanted = sorted(set(seqs))
    types = session.execute(_TYPES, {"seqs": wanted}).scalars().all()
    if len(types) != len(wanted):
        raise NotFound
    if "audit.erase" in types:
        raise Refusal(_OF_ERASURE)
    session.execute(_ERASE, {"seqs": wanted})
    told = {"basis": basis.strip(), "seqs": wanted}
    return record(session, OPERATOR, "audit.erase", ("erasure", new_id()), 1, told, now=now)

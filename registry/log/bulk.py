"""Audit events of a set-based change: one each, in the transaction of the change, written by one statement."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from auth.actor import Actor
from registry.bulk import Cursor, copy_rows


class Event(NamedTuple):
    """One event to be recorded; `payload` is JCS text (`registry.log.events.canonical`)."""

    type: str
    subject_type: str
    subject_id: uuid.UUID
    subject_version: int
    payload: str
    organisation: str | None = None


_STAGE = """
create temporary table if not exists audit_stage (
    type text, subject_type text, subject_id uuid, subject_version int, payload text, organisation text
) on commit delete rows
"""
# The salt is 244 random bits of PostgreSQL's strong generator: 15 has no other without an extension.
_RECORD = """
with staged as materialized (
    select nextval(pg_get_serial_sequence('audit_event', 'seq')) as seq,
           uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) as salt, audit_stage.*
    from audit_stage
), recorded as (
    insert into audit_event
        (seq, at, type, actor, organisation, subject_type, subject_id, subject_version, commitment)
    select seq, %(now)s, type, %(actor)s, organisation, subject_type, subject_id, subject_version,
           sha256(salt || convert_to(payload, 'UTF8'))
    from staged
)
insert into audit_payload (seq, salt, payload) select seq, salt, payload from staged
"""


def record_all(cursor: Cursor, actor: Actor, events: Iterable[Event], *, now: datetime) -> None:
    """Append the events in their order, with their payloads."""
    cursor.execute(_STAGE)
    copy_rows(cursor, "audit_stage", Event._fields, events)
    cursor.execute(_RECORD, {"now": now, "actor": actor.id})
    cursor.execute("delete from audit_stage")  # a second call in the same transaction begins empty

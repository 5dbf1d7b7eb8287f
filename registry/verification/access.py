"""Who looked at whom, and why: a record for each verification and each record opened, durable before the answer leaves, by group
commit; and one audit event for each group, so that reading is in the log and stays fast.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from datetime import UTC, date, datetime
from typing import NamedTuple

from registry.database import new_id
from registry.log import merkle
from registry.log.events import canonical, commitment
from registry.verification.groups import Group, Line
from workflows.text import Text

_GONE = Text(
    "查阅记录暂时无法保存，因此不能答复，请稍后重试。",
    "The access record cannot be kept just now, so no answer is given; try again.",
)

# $1, $2: JSON arrays of the records, each with its kind before its columns. $3 to $7: the event of them all. $8: the id of one
# of them: a statement that was done, and whose answer was lost, does nothing the second time.
_INSERT = """
with told as (
  insert into audit_event (at, type, actor, subject_type, subject_id, subject_version, commitment)
  select $3::timestamptz, 'access.keep', 'system', 'access_batch', $4::uuid, 1, $5::bytea
  where not exists (select from access_record where id = $8::uuid)
    and not exists (select from opening_record where id = $8::uuid)
  returning seq
), payload as (
  insert into audit_payload (seq, salt, payload) select seq, $6::bytea, $7::text from told
), opened as (
  insert into opening_record (id, at, opened_by, organisation, purpose, subject_type, subject_id, physician_id, batch)
  select (r->>1)::uuid, (r->>2)::timestamptz, r->>3, r->>4, r->>5, r->>6, (r->>7)::uuid, (r->>8)::uuid, $4::uuid
  from json_array_elements($2::json) r
  on conflict (id) do nothing
)
insert into access_record (id, at, asked_by, organisation, purpose, physician_id, practising_code, institution, scope,
  valid_on, answer, receipt_jti, batch)
select (r->>1)::uuid, (r->>2)::timestamptz, r->>3, r->>4, r->>5, (r->>6)::uuid, r->>7, r->>8, r->>9, (r->>10)::date,
  r->>11, r->>12, $4::uuid
from json_array_elements($1::json) r
on conflict (id) do nothing
"""


class Access(NamedTuple):
    """One verification, as `AccessRecord` keeps it."""

    id: str
    at: datetime
    asked_by: str
    organisation: str | None
    purpose: str
    physician_id: str | None
    practising_code: str
    institution: str | None
    scope: str | None
    valid_on: date
    answer: str
    receipt_jti: str


class Opening(NamedTuple):
    """One record that was opened, as `OpeningRecord` keeps it."""

    id: str
    at: datetime
    opened_by: str
    organisation: str | None
    purpose: str
    subject_type: str  # physician or filing
    subject_id: str
    physician_id: str | None


class AccessLog:
    """Writes records on a connection of its own, all that wait in one transaction."""

    def __init__(self, url: str, options: str) -> None:
        self._line = Line(url, options, "registry-access")
        self._group: Group[Access | Opening, None] = Group(self._write, "access records", _GONE)

    def open(self) -> None:
        self._group.open()

    async def close(self) -> None:
        """Whoever still waits is told that the record was not kept."""
        await self._group.close()
        await self._line.close()

    def keep(self, record: Access | Opening) -> asyncio.Future[None]:
        """Done once the record is committed; fails with `Unavailable` when it may not be. The answer waits for it.

        A record too many, of an answer that was never given, is harmless; an answer without its record is not.
        """
        return self._group.ask(record)

    async def _write(self, records: list[Access | Opening]) -> list[None]:
        verified = [_text(record) for record in records if isinstance(record, Access)]
        opened = [_text(record) for record in records if isinstance(record, Opening)]
        salt = secrets.token_bytes(32)
        payload = canonical({"opened": len(opened), "root": root(verified + opened), "verified": len(verified)})
        await self._line.execute(
            _INSERT,
            (
                f"[{','.join(verified)}]",
                f"[{','.join(opened)}]",
                max(record.at for record in records),
                str(new_id()),
                commitment(salt, payload),
                salt,
                payload,
                records[0].id,
            ),
        )
        return [None] * len(records)


def root(texts: list[str]) -> str:
    """What one event commits to: the Merkle root (RFC 6962) over the records' texts in their own order, in hex.

    So one record can be shown to be in its batch without the others, which are about other people.
    """
    return merkle.root(merkle.leaf_hash(text.encode()) for text in sorted(texts)).hex()


def _text(record: Access | Opening) -> str:
    """A JSON array: the kind, then the columns as text, instants in UTC with microseconds."""
    kind = "verified" if isinstance(record, Access) else "opened"
    at = record.at.astimezone(UTC).isoformat(timespec="microseconds")
    values = (kind, record.id, at, *record[2:])
    return json.dumps(values, default=str, ensure_ascii=False, separators=(",", ":"))

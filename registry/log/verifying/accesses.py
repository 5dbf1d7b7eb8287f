"""Who looked at whom, against the events that commit to it: each batch of records is hashed again and compared with its event."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import groupby

import sqlalchemy as sa
from sqlalchemy import Connection

from registry.log.verifying.findings import Finding, streamed

_RECORDS = sa.text("""
select batch, id, 'verified' as kind, at, array[asked_by, organisation, purpose, cast(physician_id as text), practising_code,
  institution, scope, cast(valid_on as text), answer, receipt_jti] as told from access_record where batch is not null
union all
select batch, id, 'opened', at, array[opened_by, organisation, purpose, subject_type, cast(subject_id as text),
  cast(physician_id as text)] from opening_record
order by batch, id
""")
_EVENTS = sa.text("""
select e.subject_id as batch, e.seq, e.at, cast(p.payload as jsonb) ->> 'root' as root
from audit_event e join audit_payload p using (seq) where e.type = 'access.keep' order by e.subject_id
""")
# A record that names no batch is from before there were any.
_STRAYS = sa.text("""
select 'access record ' || id, 'batch', at, 'belongs to no batch' from access_record
where batch is null and at > (select min(at) from audit_event where type = 'access.keep')
order by 1
""")


def verify_accesses(connection: Connection) -> Iterator[Finding]:
    """Batches whose records were turned, removed or added to, and records of no batch."""
    told = {row.batch: row for row in connection.execute(_EVENTS)}
    for batch, rows in groupby(streamed(connection, _RECORDS), key=lambda row: row.batch):
        hashes = [_hash(row.kind, row.id, row.at, row.told) for row in rows]
        event = told.pop(batch, None)
        if event is None:
            yield Finding(f"access batch {batch}", "event", None, "has records and no event")
        elif _root([hash_ for _, hash_ in sorted(hashes)]) != event.root:
            yield Finding(
                f"access batch {batch}", "records", event.at, f"are not those that event {event.seq} commits to"
            )
    for batch, event in told.items():
        yield Finding(f"access batch {batch}", "records", event.at, f"are gone; event {event.seq} commits to them")
    yield from (Finding(*row) for row in connection.execute(_STRAYS))


def _hash(kind: str, id_: object, at: datetime, told: list[str | None]) -> tuple[str, bytes]:
    values = [kind, str(id_), at.astimezone(UTC).isoformat(timespec="microseconds"), *told]
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return text, hashlib.sha256(b"\x00" + text.encode()).digest()


def _root(hashes: list[bytes]) -> str:
    """RFC 6962, 2.1, by its own definition."""
    if len(hashes) == 1:
        return hashes[0].hex()
    middle = 1 << ((len(hashes) - 1).bit_length() - 1)
    pair = bytes.fromhex(_root(hashes[:middle])) + bytes.fromhex(_root(hashes[middle:]))
    return hashlib.sha256(b"\x01" + pair).hexdigest()

"""Everything derived again from the records, by other code than that which wrote it, and compared.

From salts and payloads the commitments, from events the leaves, from leaves the tree, from the tree the published roots; then the
rows of filings, sites and decisions against what their events told. What does not fit is named: which record, which field, when.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import Connection

from registry.log.checkpoint import Checkpoint
from registry.log.note import Malformed, Note, Untrusted, VerifierKey
from registry.log.tiles import WIDTH
from registry.log.verifying.accesses import verify_accesses
from registry.log.verifying.findings import Finding, Report
from registry.log.verifying.leaves import Derivation, Promise, check_payload
from registry.log.verifying.rows import verify_rows
from registry.log.verifying.tiles import verify_tiles

__all__ = ["Finding", "Report", "verify"]

_WAITING = sa.text("""
select e.seq, e.type, e.at, e.commitment, p.salt, p.payload
from log_pending w join audit_event e using (seq) left join audit_payload p using (seq) order by e.seq
""")
_STRAYS = sa.text("""
select 'event ' || e.seq, 'leaf', e.at, 'is not in the log and does not wait for it'
from audit_event e left join log_leaf l using (seq) left join log_pending w using (seq) where l.seq is null and w.seq is null
union all
select 'event ' || l.seq, 'leaf', null, 'waits for the log, and is in it' from log_pending w join log_leaf l using (seq)
union all
select 'event ' || w.seq, 'event', null, 'waits for the log, and is not there'
from log_pending w left join audit_event e using (seq) where e.seq is null
union all
select 'payload ' || p.seq, 'event', null, 'has no event' from audit_payload p left join audit_event e using (seq)
where e.seq is null
order by 1
""")
_CHECKPOINTS = sa.text("select size, note, at from log_checkpoint order by size")


def verify(
    connection: Connection,
    key: VerifierKey,
    references: bytes,
    *,
    known: Note | None = None,
    mirror: Note | None = None,
) -> Report:
    """Derive the log again, from the first leaf or, with a checkpoint known from earlier, from there; then the rows.

    `known` and `mirror` are checkpoints from outside this database: it must continue both. Raises `Untrusted` when
    `known` is not signed by `key`. The connection is in a transaction that sees one state of things.
    """
    report = Report()
    promises = _published(connection, key, report)
    first = 0
    if known is not None:
        given = Checkpoint.of(known.ensure_by(key))
        promises.append(Promise(given.size, given.root, "the checkpoint that was given", None))
        first = given.size // WIDTH * WIDTH
    if mirror is not None:
        promises += _mirrored(mirror, key, report)
    derivation = Derivation(connection, references, promises, report)
    derivation.derive(first)
    verify_tiles(connection, derivation.tree.size, report)
    report.findings += [Finding(*row) for row in connection.execute(_STRAYS)]
    for row in connection.execute(_WAITING):
        check_payload(row, derivation.erased, report)
    report.findings += verify_rows(connection)
    report.findings += verify_accesses(connection)
    return report


def _published(connection: Connection, key: VerifierKey, report: Report) -> list[Promise]:
    """Every published checkpoint that the log's key has signed; the others are told."""
    found = []
    for row in connection.execute(_CHECKPOINTS):
        report.checkpoints += 1
        name = f"checkpoint {row.size}"
        try:
            checkpoint = Checkpoint.of(Note.parse(row.note).ensure_by(key))
        except (Untrusted, Malformed) as error:
            report.found(name, "note", row.at, str(error))
            continue
        if (checkpoint.size, checkpoint.origin) != (row.size, key.name):
            report.found(name, "size", row.at, "is not the one that was signed")
            continue
        found.append(Promise(checkpoint.size, checkpoint.root, name, row.at))
    return found


def _mirrored(note: Note, key: VerifierKey, report: Report) -> list[Promise]:
    name = "the mirror's checkpoint"
    try:
        checkpoint = Checkpoint.of(note.ensure_by(key))
    except (Untrusted, Malformed) as error:
        report.found(name, "note", None, str(error))
        return []
    return [Promise(checkpoint.size, checkpoint.root, name, None)]

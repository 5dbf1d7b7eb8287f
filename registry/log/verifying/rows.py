"""Filings, sites and decisions against what their events told: whoever turns a row must turn an event, and events are in the log."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, date
from itertools import groupby
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from registry.log.rows import FILING, digest
from registry.log.verifying.findings import Finding, streamed
from workflows.rules.facts import RegistrationStatus
from workflows.site import cause_of

# Of each filing the row, its last event's version, and the last of its events that tells the row's state.
_FILINGS = sa.text("""
with last as (
    select distinct on (subject_id) subject_id, seq, at, subject_version
    from audit_event where subject_type = 'filing' order by subject_id, seq desc
), told as (
    select distinct on (e.subject_id) e.subject_id, e.seq, e.at, cast(p.payload as jsonb) as payload
    from audit_event e join audit_payload p using (seq)
    where e.subject_type = 'filing' and p.payload like '%"state":%' order by e.subject_id, e.seq desc
)
select f.*, last.subject_id, last.seq as last_seq, last.at as last_at, last.subject_version as last_version,
       told.seq as told_seq, told.at as told_at, told.payload as told
from filing f full join last on last.subject_id = f.id left join told on told.subject_id = last.subject_id
order by coalesce(f.id, last.subject_id)
""")
_DECISIONS = sa.text("""
with told as (
    select e.seq, e.at, e.subject_id, split_part(e.type, '.', 2) as act, e.actor, cast(p.payload as jsonb) as payload,
           cast(cast(p.payload as jsonb) ->> 'decision' as uuid) as decision_id
    from audit_event e join audit_payload p using (seq)
    where e.subject_type = 'filing' and p.payload like '%"decision":%'
)
select d.*, told.seq as told_seq, told.at as told_at, told.subject_id, told.act, told.actor, told.payload as told,
       told.decision_id
from decision d full join told on told.decision_id = d.id order by coalesce(d.id, told.decision_id)
""")
_SITES = sa.text("""
select site_id, id, filing_id, physician_id, institution_id, place, category, scopes, state, cause,
       lower(valid) as first, upper(valid) as until, lower(recorded) as known_from, upper(recorded) as known_until
from site where not isempty(recorded) and not isempty(valid) order by site_id, lower(valid), id
""")
_SITE_EVENTS = sa.text("""
select e.subject_id as site_id, e.seq, e.at, e.type, cast(p.payload as jsonb) as payload
from audit_event e left join audit_payload p using (seq) where e.subject_type = 'site' order by e.subject_id, e.seq
""")


def verify_rows(connection: Connection) -> list[Finding]:
    """What does not fit between the rows and their events, in one state of things."""
    return [*_filings(connection), *_decisions(connection), *_sites(connection)]


def _filings(connection: Connection) -> Iterator[Finding]:
    for row in streamed(connection, _FILINGS):
        name = f"filing {row.told['number'] if row.told else row.number or row.subject_id}"  # as the log knows it
        if row.subject_id is None:
            yield Finding(name, "row", row.created_at, "no event tells of it")
        elif row.id is None:
            yield Finding(name, "row", row.last_at, f"is gone; event {row.last_seq} is the last of it")
        else:
            if row.revision != row.last_version:
                text = f"is {row.revision}; its last event, {row.last_seq}, made it {row.last_version}"
                yield Finding(name, "revision", row.last_at, text)
            if row.told is not None:
                yield from _filing(name, row)


def _filing(name: str, row: Any) -> Iterator[Finding]:
    for column in ("state", "number"):
        if getattr(row, column) != row.told[column]:
            text = f"is {getattr(row, column)}; event {row.told_seq} made it {row.told[column]}"
            yield Finding(name, column, row.told_at, text)
    if "row" in row.told and digest({column: getattr(row, column) for column in FILING}) != row.told["row"]:
        yield Finding(name, "what was filed", row.told_at, f"is not what event {row.told_seq} left")


def _decisions(connection: Connection) -> Iterator[Finding]:
    for row in streamed(connection, _DECISIONS):
        name = f"decision {row.id or row.decision_id}"
        if row.decision_id is None:
            yield Finding(name, "row", row.at, "no event tells of it")
            continue
        if row.id is None:
            yield Finding(name, "row", row.told_at, f"is gone; event {row.told_seq} made it")
            continue
        told = row.told
        expected = {
            "filing_id": row.subject_id,
            "kind": row.act,
            "decided_by": row.actor,
            "at": row.told_at,
            "evaluation_id": uuid.UUID(told["evaluation"]),
            "proposal": told.get("proposal"),
        }
        for column, value in expected.items():
            if getattr(row, column) != value:
                yield Finding(name, column, row.told_at, f"is not what event {row.told_seq} told")
        codes = [reason["code"] for reason in row.reasons]
        if codes != told["reasons"] or digest({"reasons": row.reasons}) != told.get(
            "reasons_sha256", digest({"reasons": row.reasons})
        ):
            yield Finding(name, "reasons", row.told_at, f"are not those event {row.told_seq} told")


class _Stretch(NamedTuple):
    """Days with one state, half open; None is for ever."""

    first: date
    until: date | None
    state: str
    cause: str | None


def _sites(connection: Connection) -> Iterator[Finding]:
    rows = {key: list(group) for key, group in groupby(connection.execute(_SITES), lambda row: row.site_id)}
    for site_id, group in groupby(connection.execute(_SITE_EVENTS), lambda row: row.site_id):
        events = list(group)
        stored = rows.pop(site_id, [])
        if not stored:
            yield Finding(f"site {site_id}", "row", events[-1].at, f"is gone; event {events[-1].seq} is the last of it")
        else:
            yield from _site(f"site {site_id}", stored, events)
    for site_id, stored in rows.items():
        yield Finding(f"site {site_id}", "row", stored[0].known_from, "no event tells of it")


def _site(name: str, rows: list[Any], events: list[Any]) -> Iterator[Finding]:
    if any(event.payload is None for event in events):
        return  # erased: what they told is told no more
    made, last = events[0], events[-1]
    told = made.payload
    if made.type != "site.create":
        yield Finding(name, "row", made.at, "no event created it")
        return
    for row in rows:
        for column, key in (("filing_id", "filing"), ("institution_id", "institution"), ("physician_id", "physician")):
            if str(getattr(row, column)) != told[key]:
                yield Finding(name, column, made.at, f"is not what event {made.seq} told")
        for column in ("scopes", "place", "category"):
            if column in told and getattr(row, column) != told[column]:
                yield Finding(name, column, made.at, f"is not what event {made.seq} told")
    if any(not {"from", "until", "state"} <= event.payload.keys() for event in events[1:]):
        return
    moments = sorted({event.at for event in events})
    for row in rows:
        for when in (row.known_from, row.known_until):
            if when is not None and when not in moments:
                yield Finding(
                    name,
                    "recorded",
                    last.at,
                    f"row {row.id} changed {when.astimezone(UTC):%F %T}Z, and no event did it",
                )
    for moment in moments:
        expected = _as_told([event for event in events if event.at <= moment])
        actual = _merged(
            _Stretch(row.first, row.until, row.state, row.cause)
            for row in rows
            if row.known_from <= moment and (row.known_until is None or row.known_until > moment)
        )
        if actual != expected:
            seq = [event.seq for event in events if event.at == moment][-1]
            yield Finding(name, "days and states", moment, f"are not what events up to {seq} told")
            return


def _as_told(events: list[Any]) -> list[_Stretch]:
    """The days and states of a site after these events, the first of which created it."""
    told = events[0].payload
    last = date.fromisoformat(told["to"]) if told["to"] else None
    until = date.fromordinal(last.toordinal() + 1) if last else None
    stretches = [_Stretch(date.fromisoformat(told["from"]), until, "EFFECTIVE", None)]
    for event in events[1:]:
        move = event.payload
        status = move.get("registration")
        stretches = list(
            _cut(
                stretches,
                _Stretch(
                    date.fromisoformat(move["from"]),
                    date.fromisoformat(move["until"]) if move["until"] else None,
                    move["state"],
                    cause_of(RegistrationStatus(status)) if status else move.get("cause"),
                ),
            )
        )
    return _merged(stretches)


def _cut(stretches: Iterable[_Stretch], move: _Stretch) -> Iterator[_Stretch]:
    """The stretches with the days of `move` in its state."""
    for was in stretches:
        if move.first > was.first:
            yield was._replace(until=_earlier(was.until, move.first))
        if move.until is not None and (was.until is None or was.until > move.until):
            yield was._replace(first=max(was.first, move.until))
        first, until = max(was.first, move.first), _earlier(was.until, move.until)
        if until is None or first < until:
            yield _Stretch(first, until, move.state, move.cause)


def _merged(stretches: Iterable[_Stretch]) -> list[_Stretch]:
    """In order, neighbours of one state joined."""
    found: list[_Stretch] = []
    for stretch in sorted(stretches, key=lambda each: each.first):
        if found and found[-1].until == stretch.first and found[-1][2:] == stretch[2:]:
            found[-1] = found[-1]._replace(until=stretch.until)
        else:
            found.append(stretch)
    return found


def _earlier(one: date | None, other: date | None) -> date | None:
    return min((day for day in (one, other) if day is not None), default=None)

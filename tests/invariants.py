"""What must hold of the whole database at any time, whatever was done to it and however it ended.

Read from the tables with code of its own: only the tables of the lifecycles are shared with the application.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from auth.actor import SYSTEM, ActorKind
from registry.transaction import Database
from workflows.filing import AT_AUTHORITY, FILING, LEASE, Act, Effect, Row, State

Rows = Sequence[Mapping[str, Any]]

STOPPING = {"return", "reject"}
ADVANCING = {"create", *Act}
BESIDES = {"attach"}  # events of a filing that move nothing but its revision


@dataclass(frozen=True)
class Told:
    """One answer that a caller was given."""

    who: str
    method: str
    path: str
    key: str | None
    body: Any
    status: int
    answer: bytes

    def json(self) -> Any:
        return json.loads(self.answer)

    @property
    def request(self) -> str:
        """What makes it the same request as another."""
        return json.dumps([self.method, self.path, self.body], sort_keys=True, default=str)


def check(database: Database, told: Iterable[Told] = ()) -> None:
    """Every invariant, on a snapshot of the database, with what its callers were told before."""
    told = list(told)
    with database.engine.connect() as connection:
        connection.execution_options(isolation_level="REPEATABLE READ")
        check_on(connection, told)


def check_on(connection: sa.Connection, told: Sequence[Told] = ()) -> None:
    """The same, inside a transaction of the caller."""
    events = _events(connection)
    for wanted in (
        approvals_have_a_site,
        rosters_add_up,
        audit_verifies,
        no_sites_overlap,
        no_due_date_is_stored,
        ledgers_are_sound,
    ):
        wanted(connection)
    filings_moved_legally(connection, events)
    approvals_were_lawful(connection, events)
    what_was_told_is_there(events, told)
    one_key_one_effect(told)
    denials_left_events(connection, told)


# -- I1, I2: the callers' side ----------------------------------------------------------------------------------------


def what_was_told_is_there(events: Rows, told: Sequence[Told]) -> None:
    """I1: whoever was told that something is done finds it done, once."""
    happened = {(e["subject_id"], e["act"], e["subject_version"]) for e in events}
    for answer in told:
        if answer.method != "POST" or answer.status not in (200, 201):
            continue
        if answer.path == "/filings":
            assert (uuid.UUID(answer.json()["id"]), "create", 1) in happened, f"acknowledged and lost: {answer.key}"
        elif answer.path.startswith("/filings/") and answer.path.endswith("/acts"):
            moved = answer.json()
            done = (uuid.UUID(moved["id"]), answer.body["act"], moved["revision"])
            assert done in happened, f"acknowledged and lost: {answer.body['act']} {answer.key}"


def one_key_one_effect(told: Sequence[Told]) -> None:
    """I2: one key gives one answer, and no effect is told under two keys."""
    done = [t for t in told if t.method == "POST" and t.status in (200, 201) and t.path.startswith("/filings")]
    answers: dict[tuple[str, str | None, str], bytes] = {}
    effects: dict[tuple[str, int], str | None] = {}
    for answer in done:
        first = answers.setdefault((answer.who, answer.key, answer.request), answer.answer)
        assert first == answer.answer, f"two answers under {answer.key}"
        if not answer.path.endswith("/attachments"):
            effect = (answer.json()["id"], answer.json()["revision"])
            assert effects.setdefault(effect, answer.key) == answer.key, f"one effect under two keys: {effect}"


# -- I3: the legal path -----------------------------------------------------------------------------------------------


def filings_moved_legally(connection: sa.Connection, events: Rows) -> None:
    """I3: the events of each filing are a path of the table, without a gap, to where the filing stands."""
    filings = {row["id"]: row for row in _all(connection, "select id, state, revision from filing")}
    paths = {id_: list(path) for id_, path in groupby(events, key=lambda e: e["subject_id"])}
    assert paths.keys() == filings.keys(), "a filing without events, or events without a filing"
    for id_, path in paths.items():
        first, *rest = path
        assert (first["act"], first["subject_version"], first["to"]) == ("create", 1, str(FILING.initial))
        state = FILING.initial
        for revision, event in enumerate(rest, start=2):
            assert event["subject_version"] == revision, f"{id_}: revision {revision} is not {event}"
            state = _moved(state, event)
        assert (filings[id_]["state"], filings[id_]["revision"]) == (state, len(path)), f"{id_} is beside its path"


def _moved(state: State, event: Mapping[str, Any]) -> State:
    if event["act"] in BESIDES:
        return state
    rows = _rows(state, event)
    assert rows, f"{event['act']} by {event['actor']} is no way out of {state}"
    assert event["from"] == state, f"{event['act']} came from {event['from']}, not {state}"
    assert any(event["to"] in row.targets(state) for row in rows), f"{event['act']} does not lead to {event['to']}"
    return State(event["to"])


def _rows(state: State, event: Mapping[str, Any]) -> list[Row]:
    kind = ActorKind.SYSTEM if event["actor"] == SYSTEM.id else ActorKind.ACCOUNT
    rows = FILING.rows(state, Act(event["act"]))
    return [row for row in rows if any(party.kind is kind for party in row.by)]


# -- I4: what an approval rests on ------------------------------------------------------------------------------------


def approvals_were_lawful(connection: sa.Connection, events: Rows) -> None:
    """I4: consent or attestation, rules without an open objection, a live claim, and somebody who is no party."""
    approved = {
        row["id"]: row
        for row in _all(
            connection,
            """
            select f.id, f.filed_by, f.attested_by, e.findings, e.act, e.filing_id as judged, d.decided_by, d.at,
                   (select jsonb_agg(jsonb_build_array(c.text, c.text_sha256) order by c.at, c.id)
                    from consent c where c.filing_id = f.id and c.at <= d.at) as consents
            from filing f
            left join decision d on d.filing_id = f.id and d.kind = 'approve'
            left join evaluation e on e.id = d.evaluation_id
            where f.state = 'APPROVED'
            """,
        )
    }
    for id_, path in groupby(events, key=lambda e: e["subject_id"]):
        if id_ not in approved:
            continue
        case, history = approved[id_], list(path)
        assert [e["act"] for e in history].count("approve") == 1, f"{id_} was approved twice"
        approval = next(e for e in history if e["act"] == "approve")
        assert case["judged"] == id_
        assert case["act"] == "approve", f"{id_}: approved on an older judgement, of {case['act']}"
        assert not [f["rule"] for f in case["findings"] if f["outcome"] in STOPPING], f"{id_}: approved with objections"
        assert case["consents"] or case["attested_by"], f"{id_}: nobody consented"
        for text, sha256 in case["consents"] or []:
            assert hashlib.sha256(text.encode()).hexdigest() == sha256, f"{id_}: the consent is to another text"
        recommended = {e["actor"] for e in history if e["act"] == "recommend"}
        assert approval["actor"] == case["decided_by"]
        assert approval["actor"] not in {case["filed_by"], case["attested_by"]} | recommended, f"{id_}: one person"
        assert _holder(history[: history.index(approval)], approval["at"]) == approval["actor"], f"{id_}: no live claim"


def _holder(history: Rows, at: datetime) -> str | None:
    """Who holds the claim after these events, by the events alone."""
    holder, until = None, at
    for event in history:
        if event["act"] in ("claim", "renew"):
            assert holder in (None, event["actor"]) or until <= event["at"], f"claimed from {holder}"
            holder, until = event["actor"], event["at"] + LEASE
        elif event["act"] not in BESIDES | {"create"} and any(
            Effect.CLEAR_CLAIM in row.effects for row in _rows(State(event["from"]), event)
        ):
            holder = None
    return holder if until > at else None


def approvals_have_a_site(connection: sa.Connection) -> None:
    """I8, as far as it exists: approved ⇔ exactly one place of practice."""
    wrong = _all(
        connection,
        """
        select f.number, f.state, count(distinct s.site_id) as sites
        from filing f left join site s on s.filing_id = f.id
        group by f.id having count(distinct s.site_id) <> (f.state = 'APPROVED')::int
        """,
    )
    assert not wrong, wrong


# -- I5: rosters ------------------------------------------------------------------------------------------------------


def rosters_add_up(connection: sa.Connection) -> None:
    """I5: every row read is kept, every row kept is judged before anything is filed, and none is filed twice."""
    wrong = _all(
        connection,
        """
        select r.id, r.state, r.rows, kept.n as kept, judged.n as judged, filed.n as filed, filed.n_rows as filed_rows
        from roster r
        cross join lateral (select count(*) as n from roster_row k where k.roster_id = r.id) kept
        cross join lateral (select count(*) as n from roster_verdict v where v.roster_id = r.id) judged
        cross join lateral (
            select count(*) as n, count(distinct f.roster_row) as n_rows from filing f where f.roster_id = r.id
        ) filed
        where filed.n <> filed.n_rows
           or r.state in ('judging', 'judged', 'filing', 'filed', 'submitted') and r.rows <> kept.n
           or r.state in ('judged', 'filing', 'filed', 'submitted') and r.rows <> judged.n
        """,
    )
    assert not wrong, wrong


# -- I6: the log ------------------------------------------------------------------------------------------------------


def audit_verifies(connection: sa.Connection) -> None:
    """I6: every event has its payload, and the payload is what the event committed to."""
    rows = connection.execute(
        sa.text(
            "select e.seq, e.commitment, p.salt, p.payload from audit_event e left join audit_payload p using (seq)"
        )
    )
    for seq, commitment, salt, payload in rows:
        assert payload is not None, f"event {seq} has lost its payload"
        assert hashlib.sha256(salt + payload.encode()).digest() == commitment, f"event {seq} was changed"


# -- I7, I9, I10 ------------------------------------------------------------------------------------------------------


def no_sites_overlap(connection: sa.Connection) -> None:
    """I7: one living site for each physician, institution and day; also within what was known at any time before."""
    wrong = _all(
        connection,
        """
        select a.id from site a
        join site b on b.physician_id = a.physician_id and b.institution_id = a.institution_id and b.id > a.id
          and b.valid && a.valid and b.recorded && a.recorded
          and (a.site_id = b.site_id or a.state in ('EFFECTIVE', 'SUSPENDED') and b.state in ('EFFECTIVE', 'SUSPENDED'))
        """,
    )
    assert not wrong, wrong


def no_due_date_is_stored(connection: sa.Connection) -> None:
    """I9: due dates are derived from the ledger, so nothing can hold another one."""
    stored = _all(
        connection,
        """
        select table_name, column_name from information_schema.columns
        where table_schema = 'public' and table_name in ('filing', 'clock_entry')
          and column_name ~ '(^|_)(due|deadline|overdue|days_left|lapses?|deemed)(_|$)'
        """,
    )
    assert not stored, stored


def ledgers_are_sound(connection: sa.Connection) -> None:
    """I9: from each ledger a due date can be derived: one limit at a time, pauses inside it, none running at the end."""
    rows = _all(
        connection,
        """
        select f.id, f.state, array_agg(c.kind order by c.id) as kinds
        from filing f join clock_entry c on c.filing_id = f.id group by f.id
        """,
    )
    for row in rows:
        running, paused = False, 0
        for kind in row["kinds"]:
            match kind:
                case "start":
                    assert not running, f"{row['id']}: two limits at once, {row['kinds']}"
                    running, paused = True, 0
                case "pause":
                    assert running, f"{row['id']}: a pause of nothing, {row['kinds']}"
                    paused += 1
                case "resume":
                    assert paused, f"{row['id']}: resumed and not paused, {row['kinds']}"
                    paused -= 1
                case "stop":
                    assert running, f"{row['id']}: nothing to stop, {row['kinds']}"
                    running = False
        assert running == (row["state"] in AT_AUTHORITY | {State.CORRECTION}), f"{row['id']}: {row}"


def denials_left_events(connection: sa.Connection, told: Sequence[Told]) -> None:
    """I10: whoever was told that their role may not has left an event."""
    denied = Counter(t.who for t in told if t.status == 403 and t.json().get("code") == "forbidden")
    rows = _all(
        connection,
        """
        select a.name, count(*) as denials from audit_event e join account a on a.id = e.subject_id
        where e.type = 'access.denied' and e.actor = a.id::text group by a.name
        """,
    )
    recorded = {row["name"]: row["denials"] for row in rows}
    for who, count in denied.items():
        assert recorded.get(who, 0) >= count, f"{who} was denied {count} times, {recorded.get(who, 0)} are recorded"


def _events(connection: sa.Connection) -> Rows:
    """The events of filings, each with act, from and to, by filing and in order."""
    rows = _all(
        connection,
        """
        select e.subject_id, e.subject_version, e.actor, e.at, split_part(e.type, '.', 2) as act, p.payload
        from audit_event e join audit_payload p using (seq)
        where e.subject_type = 'filing' order by e.subject_id, e.seq
        """,
    )
    found = []
    for row in rows:
        payload = json.loads(row["payload"])
        found.append({**row, "from": payload.get("from"), "to": payload.get("to") or payload.get("state")})
        assert row["act"] in ADVANCING | BESIDES, f"an event nobody knows: filing.{row['act']}"
    return found


def _all(connection: sa.Connection, query: str) -> Rows:
    return connection.execute(sa.text(query)).mappings().all()  # type: ignore[return-value]

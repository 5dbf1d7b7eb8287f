"""The invariants find what they are there to find: each planted error is told from a sound database."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from tests.invariants import Told, check_on
from tests.stories import reviewed, submitted
from tests.world import AUTHORITY, World

APPROVAL = "(select evaluation_id from decision where kind = 'approve' and filing_id = :id)"

PLANTED = {
    "a state beside the path": "update filing set state = 'REFUSED' where id = :id",
    "a lost revision": "update filing set revision = revision - 1 where id = :id",
    "a lost event": """
        delete from audit_payload where seq = (select max(seq) from audit_event where subject_id = :id);
        delete from audit_event where seq = (select max(seq) from audit_event where subject_id = :id)
        """,
    "a lost filing's events": "update audit_event set subject_id = uuid7() where subject_id = :id",
    "an act of another kind": "update audit_event set type = 'filing.agree' where subject_id = :id and type = 'filing.accept'",
    "somebody else's claim": "update audit_event set actor = uuid7()::text where subject_id = :id and type = 'filing.claim'",
    "a claim that had run out": """
        update audit_event set at = at - interval '31 minutes' where subject_id = :id and type = 'filing.claim'
        """,
    "an erased payload": "delete from audit_payload where seq = (select max(seq) from audit_event where subject_id = :id)",
    "a changed payload": """
        update audit_payload set payload = replace(payload, 'APPROVED', 'approved')
        where seq = (select max(seq) from audit_event where subject_id = :id)
        """,
    "a changed consent": "update consent set text = text || '。' where filing_id = :id",
    "a lost consent": "delete from consent where filing_id = :id",
    "an open objection": f"""
        update evaluation set findings = '[{{"rule": "R001", "outcome": "return"}}]' where id = {APPROVAL}
        """,
    "an old judgement": f"update evaluation set act = 'accept' where id = {APPROVAL}",
    "one person": "update filing set filed_by = (select decided_by from decision where filing_id = :id) where id = :id",
    "no site": "delete from site where filing_id = :id",
    "a second site": """
        insert into site (id, site_id, filing_id, physician_id, institution_id, place, category, scopes, state, valid,
                          recorded)
        select uuid7(), uuid7(), filing_id, physician_id, institution_id, place, category, scopes, state,
               daterange(upper(valid), null), recorded
        from site where filing_id = :id
        """,
    "a limit that runs on": "delete from clock_entry where filing_id = :id and kind = 'stop'",
    "a stored due date": "alter table filing add column decision_due date",
}


@pytest.fixture
def approved(world: World) -> str:
    reviewer = world.account("reviewer", AUTHORITY)
    filing, _ = submitted(world, world.account("filer", world.internet["登记号"]), world.physician("海南省"))
    id_: str = reviewer.does(reviewed(reviewer, filing), "approve")["id"]
    return id_


@pytest.fixture
def as_owner(world: World) -> Iterator[sa.Connection]:
    """A transaction that may do what nobody may, and is rolled back."""
    with world.database.owner_engine.connect() as connection:
        yield connection
        connection.rollback()


def test_each_planted_error_is_found_and_a_sound_database_is_left_alone(
    world: World, approved: str, as_owner: sa.Connection
) -> None:
    for table in ("audit_event", "audit_payload"):
        as_owner.execute(sa.text(f"alter table {table} disable trigger user"))
    check_on(as_owner, world.told)
    for error, statements in PLANTED.items():
        savepoint = as_owner.begin_nested()
        for statement in statements.split(";"):
            as_owner.execute(sa.text(statement), {"id": approved} if ":id" in statement else {})
        assert found(as_owner), error
        savepoint.rollback()
    check_on(as_owner, world.told)


def untrue(answer: Told, **fields: Any) -> Told:
    return replace(answer, key="another", answer=json.dumps({**answer.json(), **fields}).encode())


def test_what_callers_were_told_is_held_against_the_database(world: World, approved: str) -> None:
    created = next(t for t in world.told if t.path == "/filings" and t.json().get("id") == approved)
    act = next(t for t in world.told if t.path == f"/filings/{approved}/acts")
    lies = {
        "a filing that is not there": untrue(created, id="01990000-0000-7000-8000-000000000000"),
        "an act that was not done": untrue(act, revision=99),
        "one effect under two keys": untrue(act),
        "two answers under one key": replace(created, answer=created.answer.replace(b"DRAFT", b"draft")),
        "a denial without an event": replace(act, method="GET", status=403, answer=b'{"code": "forbidden"}'),
    }
    with world.database.engine.connect() as connection:
        for lie, told in lies.items():
            assert found(connection, [*world.told, told]), lie


def found(connection: sa.Connection, told: Sequence[Told] = ()) -> bool:
    try:
        check_on(connection, told)
    except AssertionError:
        return True
    return False

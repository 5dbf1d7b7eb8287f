"""What was decided wrongly is put right by two people, with a reason, and what was known before stays known."""

from __future__ import annotations

import uuid
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from auth.roles import Role
from registry import accounts
from registry.log.verifying.rows import verify_rows
from registry.transaction import transaction
from tests.stories import reviewed, submitted
from tests.world import AUTHORITY, ELSEWHERE, Caller, Row, World

REASON = "核准时材料有误"


@pytest.fixture
def person(world: World) -> Row:
    return world.physician()


@pytest.fixture
def filing(world: World, person: Row) -> dict[str, Any]:
    """Approved, with its site."""
    made, _ = submitted(world, world.account(Role.FILER, world.internet["登记号"]), person)
    reviewer = world.account(Role.REVIEWER, AUTHORITY)
    return reviewer.does(reviewed(reviewer, made), "approve")


@pytest.fixture
def senior(world: World) -> Caller:
    return world.account(Role.SENIOR, AUTHORITY)


@pytest.fixture
def lead(world: World) -> Caller:
    return world.account(Role.LEAD, AUTHORITY)


def proposed(senior: Caller, filing: dict[str, Any], kind: str = "reverse", **days: str) -> dict[str, Any]:
    status, answer = senior.post("/repairs", {"filing": filing["id"], "kind": kind, "reason": REASON, **days})
    assert status == 201, answer
    made: dict[str, Any] = answer
    return made


def decided(caller: Caller, repair: dict[str, Any], name: str) -> tuple[int, Any]:
    return caller.post(f"/repairs/{repair['id']}/acts", {"act": name})


def stretches(world: World, filing: dict[str, Any]) -> list[tuple[date, date, str]]:
    """The days of its site and their states, as known now."""
    current = sa.text(
        "select lower(valid), upper(valid), state from site where filing_id = :id and upper_inf(recorded) order by valid"
    )
    with world.database.engine.connect() as connection:
        return [(first, until, state) for first, until, state in connection.execute(current, {"id": filing["id"]})]


def known(world: World, filing: dict[str, Any]) -> int:
    """Every row there ever was."""
    rows = sa.text("select count(*) from site where filing_id = :id and not isempty(recorded)")
    with world.database.engine.connect() as connection:
        count: int = connection.execute(rows, {"id": filing["id"]}).scalar_one()
    return count


def test_a_reversal_takes_the_site_away_once_two_have_said_so(
    world: World, filing: dict[str, Any], senior: Caller, lead: Caller
) -> None:
    ((first, until, _),) = before = stretches(world, filing)
    world.later(minutes=1)
    repair = proposed(senior, filing)
    assert stretches(world, filing) == before
    status, done = decided(lead, repair, "sign")
    assert (status, done["state"]) == (200, "done")
    assert stretches(world, filing) == [(first, until, "REVOKED")]
    assert known(world, filing) == 2  # what was known before stays known


def test_a_reversal_from_a_day_on_leaves_the_days_before(
    world: World, filing: dict[str, Any], senior: Caller, lead: Caller
) -> None:
    ((first, until, _),) = stretches(world, filing)
    day = first + timedelta(days=30)
    world.later(minutes=1)
    assert decided(lead, proposed(senior, filing, valid_from=day.isoformat()), "sign")[0] == 200
    assert stretches(world, filing) == [(first, day, "EFFECTIVE"), (day, until, "REVOKED")]


def test_new_days_leave_the_site_those_alone(
    world: World, filing: dict[str, Any], senior: Caller, lead: Caller
) -> None:
    ((first, until, _),) = stretches(world, filing)
    begin, end = first + timedelta(days=10), until - timedelta(days=10)
    days = {"valid_from": begin.isoformat(), "valid_to": end.isoformat()}
    world.later(minutes=1)
    assert decided(lead, proposed(senior, filing, "redate", **days), "sign")[0] == 200
    after = end + timedelta(days=1)
    assert stretches(world, filing) == [
        (first, begin, "REVOKED"),
        (begin, after, "EFFECTIVE"),
        (after, until, "REVOKED"),
    ]


def test_what_a_repair_did_is_what_its_events_tell(
    world: World, filing: dict[str, Any], senior: Caller, lead: Caller
) -> None:
    ((first, _, _),) = stretches(world, filing)
    world.later(minutes=1)
    repair = proposed(senior, filing, valid_from=(first + timedelta(days=3)).isoformat())
    decided(lead, repair, "sign")
    told = sa.text("select type from audit_event where subject_id = :id order by seq")
    with world.database.engine.connect() as connection:
        events = connection.execute(told, {"id": repair["id"]}).scalars().all()
        site = connection.execute(sa.text("select site_id from site where filing_id = :id"), {"id": filing["id"]})
        findings = [found for found in verify_rows(connection) if str(site.scalars().first()) in found.record]
    assert events == ["repair.propose", "repair.sign"]
    assert findings == []


def test_nobody_signs_what_they_proposed(world: World, filing: dict[str, Any], senior: Caller, lead: Caller) -> None:
    both = world.account(Role.SENIOR, AUTHORITY)
    with transaction(world.database) as session:
        accounts.grant_role(session, both.name, Role.LEAD, AUTHORITY, demo=True, now=world.now)
    repair = proposed(both, filing)
    status, answer = decided(both, repair, "sign")
    assert (status, "提出人不能自行签批" in str(answer)) == (409, True)
    assert decided(senior, repair, "sign")[0] == 403
    assert decided(lead, repair, "decline")[1]["state"] == "declined"
    assert decided(lead, repair, "sign")[0] == 409
    assert [state for _, _, state in stretches(world, filing)] == ["EFFECTIVE"]


def test_one_repair_of_a_filing_at_a_time(world: World, filing: dict[str, Any], senior: Caller) -> None:
    repair = proposed(senior, filing)
    body = {"filing": filing["id"], "kind": "reverse", "reason": REASON}
    assert senior.post("/repairs", body)[0] == 409
    assert decided(senior, repair, "withdraw")[1]["state"] == "withdrawn"
    proposed(senior, filing)


def test_another_authority_neither_proposes_nor_sees(world: World, filing: dict[str, Any], senior: Caller) -> None:
    stranger = world.account(Role.SENIOR, ELSEWHERE)
    assert stranger.post("/repairs", {"filing": filing["id"], "kind": "reverse", "reason": REASON})[0] == 404
    repair = proposed(senior, filing)
    assert stranger.get(f"/repairs/{repair['id']}")[0] == 404
    assert stranger.get("/repairs")[1]["items"] == []
    listed = senior.get("/repairs", state="proposed", limit=200)[1]["items"]
    assert repair["id"] in {item["id"] for item in listed}


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "redate"},
        {"kind": "redate", "valid_from": "2027-03-02", "valid_to": "2027-03-01"},
        {"kind": "reverse", "valid_to": "2027-03-01"},
        {"kind": "reverse", "reason": ""},
        {"kind": "erase"},
    ],
)
def test_what_makes_no_sense_is_refused(
    world: World, filing: dict[str, Any], senior: Caller, body: dict[str, str]
) -> None:
    assert senior.post("/repairs", {"filing": filing["id"], "reason": REASON, **body})[0] == 422


def test_only_an_approved_filing_has_something_to_repair(world: World, person: Row, senior: Caller) -> None:
    made, _ = submitted(world, world.account(Role.FILER, world.internet["登记号"]), person)
    assert senior.post("/repairs", {"filing": made["id"], "kind": "reverse", "reason": REASON})[0] == 409
    assert senior.post("/repairs", {"filing": str(uuid.uuid4()), "kind": "reverse", "reason": REASON})[0] == 404


def test_days_that_the_site_never_had_leave_nothing_to_do(
    world: World, filing: dict[str, Any], senior: Caller, lead: Caller
) -> None:
    repair = proposed(senior, filing, valid_from="2099-01-01")
    status, answer = decided(lead, repair, "sign")
    assert (status, answer["code"]) == (409, "nothing_to_repair")
    assert lead.get(f"/repairs/{repair['id']}")[1]["state"] == "proposed"

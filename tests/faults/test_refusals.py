"""The database gives up, or has no connection left: the caller is asked to come again, and nothing is half done (R20)."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from registry.app import create_app
from registry.node import Node
from registry.transaction import Database
from tests.faults.conftest import Report
from tests.faults.sabotage import Sabotage
from tests.faults.serving import insist
from tests.stories import reviewed, submitted
from tests.world import AUTHORITY, Caller, World

REFUSALS = {"lock_timeout": "55P03", "deadlock": "40P01", "serialization": "40001"}

# Every kind of write of an approval, early and late, and the end of the transaction itself.
PLACES = (
    ("evaluation", "insert", False),
    ("filing", "update", False),
    ("decision", "insert", False),
    ("site", "insert", False),
    ("audit_event", "insert", False),
    ("audit_payload", "insert", False),
    ("keyed_answer", "insert", False),
    ("filing", "update", True),
    ("audit_event", "insert", True),
)

COUNTED = ("evaluation", "decision", "site", "clock_entry", "audit_event", "audit_payload", "keyed_answer")


def everything(world: World, filing: str) -> list[object]:
    """The filing itself, and how many rows there are of all it could have left behind."""
    counted = sa.select(*(sa.select(sa.func.count()).select_from(sa.table(name)).scalar_subquery() for name in COUNTED))
    itself = sa.text("select filing::text from filing where id = :id")
    with world.database.engine.connect() as connection:
        return [*connection.execute(itself, {"id": filing}).one(), *connection.execute(counted).one()]


@pytest.mark.parametrize("refusal", REFUSALS)
def test_an_act_that_the_database_refuses_leaves_nothing_and_may_be_repeated(
    world: World, sabotage: Sabotage, refusal: str
) -> None:
    reviewer = world.account("reviewer", AUTHORITY)
    filing, _ = submitted(world, world.account("filer", world.internet["登记号"]), world.physician("海南省"))
    filing = reviewed(reviewer, filing)
    path, key = f"/filings/{filing['id']}/acts", str(uuid.uuid4())
    body, before = {"act": "approve", "revision": filing["revision"]}, everything(world, filing["id"])
    for table, event, at_commit in PLACES:
        with sabotage.refusing(table, event, REFUSALS[refusal], at_commit=at_commit):
            answer = reviewer.ask(path, body, key=key)
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable"), (table, answer.text)
        assert answer.headers["Retry-After"].isdigit()
        assert everything(world, filing["id"]) == before, table
    answer = reviewer.ask(path, body, key=key)
    assert (answer.status_code, answer.json()["state"]) == (200, "APPROVED")


def test_three_refusals_in_a_row_cost_a_client_only_time(world: World, sabotage: Sabotage) -> None:
    filer = world.account("filer", world.internet["登记号"])
    body = world.body(world.register[-1], world.internet["登记号"])
    with sabotage.refusing("filing", "insert", REFUSALS["deadlock"], times=3):
        assert insist(filer, "/filings", body, str(uuid.uuid4())).status_code == 201


def test_a_filing_that_somebody_holds_is_given_up_after_the_lock_timeout(world: World) -> None:
    filer = world.account("filer", world.internet["登记号"])
    status, filing = filer.post("/filings", world.body(world.register[-1], world.internet["登记号"]))
    assert status == 201
    with world.database.engine.connect() as holder:
        holder.execute(sa.text("select from filing where id = :id for update"), {"id": filing["id"]})
        started = time.monotonic()
        answer = filer.ask(
            f"/filings/{filing['id']}/acts", {"act": "withdraw", "revision": filing["revision"]}, key=str(uuid.uuid4())
        )
    assert answer.status_code == 503
    assert answer.headers["Retry-After"].isdigit()
    assert time.monotonic() - started < 5
    assert filer.does(filing, "withdraw")["state"] == "WITHDRAWN"


@pytest.fixture
def narrow(world: World) -> Iterator[World]:
    """The same province, served by a process that may open five connections."""
    database = Database(world.database.owner_url, world.database.app_url, connections=5)
    app = create_app(Node(world.app.state.settings, database, world.clock))
    with TestClient(app, raise_server_exceptions=False) as http:
        yield replace(world, app=app, http=http)


@pytest.mark.parametrize(("clients", "requests"), [(50, 2), pytest.param(200, 20, marks=pytest.mark.soak)])
def test_five_connections_serve_fifty_clients_or_say_when_to_come_again(
    world: World, narrow: World, clients: int, requests: int, report: Report
) -> None:
    known = world.account("filer", world.internet["登记号"])
    filer = Caller(narrow, known.name, known.token)
    body = world.body(world.register[-1], world.internet["登记号"])

    def use(_client: int) -> list[tuple[int, float]]:
        found = []
        for _ in range(requests):
            started = time.monotonic()
            answer = filer.ask("/filings", body, key=str(uuid.uuid4()))
            found.append((answer.status_code, time.monotonic() - started))
            assert answer.status_code == 201 or answer.headers["Retry-After"].isdigit(), answer.text
        return found

    with ThreadPoolExecutor(clients) as threads:
        answers = [answer for found in threads.map(use, range(clients)) for answer in found]
    slowest = max(seconds for _, seconds in answers)
    assert {status for status, _ in answers} <= {201, 503}
    assert slowest < 8
    done = sum(status == 201 for status, _ in answers)
    assert done > 0
    report(
        "5 connections for many clients at once",
        f"{clients} clients × {requests} requests: {done} done, {len(answers) - done} answered 503 with Retry-After, "
        f"0 answers 500; the slowest took {slowest:.1f} s",
    )

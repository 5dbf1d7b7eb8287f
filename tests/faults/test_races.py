"""Two who want to decide at once: one does, the other is told so (R19)."""

from __future__ import annotations

import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa

from tests.faults.conftest import Report
from tests.faults.sabotage import Sabotage
from tests.faults.serving import wait_until
from tests.stories import reviewed, submitted
from tests.world import AUTHORITY, Caller, World

REASONS = [{"code": "CONDITIONS_NOT_MET"}]
LOSING = {"stale", "refused", "conflict"}

Try = tuple[Caller, dict[str, Any]]


class Desk:
    """The people of one authority and one hospital, and filings at each stage for them to fight over."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.filer = world.account("filer", world.internet["登记号"])
        self.reviewer, self.colleague = world.account("reviewer", AUTHORITY), world.account("reviewer", AUTHORITY)
        self.senior = world.account("senior", AUTHORITY)

    def unclaimed(self) -> tuple[dict[str, Any], list[Try]]:
        """Two reviewers take the same case."""
        filing, _ = submitted(self.world, self.filer, self.world.physician("海南省"))
        return filing, [(who, {"act": "claim"}) for who in (self.reviewer, self.colleague)]

    def under_review(self) -> tuple[dict[str, Any], list[Try]]:
        """The reviewer approves in one window and returns in another, while the hospital withdraws."""
        filing, _ = submitted(self.world, self.filer, self.world.physician("海南省"))
        filing = reviewed(self.reviewer, filing)
        return filing, [
            (self.reviewer, {"act": "approve"}),
            (self.reviewer, {"act": "return", "reasons": REASONS}),
            (self.filer, {"act": "withdraw"}),
        ]

    def before_the_senior(self) -> tuple[dict[str, Any], list[Try]]:
        """The senior approves in one window and refuses in another, while the physician withdraws."""
        filing, doctor = submitted(self.world, self.filer, self.world.physician("海南省"))
        filing = reviewed(self.reviewer, filing)
        filing = self.reviewer.does(filing, "recommend", decision="refuse", reasons=REASONS)
        filing = self.senior.does(filing, "claim")
        return filing, [
            (self.senior, {"act": "approve"}),
            (self.senior, {"act": "refuse", "reasons": REASONS}),
            (doctor, {"act": "withdraw"}),
        ]


def race(filing: dict[str, Any], tries: list[Try]) -> list[httpx2.Response]:
    start = Barrier(len(tries))

    def run(attempt: Try) -> httpx2.Response:
        caller, act = attempt
        body = {**act, "revision": filing["revision"]}
        start.wait()
        return caller.ask(f"/filings/{filing['id']}/acts", body, key=str(uuid.uuid4()))

    with ThreadPoolExecutor(len(tries)) as threads:
        return list(threads.map(run, tries))


def happened(world: World, filing: dict[str, Any]) -> tuple[str, int, list[str], int]:
    """State, revision, events after the race began, and sites."""
    with world.database.engine.connect() as connection:
        state, revision = connection.execute(
            sa.text("select state, revision from filing where id = :id"), {"id": filing["id"]}
        ).one()
        events = connection.execute(
            sa.text("select type from audit_event where subject_id = :id and subject_version > :revision"),
            {"id": filing["id"], "revision": filing["revision"]},
        ).scalars()
        sites = connection.execute(
            sa.text("select count(distinct site_id) from site where filing_id = :id"), {"id": filing["id"]}
        ).scalar_one()
        return state, revision, list(events), sites


@pytest.mark.parametrize("count", [20, pytest.param(500, marks=pytest.mark.soak)])
def test_of_several_deciders_one_wins_and_the_others_are_told(world: World, count: int, report: Report) -> None:
    desk, won = Desk(world), Counter[str]()
    for number in range(count):
        filing, tries = (desk.unclaimed, desk.under_review, desk.before_the_senior)[number % 3]()
        answers = race(filing, tries)
        (winner,) = (n for n, answer in enumerate(answers) if answer.status_code == 200)
        act = tries[winner][1]["act"]
        for answer in answers[:winner] + answers[winner + 1 :]:
            assert (answer.status_code, answer.json()["code"] in LOSING) == (409, True) or (
                answer.status_code == 503 and answer.headers["Retry-After"].isdigit()
            ), answer.text
        state, revision, events, sites = happened(world, filing)
        assert (state, revision) == (answers[winner].json()["state"], filing["revision"] + 1)
        assert events == [f"filing.{act}"]
        assert sites == (act == "approve")
        won[act] += 1
    report(
        "races of two and three deciders for one filing",
        f"{count} races, one winner each ({', '.join(f'{act} {n}' for act, n in sorted(won.items()))}); "
        "0 double decisions, 0 answers 500",
    )


def test_an_approval_waits_for_an_import_that_suspends_the_physician(world: World, sabotage: Sabotage) -> None:
    desk, person, today = Desk(world), world.physician("海南省"), world.now.date().isoformat()
    filing, _ = submitted(world, desk.filer, person, valid_from=today)
    filing = reviewed(desk.reviewer, filing)
    with sabotage.halting("decision") as door, ThreadPoolExecutor(2) as threads:
        approval = threads.submit(desk.reviewer.act, filing, "approve")
        wait_until(sabotage.waiting)  # judged, not yet written
        suspended = threads.submit(world.import_register, [{**person, "状态": "暂停", "状态起": today}])
        wait_until(lambda: suspended.done() or waits_for_a_row(world))
        door.commit()
        assert suspended.result().changed == 1
        assert approval.result()[0] == 200
    with world.database.engine.connect() as connection:
        states = connection.execute(
            sa.text("select state from site where filing_id = :id and upper_inf(recorded)"), {"id": filing["id"]}
        ).scalars()
        assert set(states) == {"SUSPENDED"}


def waits_for_a_row(world: World) -> bool:
    query = "select exists (select from pg_locks where locktype in ('tuple', 'transactionid') and not granted)"
    with world.database.engine.connect() as connection:
        return bool(connection.execute(sa.text(query)).scalar_one())

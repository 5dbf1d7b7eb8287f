"""From judged to submitted: what is filed, who may attest, what a second upload gives, and what a dead worker leaves."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from threading import Thread
from typing import Any

import pytest
from sqlmodel import Session

from auth import accounts
from registry.demo.generate import Record
from registry.rosters import filing, working
from registry.rosters.working import Worker
from registry.transaction import Database, transaction
from tests.registry.rosters.conftest import Desk
from workflows.machine import Forbidden, Refused
from workflows.roster import Act

GOES = {"ok", "warn", "senior"}
SOME = 200


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many chunks of each stage, as a big roster has."""
    for stage, name, rows in ((working, "READ", 75), (working, "JUDGED", 65), (filing, "CHUNK", 60)):
        monkeypatch.setattr(stage, name, rows)


def some(desk: Desk, count: int = SOME) -> list[Record]:
    return desk.made.roster[:count]


def filed(desk: Desk, rows: Sequence[Record]) -> uuid.UUID:
    roster = desk.judged(desk.csv(rows))
    assert desk.act(roster, Act.FILE, desk.filer()) == "filing"
    desk.work()
    return roster


def tables(desk: Desk, roster: uuid.UUID) -> dict[str, Any]:
    """All that a roster leaves behind, without what is drawn anew each time (ids, seals, running numbers)."""
    return {
        name: desk.read(query, r=roster)
        for name, query in {
            "roster": "select state, rows, cursor, columns, places::text, filed_by, attested_by from roster where id = :r",
            "rows": "select row, line, person_index, valid_from, valid_to from roster_row where roster_id = :r order by 1",
            "verdicts": "select row, outcome, rules, findings::text from roster_verdict where roster_id = :r order by 1",
            "filings": """select roster_row, type, state, revision, name, practising_code, category, scopes, valid_from,
                valid_to, filed_by, attested_by, submitted_at is not null from filing where roster_id = :r order by 1""",
            "evaluations": """select f.roster_row, e.round, e.act, e.outcome, e.open_rules from evaluation e
                join filing f on f.id = e.filing_id where f.roster_id = :r order by 1, 2""",
            "events": """select f.roster_row, a.type, a.subject_version, a.actor, a.organisation from audit_event a
                join filing f on f.id = a.subject_id where f.roster_id = :r order by 1, 3""",
            "own events": "select type, actor, subject_version from audit_event where subject_id = :r order by seq",
        }.items()
    }


def test_file_files_exactly_the_rows_that_go(desk: Desk) -> None:
    roster = filed(desk, some(desk))
    counts = desk.counts(roster)
    going = [row for row, outcome, _ in desk.verdicts(roster) if outcome in GOES]
    filings = [row for (row,) in desk.read("select roster_row from filing where roster_id = :r order by 1", r=roster)]
    assert desk.roster(roster).state == "filed"
    assert filings == going
    assert counts.filed == len(going) == counts.goes
    assert sum(counts.outcomes.values()) == SOME
    assert counts.submitted == counts.decided == 0


def test_whoever_filed_cannot_attest_and_a_filer_never_can(desk: Desk) -> None:
    roster = desk.judged(desk.csv(some(desk, 30)))
    desk.act(roster, Act.FILE, desk.manager("boss"))
    with pytest.raises(Refused):
        desk.act(roster, Act.ATTEST, desk.manager("boss"))
    with pytest.raises(Forbidden):
        desk.act(roster, Act.ATTEST, desk.filer())


def test_a_manager_attests_while_filing_runs_and_every_filed_row_is_submitted(desk: Desk) -> None:
    roster = desk.judged(desk.csv(some(desk)))
    desk.act(roster, Act.FILE, desk.filer())
    worker = Worker(desk.node)
    worker.step()
    assert desk.roster(roster).state == "filing"
    assert desk.act(roster, Act.ATTEST, desk.manager()) == "filing"
    desk.work(worker)
    counts = desk.counts(roster)
    assert desk.roster(roster).state == "submitted"
    assert counts.submitted == counts.filed == counts.goes > 0
    assert desk.read("select distinct attested_by from filing where roster_id = :r", r=roster) == [("manager",)]


def test_a_second_upload_of_what_is_filed_is_unchanged(desk: Desk) -> None:
    first = filed(desk, some(desk))
    again = desk.judged(desk.csv(some(desk)))
    before, after = desk.counts(first).outcomes, desk.counts(again).outcomes
    assert after["ok"] == after["senior"] == after["warn"] == 0
    assert after["unchanged"] == desk.counts(first).filed
    assert after["reject"] == before["reject"]
    desk.act(again, Act.FILE, desk.filer())
    desk.work()
    assert desk.counts(again).filed == 0


def test_a_row_that_has_lost_its_ground_since_it_was_judged_stays_behind(desk: Desk) -> None:
    one, two = (desk.judged(desk.csv(some(desk, 40))) for _ in range(2))
    for roster in (one, two):
        desk.act(roster, Act.FILE, desk.filer())
    desk.work()
    first, second = desk.counts(one), desk.counts(two)
    assert first.filed + second.filed == first.filed + first.outcomes["unchanged"] + second.outcomes["ok"]
    codes = "select practising_code from filing group by 1 having count(*) > 1"
    assert desk.read(codes) == []
    assert first.filed == first.goes
    assert second.filed == second.goes


@pytest.mark.parametrize("steps", [1, 3, 6])
def test_a_roster_rests_where_it_was_paused_and_goes_on_from_there(desk: Desk, steps: int) -> None:
    roster = desk.upload(desk.csv(some(desk)))
    worker = Worker(desk.node)
    for _ in range(steps):
        assert worker.step()
    before = desk.roster(roster).state
    assert desk.act(roster, Act.PAUSE, desk.filer()) == "paused"
    assert not worker.step()
    assert desk.act(roster, Act.RESUME, desk.manager()) == before
    desk.work(worker)
    assert desk.roster(roster).state == "judged"
    assert len(desk.verdicts(roster)) == SOME


def test_a_cancelled_roster_is_filed_no_further_and_its_drafts_are_withdrawn(desk: Desk) -> None:
    roster = desk.judged(desk.csv(some(desk)))
    desk.act(roster, Act.FILE, desk.filer())
    worker = Worker(desk.node)
    worker.step()
    kept = desk.counts(roster).filed
    assert 0 < kept < desk.counts(roster).goes
    assert desk.act(roster, Act.CANCEL, desk.filer()) == "cancelled"
    desk.work(worker)
    assert desk.counts(roster).filed == kept
    assert desk.states(roster) == {"WITHDRAWN": kept}
    again = desk.judged(desk.csv(some(desk)))
    assert desk.counts(again).outcomes["unchanged"] == 0


def test_whoever_lost_the_role_files_no_further(desk: Desk) -> None:
    roster = desk.judged(desk.csv(some(desk)))
    filer = desk.filer("leaver")
    desk.act(roster, Act.FILE, filer)
    worker = Worker(desk.node)
    worker.step()
    with transaction(desk.node.database) as session:
        assert accounts.disable(session, uuid.UUID(filer.id), now=desk.now)
    desk.work(worker)
    fault = desk.roster(roster).fault
    assert fault
    assert fault["code"] == "role_lost"
    assert set(desk.states(roster)) == {"WITHDRAWN"}


class Killed(BaseException):
    """What a worker's death looks like from inside: nothing catches it."""


@contextmanager
def cut_off(database: Database) -> Iterator[Session]:
    """All the work of a chunk, and no commit."""
    with transaction(database) as session:
        yield session
        raise Killed


def test_workers_that_die_in_mid_chunk_leave_the_tables_of_an_uninterrupted_run(
    desks: Callable[[], Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    calm, deadly = desks(), desks()

    def die_and_be_followed() -> None:
        """Each chunk is worked on twice: the first worker dies with its work undone, another takes over."""
        going_on = True
        while going_on:
            with closing(Worker(deadly.node)) as dying, monkeypatch.context() as patched:
                patched.setattr(working, "transaction", cut_off)
                with pytest.raises(Killed):
                    dying.step()
            with closing(Worker(deadly.node)) as follower:
                going_on = follower.step()

    def through(desk: Desk, run: Callable[[], Any]) -> dict[str, Any]:
        roster = desk.upload(desk.csv(some(desk)))
        run()
        desk.act(roster, Act.FILE, desk.filer())
        run()
        desk.act(roster, Act.ATTEST, desk.manager())
        run()
        return tables(desk, roster)

    assert through(deadly, die_and_be_followed) == through(calm, calm.work)


def test_one_worker_whose_chunks_are_undone_reads_on_where_the_tables_stand(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    roster, worker = desk.upload(desk.csv(some(desk))), Worker(desk.node)
    for number in range(40):
        with monkeypatch.context() as patched, suppress(Killed):
            if number % 3 == 1:
                patched.setattr(working, "transaction", cut_off)
            worker.step()
    worker.close()
    assert desk.roster(roster).state == "judged"
    numbers = desk.read("select row, line from roster_row where roster_id = :r order by 1", r=roster)
    assert numbers == [(row, row + 1) for row in range(1, SOME + 1)]


def test_two_workers_take_two_rosters_and_never_the_same_chunk(desk: Desk) -> None:
    rosters = [desk.upload(desk.csv(rows)) for rows in (desk.made.roster[:SOME], desk.made.roster[SOME : 2 * SOME])]
    failures: list[BaseException] = []

    def at_work() -> None:
        worker = Worker(desk.node)
        try:
            idle = 0
            while idle < 3:
                idle = 0 if worker.step() else idle + 1
        except BaseException as error:  # noqa: BLE001  told to the test
            failures.append(error)
        worker.close()

    threads = [Thread(target=at_work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    desk.work()
    assert failures == []
    assert [len(desk.verdicts(roster)) for roster in rosters] == [SOME, SOME]
    assert {desk.roster(roster).state for roster in rosters} == {"judged"}

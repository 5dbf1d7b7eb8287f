"""Processes that die without a word, while clients go on under the same keys (R09, R10)."""

from __future__ import annotations

import os
import random
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any

import pytest
import sqlalchemy as sa

from registry.localpg import Cluster
from tests.faults.conftest import Report
from tests.faults.serving import Served, insist, wait_until
from tests.stories import reviewed, submitted
from tests.world import AUTHORITY, Caller, Row, World

SEED = 20261121
CLIENTS = 4


class Clients:
    """Clients at work until `rest`: each files, amends and withdraws, and approves what it was given to decide."""

    def __init__(self, world: World, prepared: list[tuple[Caller, dict[str, Any]]]) -> None:
        self.filer = world.account("filer", world.internet["登记号"])
        self.world, self.prepared = world, iter(prepared)
        self.resting = Event()
        self.keys: list[list[str]] = [[] for _ in range(CLIENTS)]
        self.told: dict[str, dict[str, Any]] = {}  # key → answer
        self.acts: dict[str, list[str]] = {}  # filing → acts acknowledged, in order

    @contextmanager
    def at_work(self, served: Served) -> Iterator[None]:
        with ThreadPoolExecutor(CLIENTS) as threads:
            running = [threads.submit(self._work, served.world, number) for number in range(CLIENTS)]
            try:
                yield
            finally:
                self.resting.set()
            for one in running:
                one.result()

    def done(self) -> int:
        return len(self.told)

    def _work(self, world: World, number: int) -> None:
        filer, dice = self._through(world, self.filer), random.Random(SEED + number)  # noqa: S311
        while not self.resting.is_set():
            filing = self._say(number, filer, "/filings", world.body(self._somebody(dice), world.internet["登记号"]))
            self.acts[filing["id"]] = ["create"]
            for act in dice.choice((["withdraw"], ["amend", "withdraw"])):
                changes = {"changes": {"note": str(dice.random())}} if act == "amend" else {}
                filing = self._act(number, filer, filing, {"act": act, **changes})
            if number == 0 and (given := next(self.prepared, None)):
                reviewer, filing = given
                self.acts[filing["id"]] = []
                self._act(number, self._through(world, reviewer), filing, {"act": "approve"})

    def _act(self, number: int, caller: Caller, filing: dict[str, Any], act: dict[str, Any]) -> dict[str, Any]:
        path = f"/filings/{filing['id']}/acts"
        moved = self._say(number, caller, path, {**act, "revision": filing["revision"]})
        self.acts[filing["id"]].append(act["act"])
        return moved

    def _say(self, number: int, caller: Caller, path: str, body: dict[str, Any]) -> dict[str, Any]:
        key = str(uuid.uuid4())
        self.keys[number].append(key)
        answer = insist(caller, path, body, key)
        assert answer.status_code in (200, 201), answer.text
        told: dict[str, Any] = answer.json()
        self.told[key] = told
        # Whatever happened to the first try, the same words again give the same answer.
        assert insist(caller, path, body, key).json() == told
        return told

    def _somebody(self, dice: random.Random) -> Row:
        return dice.choice(self.world.register[-40:])

    @staticmethod
    def _through(world: World, caller: Caller) -> Caller:
        return Caller(world, caller.name, caller.token)


def prepared(world: World, count: int) -> list[tuple[Caller, dict[str, Any]]]:
    """Filings that their reviewer has only to approve."""
    filer = world.account("filer", world.internet["登记号"])
    reviewer = world.account("reviewer", AUTHORITY)
    return [(reviewer, reviewed(reviewer, submitted(world, filer, world.physician("海南省"))[0])) for _ in range(count)]


def nothing_lost_nothing_twice(world: World, clients: Clients, before: int) -> None:
    """The filings that were made are those that were acknowledged, and each went through exactly its acts."""
    with world.database.engine.connect() as connection:
        events = connection.execute(
            sa.text(
                "select subject_id::text, array_agg(split_part(type, '.', 2) order by seq) from audit_event "
                "where subject_type = 'filing' and seq > :before group by subject_id"
            ),
            {"before": before},
        ).all()
    assert {id_: acts for id_, acts in events} == clients.acts  # noqa: C416  rows, not pairs
    assert sum(len(keys) for keys in clients.keys) == clients.done()


def last_event(world: World) -> int:
    with world.database.engine.connect() as connection:
        last: int = connection.execute(sa.text("select coalesce(max(seq), 0) from audit_event")).scalar_one()
        return last


def some_time(dice: random.Random) -> Callable[[], bool]:
    """True from a random moment on."""
    moment = time.monotonic() + dice.uniform(0.05, 0.5)
    return lambda: time.monotonic() > moment


@pytest.mark.parametrize("kills", [5, pytest.param(100, marks=pytest.mark.soak)])
def test_a_server_killed_in_mid_request_loses_nothing_and_does_nothing_twice(
    world: World, served: Served, kills: int, report: Report
) -> None:
    clients, dice = Clients(world, prepared(world, kills)), random.Random(SEED)  # noqa: S311
    before = last_event(world)
    with clients.at_work(served):
        for _ in range(kills):
            wait_until(some_time(dice))
            served.kill()
            served.start()
            done = clients.done()
            wait_until(lambda done=done: clients.done() > done)  # type: ignore[misc]
    nothing_lost_nothing_twice(world, clients, before)
    report(
        "`registry serve` killed (SIGKILL) while 4 clients write",
        f"{kills} kills, {clients.done()} requests acknowledged, of them {len(clients.acts)} filings made or approved; "
        "0 lost, 0 done twice",
    )


@pytest.mark.parametrize("kills", [1, pytest.param(10, marks=pytest.mark.soak)])
def test_what_was_acknowledged_survives_the_kill_of_postgresql_and_the_server_comes_back_alone(
    world: World, served: Served, cluster: Cluster, kills: int, report: Report
) -> None:
    clients, dice, away = Clients(world, prepared(world, kills)), random.Random(SEED), []  # noqa: S311
    before, process = last_event(world), served.process
    with clients.at_work(served):
        for _ in range(kills):
            wait_until(some_time(dice))
            os.kill(int((cluster.data / "postmaster.pid").read_text().split("\n")[0]), signal.SIGKILL)
            killed, done = time.monotonic(), clients.done()
            cluster.start()
            # More than the answers that were on their way: each client has been heard again.
            wait_until(lambda done=done: clients.done() > done + CLIENTS, seconds=60)  # type: ignore[misc]
            away.append(time.monotonic() - killed)
    assert served.process is process
    assert process is not None
    assert process.is_alive(), "the server must outlive its database"
    nothing_lost_nothing_twice(world, clients, before)
    report(
        "the whole PostgreSQL killed (SIGKILL of the postmaster) while 4 clients write",
        f"{kills} kills, {clients.done()} requests acknowledged; 0 lost, 0 done twice; "
        f"served again {max(away):.1f} s after the kill at the latest",
    )


def test_connections_cut_while_they_rest_cost_nobody_an_answer(world: World) -> None:
    filer, verifier = world.account("filer", world.internet["登记号"]), world.account("verifier", AUTHORITY)
    person = world.register[-1]
    asked = {"practising_code": person["执业证书编码"], "institution": person["主要执业机构登记号"]}
    cut = sa.text("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'registry_app'")
    for _ in range(2):  # the second time every connection has been used
        status, filing = filer.post("/filings", world.body(person, world.internet["登记号"]))
        assert status == 201
        assert filer.get(f"/filings/{filing['id']}")[0] == 200
        assert filer.does(filing, "withdraw")["state"] == "WITHDRAWN"
        assert verifier.get("/verify", **asked)[0] == 200
        with world.database.owner_engine.connect() as owner:
            assert owner.execute(cut).all()
    assert verifier.get("/verify", **asked)[0] == 200

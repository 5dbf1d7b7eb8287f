"""What the clock does by itself is done once, however often and by however many it is tried."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa

from registry.filings.due import act_on_due
from registry.node import Node
from registry.settings import Settings
from registry.time import clock_at
from registry.transaction import Database
from tests.faults.sabotage import Sabotage
from tests.faults.serving import FORKS, wait_until
from tests.stories import filed, submitted
from tests.world import World

Waiting = dict[str, str]  # filing → the state that the clock will bring it to


@pytest.fixture
def waiting(world: World) -> Waiting:
    """Three that the authority does not answer, and three that their physician does not, one of them disputed."""
    filer = world.account("filer", world.internet["登记号"])
    unanswered = [submitted(world, filer, world.physician("海南省"))[0] for _ in range(3)]
    silent: list[dict[str, Any]] = []
    for _ in range(3):
        person = world.physician("海南省")
        silent.append(filer.does(filed(world, filer, person), "propose"))
    doctor = world.account("physician", person["主要执业机构登记号"], person)
    doctor.does(silent[-1], "dispute")
    world.later(days=31)
    return {f["id"]: "REVIEW" for f in unanswered} | {f["id"]: "WITHDRAWN" for f in silent}


def node(world: World) -> Node:
    return Node(world.app.state.settings, world.database, world.clock)


def acts_of_the_clock(world: World, waiting: Waiting) -> Counter[str]:
    query = sa.text("select subject_id::text from audit_event where actor = 'system' and subject_type = 'filing'")
    with world.database.engine.connect() as connection:
        return Counter(id_ for id_ in connection.execute(query).scalars() if id_ in waiting)


def states(world: World, waiting: Waiting) -> Waiting:
    query = sa.text("select id::text, state from filing where id = any(:ids)")
    with world.database.engine.connect() as connection:
        return {id_: state for id_, state in connection.execute(query, {"ids": list(waiting)})}  # noqa: C416  rows


def test_two_workers_at_once_and_one_after_them_act_once(world: World, waiting: Waiting) -> None:
    with ThreadPoolExecutor(2) as threads:
        done = sum(threads.map(act_on_due, [node(world)] * 2))
    assert done >= len(waiting)
    assert act_on_due(node(world)) == 0
    assert states(world, waiting) == waiting
    assert acts_of_the_clock(world, waiting) == dict.fromkeys(waiting, 1)


def work(settings: Settings, owner_url: str, app_url: str, now: datetime) -> None:
    act_on_due(Node(settings, Database(owner_url, app_url), clock_at(now)))


def test_a_worker_killed_between_and_within_acts_leaves_the_rest_to_the_next(
    world: World, waiting: Waiting, sabotage: Sabotage
) -> None:
    arguments = (world.app.state.settings, world.database.owner_url, world.database.app_url, world.now)
    with sabotage.halting("audit_event", after=2) as door:
        worker = FORKS.Process(target=work, args=arguments, name="a worker")
        worker.start()
        wait_until(sabotage.waiting)  # two are done, the third is half done
        worker.kill()
        worker.join(30)
        done = acts_of_the_clock(world, waiting)
        door.rollback()
    assert sum(done.values()) <= 2
    act_on_due(node(world))
    assert states(world, waiting) == waiting
    assert acts_of_the_clock(world, waiting) == dict.fromkeys(waiting, 1)

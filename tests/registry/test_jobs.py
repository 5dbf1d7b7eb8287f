from __future__ import annotations

import asyncio
import re

import psycopg
import pytest

from registry import migrate
from registry.jobs.periodic import JOBS, Job
from registry.jobs.queue import make_queue, work
from registry.node import Node
from registry.settings import Settings
from registry.time import system_clock
from registry.transaction import Database


@pytest.fixture
def node(empty_database: Database, settings: Settings) -> Node:
    migrate.prepare(empty_database, system_clock(), demo=True)
    return Node(settings, empty_database, system_clock)


def states(node: Node) -> dict[str, str]:
    with psycopg.connect(node.database.owner_url) as connection:
        return dict(connection.execute("select task_name, status::text from procrastinate_jobs").fetchall())


def test_jobs_are_named_by_noun_and_act_and_once() -> None:
    names = [job.name for job in JOBS]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z_]+\.[a-z_]+", name) for name in names)


def test_every_job_of_the_clock_bears_repetition(node: Node) -> None:
    for job in (*JOBS, *JOBS):
        job.run(node)


def test_the_worker_runs_what_the_clock_brings(node: Node) -> None:
    done: list[Node] = []
    queue = make_queue(node, [Job("test.mark", "* * * * * *", done.append)])

    async def run() -> None:
        async with queue.open_async():
            await queue.tasks["test.mark"].defer_async(timestamp=0)
            await queue.run_worker_async(wait=False, install_signal_handlers=False)

    asyncio.run(run())
    assert done == [node]


def test_a_job_whose_worker_was_killed_is_done_again(node: Node) -> None:
    done: list[Node] = []
    queue = make_queue(node, [Job("test.mark", "0 0 1 1 *", done.append)])
    with psycopg.connect(node.database.owner_url) as connection:
        connection.execute("insert into procrastinate_workers (last_heartbeat) values (now() - interval '1 hour')")
        connection.execute(
            "insert into procrastinate_jobs (queue_name, task_name, args, status, worker_id)"
            """ select 'default', 'test.mark', '{"timestamp": 0}', 'doing', id from procrastinate_workers"""
        )

    async def run() -> None:
        async with queue.open_async():
            await queue.tasks["job.retry_stalled"].defer_async(timestamp=0)
            await queue.run_worker_async(wait=False, install_signal_handlers=False)
            await queue.run_worker_async(wait=False, install_signal_handlers=False)

    asyncio.run(run())
    assert done == [node]
    assert states(node)["test.mark"] == "succeeded"


def test_a_worker_can_be_cancelled_at_once(node: Node) -> None:
    async def run() -> None:
        worker = asyncio.create_task(work(node, name="test", signals=False))
        await asyncio.sleep(0)
        worker.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(worker, 20)

    asyncio.run(run())

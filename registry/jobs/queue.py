"""The queue in PostgreSQL and the worker that empties it (docs/adr/0007).

A job is a row, added in the transaction of what it follows from, so neither is there without the other. A worker that is
killed leaves its job running in name only; the heartbeat tells, and the job is done again by another.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Sequence

import procrastinate
from procrastinate.exceptions import ConnectorException

from registry.jobs.periodic import JOBS, Job
from registry.node import Node
from registry.transaction import app_options

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 5.0
STALLED_SECONDS = 30.0
RECONNECT_SECONDS = 2.0


def make_queue(node: Node, jobs: Sequence[Job] = JOBS) -> procrastinate.App:
    """The queue with every kind of job it knows, on connections of the application's role."""
    url = node.database.app_url
    connector = procrastinate.PsycopgConnector(
        conninfo=url,
        min_size=1,
        max_size=4,
        kwargs={"options": app_options(url), "connect_timeout": 5, "application_name": "registry-worker"},
    )
    queue = procrastinate.App(connector=connector)
    for job in jobs:
        _register(queue, node, job)

    @queue.periodic(cron="* * * * *")
    @queue.task(name="job.retry_stalled", queueing_lock="job.retry_stalled")
    async def retry_stalled(timestamp: int) -> None:  # noqa: ARG001  the queue gives it
        for stalled in await queue.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
            await queue.job_manager.retry_job(stalled)

    return queue


def _register(queue: procrastinate.App, node: Node, job: Job) -> None:
    # The lock: a slow run is not overtaken by the next; the queueing lock: nor do runs pile up while no worker is there.
    @queue.periodic(cron=job.cron, periodic_id=job.name)
    @queue.task(name=job.name, lock=job.name, queueing_lock=job.name)
    def run(timestamp: int) -> None:  # noqa: ARG001  the queue gives it
        job.run(node)


async def work(node: Node, *, name: str, signals: bool = True, concurrency: int = 1) -> None:
    """Run jobs until cancelled, or with `signals` until SIGTERM or SIGINT; the job in hand is finished first.

    A database that is away is waited for.
    """
    asked_to_stop = _cancelled_by_signals() if signals else asyncio.Event()
    log.info("the worker is running")
    try:
        while True:
            try:
                return await _work(make_queue(node), name, concurrency)
            except ConnectorException:
                log.warning("the database is away; trying again in %.0f s", RECONNECT_SECONDS)
                await asyncio.sleep(RECONNECT_SECONDS)
    except asyncio.CancelledError:
        if not asked_to_stop.is_set():
            raise


async def _work(queue: procrastinate.App, name: str, concurrency: int) -> None:
    # A pool that is cancelled while it opens never ends: it opens, and is closed then.
    opening = asyncio.ensure_future(_open(queue))
    try:
        await asyncio.shield(opening)
        await queue.run_worker_async(
            name=name,
            concurrency=concurrency,
            install_signal_handlers=False,
            update_heartbeat_interval=HEARTBEAT_SECONDS,
            stalled_worker_timeout=STALLED_SECONDS,
            delete_jobs="successful",
        )
    finally:
        await asyncio.wait({opening})
        if opening.exception() is None:
            await queue.close_async()


async def _open(queue: procrastinate.App) -> None:
    await queue.open_async()


def _cancelled_by_signals() -> asyncio.Event:
    """Let the first SIGTERM or SIGINT cancel this task, also while no queue is open; the event tells afterwards."""
    task, loop, asked = asyncio.current_task(), asyncio.get_running_loop(), asyncio.Event()

    def stop() -> None:
        if task is not None and not asked.is_set():
            asked.set()
            task.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows
            loop.add_signal_handler(number, stop)
    return asked

"""Doing together what many ask for at once: one round trip, one statement and one commit for all who wait."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, Generic, TypeVar

import psycopg

from registry.errors import Unavailable
from workflows.text import Text

QUEUE = 2_000  # waiting; beyond it the database is gone or hopelessly late
BATCH = 200  # done together
PATIENCE = 4.0  # seconds a batch may take, connecting included

Item = TypeVar("Item")
Result = TypeVar("Result")


class Group(Generic[Item, Result]):
    """One task that takes all who wait, does their work at once, and tells each their result.

    While one batch is under way the next gathers, so batches grow with the load and a single asker waits for nobody.
    """

    def __init__(self, work: Callable[[list[Item]], Awaitable[Sequence[Result]]], name: str, gone: Text) -> None:
        self._work, self._name, self._gone = work, name, gone
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._some = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        self._task = asyncio.create_task(self._run(), name=self._name)

    async def close(self) -> None:
        """Whoever still waits is told that it was not done."""
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        self._fail(list(self._waiting))
        self._waiting.clear()

    def ask(self, item: Item) -> asyncio.Future[Result]:
        """The result to come; `Unavailable` now when the queue is full, or later when the batch failed."""
        if len(self._waiting) >= QUEUE or self._task is None or self._task.done():
            raise Unavailable(self._gone)
        told: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, told))
        self._some.set()
        return told

    async def _run(self) -> None:
        while True:
            await self._some.wait()
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            if not self._waiting:
                self._some.clear()
            try:
                async with asyncio.timeout(PATIENCE):
                    results = await self._work([item for item, _ in batch])
            except (psycopg.Error, OSError, TimeoutError):
                self._fail(batch)
            except asyncio.CancelledError:
                self._fail(batch)
                raise
            else:
                for (_, told), result in zip(batch, results, strict=True):
                    if not told.done():  # else the asker went away
                        told.set_result(result)

    def _fail(self, batch: list[tuple[Item, asyncio.Future[Result]]]) -> None:
        for _, told in batch:
            if not told.done():
                told.set_exception(Unavailable(self._gone))


class Line:
    """One connection in autocommit, made when it is first needed and again after it was lost."""

    def __init__(self, url: str, options: str, name: str) -> None:
        self._url, self._options, self._name = url, options, name
        self._connection: psycopg.AsyncConnection[Any] | None = None

    async def execute(self, statement: str, parameters: Sequence[Any]) -> psycopg.AsyncCursor[Any]:
        """One prepared statement with `$1` parameters, in a transaction of its own. After any error the line is new.

        A line that was cut while it rested costs no answer: the statement is tried again on a new one, once. So it may
        have been done already, and must bear that.
        """
        rested = self._connection is not None
        if self._connection is None:
            self._connection = await psycopg.AsyncConnection.connect(
                self._url,
                autocommit=True,
                options=self._options,
                application_name=self._name,
                cursor_factory=psycopg.AsyncRawCursor,
                connect_timeout=2,
            )
        try:
            return await self._connection.execute(statement, parameters, prepare=True)
        except BaseException as error:  # a cancelled statement too leaves the line in a state nobody knows
            cut = isinstance(error, psycopg.OperationalError) and self._connection.broken
            await self.close()
            if not (rested and cut):
                raise
        return await self.execute(statement, parameters)

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg.Error, OSError):
                await connection.close()

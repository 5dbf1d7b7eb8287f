"""Who asked about whom, and why: one record for each answer, durable before the answer leaves, by group commit."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from contextlib import suppress
from datetime import date, datetime
from typing import Any, NamedTuple

import psycopg

from registry.errors import Unavailable
from workflows.text import Text

QUEUE = 2_000  # records waiting; beyond it the database is gone or hopelessly late
BATCH = 500  # records in one transaction
PATIENCE = 3.0  # seconds a batch may take, connecting included

_GONE = Text(
    "查验记录暂时无法保存，因此不能答复，请稍后重试。",
    "The access record cannot be kept just now, so no answer is given; try again.",
)

_INSERT = """
insert into access_record (id, at, asked_by, organisation, purpose, physician_id, practising_code, institution, scope,
  valid_on, answer, receipt_jti)
select (r->>0)::uuid, (r->>1)::timestamptz, r->>2, r->>3, r->>4, (r->>5)::uuid, r->>6, r->>7, r->>8, (r->>9)::date,
  r->>10, r->>11
from json_array_elements($1::json) r
"""


class Access(NamedTuple):
    """One verification, as `AccessRecord` keeps it."""

    id: str
    at: datetime
    asked_by: str
    organisation: str | None
    purpose: str
    physician_id: str | None
    practising_code: str
    institution: str | None
    scope: str | None
    valid_on: date
    answer: str
    receipt_jti: str


class AccessLog:
    """Writes records in batches, one transaction each, on a connection of its own.

    While one batch is being committed the next gathers, so the cost of a commit is shared by all who wait for it.
    """

    def __init__(self, url: str, options: str) -> None:
        self._url, self._options = url, options
        self._waiting: deque[tuple[Access, asyncio.Future[None]]] = deque()
        self._some = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._connection: psycopg.AsyncConnection[Any] | None = None

    async def open(self) -> None:
        self._task = asyncio.create_task(self._run(), name="access records")

    async def close(self) -> None:
        """Whoever still waits is told that the record was not kept."""
        if self._task:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        _tell(list(self._waiting), lost=True)
        self._waiting.clear()
        await self._drop()

    def keep(self, record: Access) -> asyncio.Future[None]:
        """Done once the record is committed; fails with `Unavailable` when it is not. The answer waits for it."""
        if len(self._waiting) >= QUEUE or self._task is None or self._task.done():
            raise Unavailable(_GONE)
        kept = asyncio.get_running_loop().create_future()
        self._waiting.append((record, kept))
        self._some.set()
        return kept

    async def _run(self) -> None:
        while True:
            await self._some.wait()
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            if not self._waiting:
                self._some.clear()
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._write([record for record, _ in batch])
            except (psycopg.Error, OSError, TimeoutError):
                # Not known to be committed counts as not kept: a record too many is harmless, an answer without one is not.
                _tell(batch, lost=True)
                await self._drop()
            except asyncio.CancelledError:
                _tell(batch, lost=True)
                raise
            else:
                _tell(batch, lost=False)

    async def _write(self, records: list[Access]) -> None:
        connection = self._connection
        if connection is None or connection.closed:
            connection = self._connection = await psycopg.AsyncConnection.connect(
                self._url,
                autocommit=True,  # one statement, one transaction
                options=self._options,
                cursor_factory=psycopg.AsyncRawCursor,
                application_name="registry-access",
                connect_timeout=2,
            )
        await connection.execute(_INSERT, (json.dumps(records, default=str),), prepare=True)

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg.Error, OSError):
                await connection.close()


def _tell(batch: list[tuple[Access, asyncio.Future[None]]], *, lost: bool) -> None:
    for _, kept in batch:
        if kept.done():  # the asker went away
            continue
        if lost:
            kept.set_exception(Unavailable(_GONE))
        else:
            kept.set_result(None)

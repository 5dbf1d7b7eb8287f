"""Room for as many requests as there are connections.

A request that waits for a connection inside a thread keeps the thread from those that have one: with more requests than
threads all would stand still until the pool's timeout. So they wait here, in no thread, and not for long.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from registry.errors import Unavailable
from workflows.text import Text

PATIENCE = 3.0  # seconds
_FULL = Text("系统繁忙，请稍后重试。", "The service is busy; try again shortly.")


class Room:
    """Places for requests of one process that has so many `connections`. Some are left to sign-ins and probes."""

    def __init__(self, connections: int) -> None:
        self._places = asyncio.Semaphore(max(1, connections - max(1, connections // 5)))

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A place, in order of arrival. Raises `Unavailable` when none is free in time."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self._places.acquire()
        except TimeoutError:
            raise Unavailable(_FULL) from None
        try:
            yield
        finally:
            self._places.release()

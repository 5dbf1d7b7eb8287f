"""A wire between the application and PostgreSQL that can be cut at a chosen word."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum

from sqlalchemy.engine import make_url

COMMIT = b"Q\x00\x00\x00\x0bCOMMIT\x00"  # a query message: type, length, words


class Cut(Enum):
    """Where the wire breaks."""

    BEFORE = "before the server hears COMMIT"
    AFTER = "after the server has done it, before its answer arrives"


@dataclass
class Wire:
    """Forwards 127.0.0.1:`port` to the server of `url`. Each `cut` breaks one connection, at its next COMMIT."""

    url: str  # of the real server, by socket folder or by host
    port: int = 0
    cuts: list[Cut] = field(default_factory=list)
    _loop: asyncio.AbstractEventLoop | None = None

    def address(self) -> str:
        """The same database over this wire. Without TLS, so that COMMIT can be read."""
        there = make_url(self.url).set(
            host="127.0.0.1", port=self.port, query={"sslmode": "disable", "gssencmode": "disable"}
        )
        return there.render_as_string(hide_password=False)

    @contextmanager
    def open(self) -> Iterator[Wire]:
        ready: Future[None] = Future()
        thread = threading.Thread(target=lambda: asyncio.run(self._serve(ready)), name="wire", daemon=True)
        thread.start()
        ready.result(10)
        try:
            yield self
        finally:
            assert self._loop
            self._loop.call_soon_threadsafe(self._end.set)
            thread.join(10)

    async def _serve(self, ready: Future[None]) -> None:
        self._loop, self._end, self._lines = asyncio.get_running_loop(), asyncio.Event(), set[asyncio.Task[None]]()
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        ready.set_result(None)
        await self._end.wait()
        server.close()
        for line in self._lines:
            line.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)
        await asyncio.sleep(0)  # for the last transports to close

    async def _connected(self, near: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        line = asyncio.current_task()
        assert line
        self._lines.add(line)
        far, far_out = await self._dial()
        back = asyncio.create_task(_pump(far, near_out))
        with suppress(ConnectionError, asyncio.CancelledError):
            while words := await near.read(65_536):
                if COMMIT in words and self.cuts:
                    cut = self.cuts.pop()
                    back.cancel()
                    await asyncio.wait([back])
                    if cut is Cut.AFTER:
                        far_out.write(words)
                        await far.read(65_536)  # heard, and kept to ourselves
                    break
                far_out.write(words)
                await far_out.drain()
        back.cancel()
        near_out.transport.abort()
        far_out.transport.abort()
        self._lines.discard(line)

    async def _dial(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        there = make_url(self.url)
        host, port = there.query.get("host", there.host or "127.0.0.1"), there.query.get("port", there.port or 5432)
        assert isinstance(host, str)
        if host.startswith("/"):
            return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        return await asyncio.open_connection(host, int(str(port)))


async def _pump(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while words := await source.read(65_536):
            to.write(words)
            await to.drain()
    to.transport.abort()

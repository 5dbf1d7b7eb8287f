"""The least a verification can cost: the same SELECT, prepared, by asyncpg, on a bare ASGI app. No token, no receipt, no record."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import asyncpg

HEADERS = [(b"content-type", b"application/json")]

_pool: Any = None


async def app(
    scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
) -> None:
    global _pool  # noqa: PLW0603  (a bare app has no other place)
    if scope["type"] == "lifespan":
        await receive()
        _pool = await asyncpg.create_pool(
            os.environ["FLOOR_URL"],
            min_size=4,
            max_size=4,
            server_settings={"plan_cache_mode": "force_generic_plan", "jit": "off"},
        )
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await _pool.close()
        await send({"type": "lifespan.shutdown.complete"})
        return
    code = scope["query_string"].partition(b"practising_code=")[2][:15].decode()
    row = await _pool.fetchrow(
        os.environ["FLOOR_SQL"],
        datetime.now(UTC),
        "460000",
        code,
        os.environ["FLOOR_SUBJECT"],
        "no such token",
    )
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": row[5].encode()})

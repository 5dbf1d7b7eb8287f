"""The web application: one service, its doors, and what it holds for its lifetime."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from registry import problems
from registry.api import directory, filings, health, log, repairs, rosters, tokens
from registry.api.body import MAX_BODY
from registry.api.openapi import described
from registry.api.room import Room
from registry.keys import Sealing, open_keys
from registry.node import Node, open_node
from registry.verification import routes as verification


def create_app(node: Node | None = None) -> FastAPI:
    """The application; without a node that of this process's settings."""
    node = node or open_node()
    settings, database, clock = node.settings, node.database, node.clock
    settings.ensure_fit_to_serve()
    keys = open_keys(settings, clock())

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await verification.open(app)
        yield
        await verification.close(app)
        database.dispose()

    app = Service(
        title="Physician practice registry",
        version="0.1.0",
        lifespan=lifespan,
        docs_url=None,  # they load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,  # it would send callers to whatever Host they named
        max_body_size=MAX_BODY,
    )
    app.state.settings = settings
    app.state.database = database
    app.state.keys = keys
    app.state.clock = clock
    app.state.seal = Sealing(keys)
    app.state.room = Room(database.connections)
    problems.install(app)
    # Verification first: routes are tried in order, and the hot path must not pay for its neighbours.
    for router in (verification.router, tokens.router, health.router, directory.router, filings.router, rosters.router):
        app.include_router(router)
    app.include_router(repairs.router)
    app.include_router(log.public)
    app.include_router(log.router)
    return app


class Service(FastAPI):
    """FastAPI with our answers around everything, its own refusal of a body too large included."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = described(self.title, self.version, list(self.routes))
        return self.openapi_schema

    def build_middleware_stack(self) -> ASGIApp:
        return PlainAnswers(problems.TooLargeAsProblem(super().build_middleware_stack()))


class PlainAnswers:
    """Headers that every answer carries: nothing is cached unless it says so, nothing is sniffed or framed."""

    HEADERS = (
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"DENY"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    )

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: dict[str, object]) -> None:
            if message["type"] == "http.response.start":
                headers = list(message["headers"])  # type: ignore[call-overload]
                headers += self.HEADERS
                if not any(name == b"cache-control" for name, _ in headers):
                    headers.append((b"cache-control", b"no-store"))
                message["headers"] = headers
            await send(message)

        await self.app(scope, receive, with_headers)  # type: ignore[arg-type]

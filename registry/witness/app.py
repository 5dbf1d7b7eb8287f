"""The witness as a small service of its own: `POST /add-checkpoint`, and whether it is there."""

from __future__ import annotations

from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from registry.time import Clock
from registry.transaction import Database, transaction
from registry.witness.witnessing import Reply, Witness

MOST_BYTES = 16_384  # a proof of 63 hashes is 2,835


def create_app(database: Database, witness: Witness, clock: Clock) -> Starlette:
    """The application; it is open to everybody, as only what a watched log has signed has any effect."""

    def decide(body: bytes) -> Reply:
        with transaction(database) as session:
            return witness.add_checkpoint(session, body, clock())

    async def add_checkpoint(request: Request) -> Response:
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > MOST_BYTES:
                return PlainTextResponse("too large\n", 413)
        try:
            reply = await run_in_threadpool(decide, body)
        except SQLAlchemyError:
            return PlainTextResponse("try again\n", 503, {"Retry-After": "5"})
        return Response(reply.body, reply.status, media_type=reply.type)

    async def healthy(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    return Starlette(
        routes=[Route("/add-checkpoint", add_checkpoint, methods=["POST"]), Route("/healthz", healthy, methods=["GET"])]
    )

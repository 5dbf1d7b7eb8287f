"""The published log as everybody may read it (c2sp.org/tlog-tiles), and its events as an auditor sees them."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import AwareDatetime

from registry.api.context import Here, Limit
from registry.api.door import Door
from registry.errors import NotFound
from registry.log import proofs, reading
from registry.log.checkpoint import Checkpoint
from registry.log.merkle import HASH
from registry.log.note import Note, verifier_key
from registry.log.sequencer import last_published
from registry.log.tiles import WIDTH, Place, parse_path, read_bundle, read_tiles
from registry.transaction import transaction


async def room(request: Request) -> AsyncIterator[None]:
    async with request.app.state.room.place():
        yield


public = APIRouter(prefix="/log", tags=["log"], dependencies=[Depends(room, scope="function")])
router = APIRouter(prefix="/api/v1/audit", route_class=Door, tags=["audit"])

TEXT = "text/plain; charset=utf-8"
_MOVES = {"Cache-Control": "no-cache"}
_STAYS = {"Cache-Control": "public, max-age=31536000, immutable"}


@public.get("/checkpoint")
def checkpoint(request: Request) -> Response:
    """The last published checkpoint, a signed note."""
    with transaction(request.app.state.database) as session:
        note = _published(last_published(session.connection()))
    return Response(str(note), media_type=TEXT, headers=_MOVES)


@public.get("/key")
def key(request: Request) -> Response:
    """The verifier key. Compare it with the one that was handed to you: this one only tells what to compare."""
    state = request.app.state
    return Response(f"{verifier_key(state.settings.origin, state.keys.log_key())}\n", media_type=TEXT, headers=_MOVES)


@public.get("/tile/{tile:path}")
def tile(request: Request, tile: str) -> Response:
    """Hashes of a level, or entries, full or partial, as far as they are published."""
    try:
        level, n, width = parse_path(tile)
    except ValueError:
        raise NotFound from None
    with transaction(request.app.state.database) as session:
        connection = session.connection()
        size = Checkpoint.of(_published(last_published(connection))).size
        place = Place(level if isinstance(level, int) else 0, n)
        if width > place.width(size):
            raise NotFound
        if isinstance(level, int):
            content = read_tiles(connection, [place])[place][: width * HASH]
        else:
            content = read_bundle(connection, n, width)
    headers = _STAYS if width == WIDTH else _MOVES
    return Response(content, media_type="application/octet-stream", headers=headers)


@router.get("/events")
def events(
    here: Here,
    by: Annotated[str | None, Query(max_length=64)] = None,
    kind: Annotated[str | None, Query(alias="type", max_length=64)] = None,
    subject: uuid.UUID | None = None,
    organisation: Annotated[str | None, Query(max_length=22)] = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    cursor: Annotated[int | None, Query(ge=0, le=2**63 - 1)] = None,
    limit: Limit = 50,
) -> dict[str, Any]:
    """Every event, newest first: by whom, of which type (`filing.approve`, or `filing.` for all of a kind), on what, when."""
    rows = reading.page(
        here.session,
        reading.Filter(by, kind, subject, organisation, since, until),
        limit=limit + 1,
        before=cursor,
    )
    items = [reading.listed(*row) for row in rows[:limit]]
    return {"items": items, "next": str(rows[limit - 1][0].seq) if len(rows) > limit else None}


@router.get("/events/{seq}/proof")
def proof(here: Here, seq: int) -> Response:
    """A .tlog-proof of this event, which anybody can check offline: registry log check-proof FILE --vkey VKEY."""
    (found,) = proofs.prove(here.session, [seq])
    name = {"Content-Disposition": f'attachment; filename="event-{seq}.tlog-proof"'}
    return Response(str(found), media_type=TEXT, headers=name)


def _published(note: Note | None) -> Note:
    if note is None:
        raise NotFound
    return note

"""A denied knock leaves an event (invariant I10), in a transaction of its own: the request itself changes nothing."""

from __future__ import annotations

import uuid

from starlette.requests import Request

from auth.actor import Actor
from registry.errors import Forbidden
from registry.log.events import record
from registry.transaction import transaction
from workflows.text import Text

_DENIED = Text("您的角色不能使用此功能。", "Your role can never do this.")


def deny(request: Request, actor: Actor, door: str) -> Forbidden:
    """Records the denial and gives the error to raise."""
    record_denial(request, actor, door)
    return Forbidden(_DENIED)


def record_denial(request: Request, actor: Actor, door: str) -> None:
    with transaction(request.app.state.database) as session:
        record(
            session,
            actor,
            "access.denied",
            (str(actor.kind), uuid.UUID(actor.id)),
            1,
            {"door": door},
            now=request.app.state.clock(),
        )

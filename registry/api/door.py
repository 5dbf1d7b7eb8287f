"""What every API route does before its own code: who is it, may they knock here, and is the question well formed.

All of it before the first byte of the body is read: an anonymous caller costs a header.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from auth.actor import Actor
from registry import errors
from registry.api.access import ACCESS
from registry.api.authentication import authenticate
from registry.api.body import MAX_BODY, StrictRequest
from registry.api.denials import deny, record_denial
from registry.errors import FieldError, Invalid, NotFound, TooLarge
from registry.verification.question import has_control, is_identity_number
from workflows.machine import Forbidden
from workflows.text import Text

_CHARACTERS = Text("含有不允许的字符，请重新输入。", "It holds characters that are not allowed; type it again.")
_ID_IN_URL = Text(
    "网址中不得出现证件号码；查找医师请用执业证书编码或 POST /physicians/search。",
    "No identity number in an address; look for physicians by practising code or with POST /physicians/search.",
)
_TOO_LARGE = Text("请求内容过大。", "The request is too large.")


class Door(APIRoute):
    """Route class of the API: authenticates, asks `ACCESS`, refuses unknown and repeated query parameters, reads strict JSON."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        inner = super().get_route_handler()
        known = _query_names(self.dependant)
        limit = MAX_BODY if self.max_body_size is None else self.max_body_size
        doors = {method: f"{method} {self.path_format}" for method in self.methods or ()}

        async def handle(request: Request) -> Response:
            door, room = doors[request.method], request.app.state.room
            async with room.place():
                actor = request.state.actor = await run_in_threadpool(_admit, request, door)
            _check_path(request)
            _check_query(request, known)
            _check_length(request, limit)
            try:
                return await inner(StrictRequest(request.scope, request.receive))
            except (Forbidden, errors.Forbidden):  # let in, and still never theirs to do
                async with room.place():
                    await run_in_threadpool(record_denial, request, actor, door)
                raise

        return handle


def _query_names(dependant: Dependant) -> frozenset[str]:
    """The query parameters that the route takes, those of its dependencies (`cursor`) too."""
    own = frozenset(parameter.alias for parameter in dependant.query_params)
    return own.union(*map(_query_names, dependant.dependencies))


def _admit(request: Request, door: str) -> Actor:
    actor = authenticate(request, request.headers.get("authorization"))
    if not ACCESS[door].admits(actor):
        raise deny(request, actor, door)
    return actor


def _check_path(request: Request) -> None:
    """What no stored value can hold is not there; the database would rather fail than say so."""
    if any(has_control(str(value)) for value in request.path_params.values()):
        raise NotFound


def _check_query(request: Request, known: frozenset[str]) -> None:
    faults = []
    for name in dict.fromkeys(request.query_params.keys()):
        if name not in known:
            faults.append(
                FieldError(
                    name[:60],
                    "unknown",
                    Text("没有这个查询参数，请删除。", "There is no such query parameter; remove it."),
                )
            )
        elif len(request.query_params.getlist(name)) > 1:
            faults.append(
                FieldError(name, "repeated", Text("查询参数只能出现一次。", "Give the query parameter once."))
            )
        elif has_control(request.query_params[name]):
            faults.append(FieldError(name, "characters", _CHARACTERS))
        elif is_identity_number(request.query_params[name]):
            faults.append(FieldError(name, "identity_number", _ID_IN_URL))
    if faults:
        raise Invalid(errors=tuple(faults))


def _check_length(request: Request, limit: int) -> None:
    length = request.headers.get("content-length", "0")
    if not length.isascii() or not length.isdigit() or int(length) > limit:
        raise TooLarge(_TOO_LARGE)

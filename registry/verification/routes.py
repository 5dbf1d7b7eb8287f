"""`GET` and `POST /api/v1/verify`: may this physician practise here, on this day. Async, unlike the other doors: the hot read path."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final
from urllib.parse import parse_qsl

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from auth.actor import Actor
from auth.errors import InvalidToken
from registry.api.access import ACCESS
from registry.api.body import strict_json
from registry.api.denials import deny
from registry.errors import FieldError, Invalid, TooLarge, Unauthenticated
from registry.verification.desk import Desk
from registry.verification.openapi import BODY, PARAMETERS, RESPONSES
from registry.verification.question import FIELDS, ask, is_identity_number
from workflows.text import Text

MAX_BODY = 4_096
PURPOSE_LONGEST = 200
UNSTATED = "unstated"

_PATH: Final = "/api/v1/verify"
_ENDED = InvalidToken()

_QUERY = Text(
    "网址的查询部分无法解析，请按 UTF-8 百分号编码。", "The query cannot be read; percent-encode it as UTF-8."
)
_TWICE = Text("查询参数只能出现一次。", "Give the query parameter once.")
_JSON = Text(
    "请以 Content-Type: application/json 提交 JSON 对象。", "Send a JSON object with Content-Type: application/json."
)
_IN_BODY = Text("请把各项放在请求体中，不要放在网址里。", "Put the fields in the body, not in the address.")
_LARGE = Text("请求内容过大，最多 4096 字节。", "The request is too large: at most 4096 bytes.")
_PURPOSE = Text(
    "查验目的最多 200 个字符，UTF-8，不得含控制字符或身份证件号码。",
    "The purpose has at most 200 characters of UTF-8, no control characters and no identity number.",
)


class Direct(APIRoute):
    """The endpoint reads and answers by itself; the framework only describes it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        return self.endpoint


router = APIRouter(tags=["verification"], route_class=Direct)


async def open(app: FastAPI) -> None:  # noqa: A001  (the application opens and closes its parts)
    """Part of the application's start: needs `settings`, `database`, `keys` and `clock` in its state."""
    state = app.state
    desk = Desk(
        state.database,
        state.keys,
        issuer=state.settings.base_url,
        province=state.settings.province,
        clock=state.clock,
    )
    await desk.open()
    state.desk = desk


async def close(app: FastAPI) -> None:
    await app.state.desk.close()


@router.get(_PATH, response_model=None, responses=RESPONSES, openapi_extra={"parameters": PARAMETERS})
async def verify(request: Request) -> Response:
    """Is this physician authorised, as a whole or at an institution, for a scope, on a day, as known at a time."""
    return await _verify(request)


@router.post(_PATH, response_model=None, responses=RESPONSES, openapi_extra={"requestBody": BODY})
async def verify_posted(request: Request) -> Response:
    """The same question in a body: preferred, as names then stay out of addresses."""
    return await _verify(request)


async def _verify(request: Request) -> Response:
    desk: Desk = request.app.state.desk
    now = request.app.state.clock()
    claims = desk.callers.claims(request.headers.get("authorization"), now)
    question, wrong = None, None
    try:
        purpose = stated_purpose(request.headers.get("purpose"))
        question = ask(await _fields(request), desk.codes, now)
    except (Invalid, TooLarge) as error:
        wrong = error  # told to whoever may ask at all
    looked_up = await desk.look_up(claims, question, now)
    if looked_up is None:
        raise Unauthenticated(Text(_ENDED.zh, _ENDED.en))
    actor, found = looked_up
    access = ACCESS[f"{request.method} {_PATH}"]
    if not access.admits(actor):
        raise await run_in_threadpool(deny, request, actor, f"{request.method} {_PATH}")
    if wrong or question is None:
        raise wrong or Invalid()
    body = await desk.answer(actor, _organisation(actor), purpose or actor.purpose or UNSTATED, question, found, now)
    return Response(body, media_type="application/json", headers={"cache-control": "no-store"})


async def _fields(request: Request) -> dict[str, Any]:
    query = _query(request.scope["query_string"])
    if request.method == "GET":
        return query
    if query:
        raise Invalid(errors=(FieldError("query", "unknown_field", _IN_BODY),))
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Invalid(errors=(FieldError("body", "content_type", _JSON),))
    raw = b""
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > MAX_BODY:
            raise TooLarge(_LARGE)
    body = strict_json(raw)
    if not isinstance(body, dict):
        raise Invalid(errors=(FieldError("body", "json_invalid", _JSON),))
    return body


def _query(raw: bytes) -> dict[str, Any]:
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20)
    except ValueError:
        raise Invalid(errors=(FieldError("query", "encoding", _QUERY),)) from None
    names = [name for name, _ in pairs]
    if len(set(names)) < len(names):
        twice = [name for name in FIELDS if names.count(name) > 1] or ["query"]
        raise Invalid(errors=tuple(FieldError(name, "repeated", _TWICE) for name in twice))
    return dict(pairs)


def stated_purpose(header: str | None) -> str | None:
    """What the header says; headers travel as bytes, ours as UTF-8 (a browser's `Purpose: prefetch` is one too)."""
    if header is None or not header.strip():
        return None
    try:
        purpose = header.encode("latin-1").decode("utf-8").strip()
    except UnicodeDecodeError:
        purpose = "\x00"
    if len(purpose) > PURPOSE_LONGEST or not _printable(purpose) or is_identity_number(purpose):
        raise Invalid(errors=(FieldError("Purpose", "purpose", _PURPOSE),))
    return purpose


def _printable(purpose: str) -> bool:
    """No control, and nothing that turns or hides what stands beside it where the physician reads it."""
    return purpose.replace("\u3000", " ").isprintable()


def _organisation(actor: Actor) -> str | None:
    """For whom they ask: where they hold a role that may; the first, of several."""
    return min(actor.organisations(*ACCESS[f"GET {_PATH}"].roles), default=None)

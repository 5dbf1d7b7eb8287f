"""One place where an error becomes an HTTP answer (RFC 9457). The domain says what; the edge says which status."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from psycopg import errors as pg_errors
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from registry import errors
from registry.errors import DomainError, FieldError
from registry.language import Language, language
from workflows.filing import Act
from workflows.machine import Forbidden, Refused
from workflows.text import Text

log = logging.getLogger("registry")

STATUS: Mapping[type[DomainError], int] = {
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Stale: 409,
    errors.Refusal: 409,
    errors.Conflict: 409,
    errors.TooLarge: 413,
    errors.Invalid: 422,
    errors.TooMany: 429,
    errors.Unavailable: 503,
}

# Plain HTTP errors that the framework raises before any of our code runs.
_HTTP_TEXT: Mapping[int, Text] = {
    400: Text("请求无法解析。", "The request could not be read."),
    404: Text("没有这个地址。", "There is nothing at this address."),
    405: Text("这个地址不支持该方法。", "This address does not take that method."),
    413: Text("请求内容过大。", "The request is too large."),
}
_HTTP_CODE: Mapping[int, str] = {400: "invalid", 404: "not_found", 405: "method_not_allowed", 413: "too_large"}

_COLLISION = Text(
    "与同时提交的另一项操作冲突，请刷新后重试。", "It collides with another change; read again and repeat."
)
_BUSY = Text("系统繁忙，请稍后重试。", "The service is busy; try again shortly.")
_INTERNAL = Text("系统内部错误，已记录。", "Internal error; it has been recorded.")
_RETRY_AFTER = 2
_ANSWERED = "registry.answered"  # in the scope of a request that TooLargeAsProblem has answered

# Two came at once, and a constraint let one through: the second is told so, whichever check both had passed.
_COLLISIONS = (pg_errors.UniqueViolation, pg_errors.ExclusionViolation)

# The database gave up on our behalf: a lock, a deadlock, a restart. Nothing was done; the caller may repeat.
_PASSING = (
    psycopg.OperationalError,  # locks, deadlocks, serialization, cancelled, shut down, no connection to be had
    pg_errors.IdleInTransactionSessionTimeout,
)


def problem(
    status: int,
    code: str,
    text: Text,
    speak: Language,
    *,
    fields: tuple[FieldError, ...] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An `application/problem+json` answer; `type` points to the documented code."""
    body: dict[str, Any] = {
        "type": f"urn:registry:problem:{code}",
        "title": code.replace("_", " "),
        "status": status,
        "code": code,
        "detail": speak(text),
    }
    if fields:
        body["errors"] = [{"field": e.field, "code": e.code, "message": speak(e.text)} for e in fields]
    return Response(
        json.dumps(body, ensure_ascii=False),
        status,
        {"Cache-Control": "no-store", "Content-Language": speak.tag, **(headers or {})},
        media_type="application/problem+json",
    )


def of_domain(error: DomainError, speak: Language) -> Response:
    headers: dict[str, str] = {}
    if isinstance(error, errors.Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, (errors.TooMany, errors.Unavailable)):
        headers["Retry-After"] = str(error.retry_after)
    status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    return problem(status, error.code, error.text, speak, fields=error.errors, headers=headers)


# What pydantic found, in the reader's words: type prefix → text. The value itself is never repeated.
_FIELD_TEXT: Mapping[str, Text] = {
    "missing": Text("缺少此项，请填写。", "This field is missing; give it."),
    "extra_forbidden": Text("没有这个字段，请删除。", "There is no such field; remove it."),
    "string_too_long": Text("内容过长，最多 {max_length} 个字符。", "Too long: at most {max_length} characters."),
    "string_too_short": Text("内容过短，至少 {min_length} 个字符。", "Too short: at least {min_length} characters."),
    "too_long": Text("项数过多，最多 {max_length} 项。", "Too many items: at most {max_length}."),
    "too_short": Text("至少需要 {min_length} 项。", "At least {min_length} item is needed."),
    "json_invalid": Text("不是有效的 JSON（UTF-8，无重复键）。", "Not valid JSON (UTF-8, no duplicate keys)."),
    "literal_error": Text("取值不在允许范围：{expected}。", "Not an allowed value; expected {expected}."),
    "enum": Text("取值不在允许范围：{expected}。", "Not an allowed value; expected {expected}."),
    "greater_than_equal": Text("不得小于 {ge}。", "Must be at least {ge}."),
    "less_than_equal": Text("不得大于 {le}。", "Must be at most {le}."),
    "union_tag_invalid": Text("取值不在允许范围：{expected_tags}。", "Not an allowed value; expected {expected_tags}."),
    "union_tag_not_found": Text("缺少此项，请填写。", "This field is missing; give it."),
    "uuid": Text("标识格式有误。", "Not a valid identifier."),
    "date": Text("日期应为 YYYY-MM-DD。", "Give a date as YYYY-MM-DD."),
    "datetime": Text(
        "时间应为 RFC 3339，例如 2026-11-21T09:00:00Z。", "Give a time as RFC 3339, such as 2026-11-21T09:00:00Z."
    ),
    "string_type": Text("应为文本。", "Must be text."),
    "int": Text("应为整数。", "Must be a whole number."),
    "bool": Text("应为 true 或 false。", "Must be true or false."),
    "list_type": Text("应为列表。", "Must be a list."),
    "model": Text("应为 JSON 对象。", "Must be a JSON object."),
    "dict_type": Text("应为 JSON 对象。", "Must be a JSON object."),
}
_TAGS = frozenset(map(str, Act))
_FIELD_OTHER = Text("内容有误，请更正。", "Not valid; correct it.")


def field_errors(found: list[Any]) -> tuple[FieldError, ...]:
    """Pydantic's findings as ours; a validator of ours may carry its own text in `ctx`."""
    answer = []
    for item in found:
        kind, context = str(item["type"]), item.get("ctx") or {}
        place = [str(part) for part in item["loc"] if part not in ("body", "query", "path", "header")]
        if place and place[0] in _TAGS:  # which body an act has, as pydantic says it: no field of the caller's
            place = place[1:]
        if kind.startswith("union_tag"):
            place.append(str(context["discriminator"]).strip("'"))
        text = context.get("text") if isinstance(context.get("text"), Text) else None
        if text is None:
            template = next((t for prefix, t in _FIELD_TEXT.items() if kind.startswith(prefix)), _FIELD_OTHER)
            text = template.filled(context)
        code = str(context.get("code", kind))
        answer.append(FieldError(".".join(place) or "body", code, text))
    return tuple(answer)


def install(app: FastAPI) -> None:
    """Map every error that leaves an endpoint."""

    @app.exception_handler(DomainError)
    def domain(request: Request, error: DomainError) -> Response:
        return of_domain(error, language(request.headers.get("accept-language")))

    @app.exception_handler(Refused)
    def refused(request: Request, error: Refused) -> Response:
        speak = language(request.headers.get("accept-language"))
        rules = tuple(FieldError("act", rule, error.told.get(rule, error.refusal.text)) for rule in error.refusal.rules)
        return problem(409, "refused", error.refusal.text, speak, fields=rules)

    @app.exception_handler(Forbidden)
    def forbidden(request: Request, error: Forbidden) -> Response:
        return problem(403, "forbidden", error.text, language(request.headers.get("accept-language")))

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> Response:
        speak = language(request.headers.get("accept-language"))
        return of_domain(errors.Invalid(errors=field_errors(list(error.errors()))), speak)

    @app.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> Response:
        speak = language(request.headers.get("accept-language"))
        text = _HTTP_TEXT.get(error.status_code, _INTERNAL)
        return problem(
            error.status_code, _HTTP_CODE.get(error.status_code, "error"), text, speak, headers=error.headers
        )

    @app.exception_handler(PoolTimeout)
    def no_connection(request: Request, _error: PoolTimeout) -> Response:
        return _busy(request)

    @app.exception_handler(DBAPIError)
    def database(request: Request, error: DBAPIError) -> Response:
        if error.connection_invalidated:
            return _busy(request)
        return _of_database(request, error, error.orig)

    @app.exception_handler(psycopg.Error)
    def driver(request: Request, error: psycopg.Error) -> Response:
        """Set-based writers use the driver's own cursor (registry.bulk), which nothing wraps."""
        return _of_database(request, error, error)

    app.add_middleware(LastResort)


class TooLargeAsProblem:
    """The framework counts the bytes of a body and refuses too many in plain text, from outside every handler of ours."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        replaced = False

        async def watched(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and message["status"] == 413:
                replaced = dict(message["headers"]).get(b"content-type", b"").startswith(b"text/plain")
                if replaced:
                    scope[_ANSWERED] = True
                    speak = language(Request(scope).headers.get("accept-language"))
                    await problem(413, "too_large", _HTTP_TEXT[413], speak)(scope, receive, send)
            if not replaced:
                await send(message)

        await self.app(scope, receive, watched)


class LastResort:
    """Answers what nothing else caught. Starlette's own handler would raise again, and the server would log the values."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except Exception as error:  # noqa: BLE001  this is the last resort
            if scope.get(_ANSWERED):  # how the framework says that it answered: nothing is wrong
                return
            answer = _unexpected(Request(scope), error)
            if not started:  # else the connection just ends: half an answer cannot be mended
                await answer(scope, receive, send)


def _of_database(request: Request, error: Exception, cause: BaseException | None) -> Response:
    if isinstance(cause, _COLLISIONS):
        return problem(409, "conflict", _COLLISION, language(request.headers.get("accept-language")))
    if isinstance(cause, _PASSING):
        return _busy(request)
    return _unexpected(request, error)


def _busy(request: Request) -> Response:
    speak = language(request.headers.get("accept-language"))
    return problem(503, "unavailable", _BUSY, speak, headers={"Retry-After": str(_RETRY_AFTER)})


def _unexpected(request: Request, error: Exception) -> Response:
    # The type and the place, never the message or the values: they may hold personal data.
    place = error.__traceback__
    while place and place.tb_next:
        place = place.tb_next
    where = f"{place.tb_frame.f_code.co_qualname}:{place.tb_lineno}" if place else "?"
    log.error("unexpected %s at %s in %s %s", type(error).__name__, where, request.method, _route(request))
    return problem(500, "internal", _INTERNAL, language(request.headers.get("accept-language")))


def _route(request: Request) -> str:
    """The route's template, not the path: a path may hold a code somebody typed."""
    return str(getattr(request.scope.get("route"), "path", "?"))

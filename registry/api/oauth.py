"""The shapes of OAuth 2: form bodies read strictly, errors as RFC 6749 (5.2) writes them, clients that prove themselves."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import parse_qsl, unquote_plus

from fastapi import Depends, Request, Response
from fastapi.routing import APIRoute

from auth.errors import Throttled
from auth.tables import Client
from registry import sign_in
from registry.api.authentication import realm
from registry.language import language
from workflows.text import Text

MAX_FORM = 64 * 1024
_FIELDS = 32
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}

_FORM = Text(
    "请以 application/x-www-form-urlencoded 提交，每个字段只出现一次，且不放在网址里。",
    "Send application/x-www-form-urlencoded in the body, each field once, and none in the address.",
)
_ONE_PROOF = Text("请只用一种方式证明客户端身份。", "Prove the client in one way only.")
_CLIENT = Text("客户端身份未得到证明。", "The client is not proven.")
_THROTTLED = Text("登录失败次数过多，请稍后重试。", "Too many failed sign-ins; try again later.")


@dataclass
class OAuthError(Exception):
    """`error` is RFC 6749's word, `code` ours."""

    error: str
    text: Text
    status: int = 400
    code: str = "invalid"
    headers: Mapping[str, str] = field(default_factory=dict)


def invalid_request(text: Text = _FORM) -> OAuthError:
    return OAuthError("invalid_request", text)


def invalid_client() -> OAuthError:
    return OAuthError("invalid_client", _CLIENT, 401, "unauthenticated", {"WWW-Authenticate": 'Basic realm="registry"'})


class OAuthRoute(APIRoute):
    """Answers `OAuthError` in OAuth's own form, which wins over problem+json here, with our code beside it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        inner = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await inner(request)
            except OAuthError as error:
                return _answer(request, error)
            except Throttled as throttled:
                headers = {"Retry-After": str(throttled.retry_after)}
                many = OAuthError("temporarily_unavailable", _THROTTLED, 429, "too_many_requests", headers)
                return _answer(request, many)

        return handle


def _answer(request: Request, error: OAuthError) -> Response:
    speak = language(request.headers.get("accept-language"))
    body = {
        "error": error.error,
        "error_description": error.text.en,  # ASCII, as the RFC wants it
        "code": error.code,
        "detail": speak(error.text),
    }
    headers = {**_NO_STORE, "Content-Language": speak.tag, **error.headers}
    return Response(json.dumps(body, ensure_ascii=False), error.status, headers, media_type="application/json")


def token_answer(body: Mapping[str, object]) -> Response:
    return Response(json.dumps(body), headers=_NO_STORE, media_type="application/json")


async def _form(request: Request) -> dict[str, str]:
    """The fields of the body; one without a value counts as absent (RFC 6749, 3.2). Unknown ones are ignored, as it asks."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded" or request.url.query:
        raise invalid_request()
    try:
        pairs = parse_qsl(
            (await request.body()).decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=_FIELDS,
        )
    except ValueError:
        raise invalid_request() from None
    if len(dict(pairs)) != len(pairs):
        raise invalid_request()
    return {name: value for name, value in pairs if value}


Form = Annotated[dict[str, str], Depends(_form)]


def asked(form: Mapping[str, str], name: str) -> str:
    """A field that must be there."""
    if name not in form:
        raise invalid_request(Text(f"缺少字段 {name}。", f"The field {name} is missing."))
    return form[name]


def address_of(request: Request) -> str:
    return request.client.host if request.client else ""


def find_client(request: Request, form: Mapping[str, str]) -> Client | None:
    """The client that proves itself by this request; None when it does not try. Raises `OAuthError`, `Throttled`."""
    state, address = request.app.state, address_of(request)
    header = request.headers.get("authorization")
    ways = [header is not None, "client_secret" in form, "client_assertion" in form or "client_assertion_type" in form]
    if sum(ways) > 1:
        raise invalid_request(_ONE_PROOF)
    if not any(ways):
        return None
    now = state.clock()
    if ways[2]:
        if form.get("client_assertion_type") != _ASSERTION_TYPE:
            raise invalid_client()
        assertion = form.get("client_assertion", "")
        found = sign_in.client_by_assertion(state.database, assertion, address, realm(state.settings), now=now)
    else:
        name, secret = (form.get("client_id", ""), form["client_secret"]) if header is None else _basic(header)
        found = sign_in.client_by_secret(state.database, name, secret, address, now=now)
    if found is None or form.get("client_id", found.name) != found.name:
        raise invalid_client()
    return found


def get_client(request: Request, form: Mapping[str, str]) -> Client:
    """As `find_client`, where a client must prove itself."""
    found = find_client(request, form)
    if found is None:
        raise invalid_client()
    return found


def _basic(header: str) -> tuple[str, str]:
    """Name and secret of HTTP Basic, each form-encoded within (RFC 6749, 2.3.1)."""
    scheme, _, value = header.partition(" ")
    try:
        name, colon, secret = base64.b64decode(value.strip(), validate=True).decode("ascii").partition(":")
    except (binascii.Error, ValueError):
        raise invalid_client() from None
    if scheme.lower() != "basic" or not colon:
        raise invalid_client()
    return unquote_plus(name), unquote_plus(secret)

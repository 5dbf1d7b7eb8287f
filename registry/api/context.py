"""The context of one request: its transaction, its actor, its moment."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import Depends, Header, Query, Request
from fastapi.concurrency import contextmanager_in_threadpool
from pydantic import StringConstraints

from registry.context import Context
from registry.errors import FieldError, Invalid
from registry.language import Language, language
from registry.transaction import transaction
from workflows.text import Text


async def context(request: Request) -> AsyncIterator[Context]:
    """One transaction for one request. Scope `function`: it is committed before the answer leaves (docs/adr/0004)."""
    async with request.app.state.room.place(), contextmanager_in_threadpool(opened(request)) as here:
        yield here


@contextmanager
def opened(request: Request) -> Iterator[Context]:
    """The same for an async endpoint, which opens it in a thread where and when it needs one."""
    state = request.app.state
    with transaction(state.database) as session:
        yield Context.of(session, request.state.actor, state.clock(), state.seal(), state.settings)


def spoken(accept_language: Annotated[str | None, Header()] = None) -> Language:
    return language(accept_language)


def cursor(cursor: Annotated[str | None, Query(max_length=64)] = None) -> uuid.UUID | None:
    """The `next` of the page before."""
    if cursor is None:
        return None
    try:
        return uuid.UUID(cursor)
    except ValueError:
        raise Invalid(errors=(FieldError("cursor", "cursor", _CURSOR),)) from None


def idempotency_key(
    idempotency_key: Annotated[str | None, Header(max_length=255)] = None,
) -> str:
    if not idempotency_key or not idempotency_key.isprintable():
        raise Invalid(errors=(FieldError("Idempotency-Key", "missing", _KEY),))
    return idempotency_key


def optional_key(idempotency_key: Annotated[str | None, Header(max_length=255)] = None) -> str | None:
    return idempotency_key or None


_CURSOR = Text("翻页标记无效，请从第一页重新开始。", "Not a cursor of ours; begin again at the first page.")
_KEY = Text(
    "请求头缺少 Idempotency-Key，请为每次新建生成一个随机值。",
    "The Idempotency-Key header is missing; give each creation a random value.",
)

Here = Annotated[Context, Depends(context, scope="function")]
Speak = Annotated[Language, Depends(spoken)]
Cursor = Annotated[uuid.UUID | None, Depends(cursor)]
Limit = Annotated[int, Query(ge=1, le=200)]
Key = Annotated[str, Depends(idempotency_key)]
OptionalKey = Annotated[str | None, Depends(optional_key)]
Search = Annotated[str, StringConstraints(min_length=1, max_length=100)]

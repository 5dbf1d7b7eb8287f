"""One key, one effect: the first answer to a keyed request is kept with its effect, in the same transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field, Session, SQLModel, col, delete, func, select

from registry.database import instant
from registry.errors import Conflict, FieldError, Invalid
from registry.sealed import Seal
from workflows.text import Text

_IN_FLIGHT = Text(
    "相同幂等键的请求正在处理，请稍后重试。",
    "A request with this Idempotency-Key is still in flight; try again shortly.",
)
_REUSED = Text(
    "该幂等键已用于另一请求，请更换。", "This Idempotency-Key was used for another request; choose a new one."
)


class KeyedAnswer(SQLModel, table=True):
    """The answer given under an Idempotency-Key; kept 30 days."""

    __tablename__ = "keyed_answer"

    scope: str = Field(primary_key=True, sa_type=sa.Text)  # the organisation, or the account of a physician
    key: str = Field(primary_key=True, sa_type=sa.Text)
    request_sha256: bytes = Field(sa_type=sa.LargeBinary)  # of method, path and body
    status: int
    answer_sealed: bytes = Field(sa_type=sa.LargeBinary)
    at: datetime = instant(now=True, index=True)


def once(
    session: Session,
    seal: Seal,
    scope: str,
    key: str,
    request_sha256: bytes,
    effect: Callable[[], tuple[int, bytes]],
) -> tuple[int, bytes]:
    """The answer of the first request under this key: `effect` runs at most once for it, in the caller's transaction.

    Another request under the key raises `Invalid` (422); the same one still in flight `Conflict` (409).
    """
    lock = int.from_bytes(hashlib.sha256(f"{scope}\0{key}".encode()).digest()[:8], signed=True)
    if not session.execute(select(func.pg_try_advisory_xact_lock(lock))).scalar_one():
        raise Conflict(_IN_FLIGHT)
    kept = session.get(KeyedAnswer, (scope, key))
    if kept is None:
        status, answer = effect()
        session.add(
            KeyedAnswer(
                scope=scope,
                key=key,
                request_sha256=request_sha256,
                status=status,
                answer_sealed=seal.seal_bytes("keyed_answer.answer", f"{scope} {key}", answer),
            )
        )
        session.flush()
        return status, answer
    if kept.request_sha256 != request_sha256:
        raise Invalid(errors=(FieldError("Idempotency-Key", "reused", _REUSED),))
    return kept.status, seal.open_bytes("keyed_answer.answer", f"{scope} {key}", kept.answer_sealed)


def digest(method: str, path: str, body: bytes) -> bytes:
    """What makes two requests under one key the same: method, path and the meaning of the body."""
    return hashlib.sha256(b"\0".join((method.encode(), path.encode(), body))).digest()


def forget(session: Session, before: datetime) -> int:
    """Drop answers older than `before`; how many."""
    gone = session.execute(delete(KeyedAnswer).where(col(KeyedAnswer.at) < before).returning(col(KeyedAnswer.key)))
    return len(gone.all())

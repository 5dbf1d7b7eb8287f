"""One key, one effect: the first answer to a keyed request is kept with its effect, in the same transaction."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from registry.database import instant


class KeyedAnswer(SQLModel, table=True):
    """The answer given under an Idempotency-Key; kept 30 days."""

    __tablename__ = "keyed_answer"

    scope: str = Field(primary_key=True, sa_type=sa.Text)  # the organisation, or the account of a physician
    key: str = Field(primary_key=True, sa_type=sa.Text)
    request_sha256: bytes = Field(sa_type=sa.LargeBinary)  # of method, path and body
    status: int
    answer_sealed: bytes = Field(sa_type=sa.LargeBinary)
    at: datetime = instant(now=True, index=True)

"""Who looked at a physician: what the person has a right to know (个人信息保护法 44, 45)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlmodel import Session

# Both branches by their own index, then the newest of both.
_LOOKS = """
select * from (
  (select id, at, asked_by as by, organisation, purpose, 'verified' as what, null as filing_id, institution, scope, valid_on,
     answer
   from access_record where physician_id = :physician and id < :before order by id desc limit :limit)
  union all
  (select id, at, opened_by, organisation, purpose, 'opened', case subject_type when 'filing' then subject_id end, null, null,
     null, null
   from opening_record where physician_id = :physician and id < :before order by id desc limit :limit)
) looks order by id desc limit :limit
"""
_LAST = uuid.UUID(int=2**128 - 1)


class Look(NamedTuple):
    """One look: a verification with what was asked and answered, or an opening of the record or of a filing."""

    id: uuid.UUID
    at: datetime
    by: str
    organisation: str | None
    purpose: str
    what: str  # verified, opened
    filing_id: uuid.UUID | None
    institution: str | None
    scope: str | None
    on: date | None
    answer: str | None


def who_looked(
    session: Session, physician_id: uuid.UUID, *, before: uuid.UUID | None = None, limit: int = 50
) -> Sequence[Look]:
    """The looks at one physician, newest first, at most `limit`; of those older than `before`.

    The caller has checked that the actor may see them: the physician themself, or an auditor.
    """
    parameters = {"physician": physician_id, "before": before or _LAST, "limit": limit}
    return [Look(*row) for row in session.execute(sa.text(_LOOKS), parameters)]

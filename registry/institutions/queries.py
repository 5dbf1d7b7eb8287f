"""Reading institutions. What a licence says is public (医疗机构管理条例)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import sqlalchemy as sa
from sqlmodel import Session, col, select

from registry.errors import NotFound
from registry.institutions.tables import Institution
from workflows.names import name_key, query_parts


def find(session: Session, registration_no: str) -> Institution | None:
    return session.exec(select(Institution).where(col(Institution.registration_no) == registration_no)).one_or_none()


def get(session: Session, registration_no: str) -> Institution:
    """`NotFound` when there is none."""
    found = find(session, registration_no)
    if found is None:
        raise NotFound
    return found


def page(
    session: Session,
    *,
    limit: int,
    after: uuid.UUID | None,
    text: str | None = None,
    province: str | None = None,
    internet: bool | None = None,
) -> Sequence[Institution]:
    """Up to `limit` institutions above `after`; `text` is any part of a name, or a whole registration number."""
    query = select(Institution).order_by(col(Institution.id)).limit(limit)
    if after is not None:
        query = query.where(col(Institution.id) > after)
    if province is not None:
        query = query.where(col(Institution.province) == province)
    if internet is not None:
        query = query.where(col(Institution.internet) == internet)
    if text is not None:
        wanted = name_key(text)
        query = query.where(
            sa.or_(
                col(Institution.registration_no) == text,
                sa.and_(
                    col(Institution.name_parts).contains(query_parts(wanted)),
                    col(Institution.name_key).contains(wanted, autoescape=True),
                ),
            )
        )
    return session.exec(query).all()

"""Who looked at a physician: what the person has a right to know (个人信息保护法 44, 45)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlmodel import Session, col, select

from registry.verification.tables import AccessRecord


def who_asked(
    session: Session, physician_id: uuid.UUID, *, before: uuid.UUID | None = None, limit: int = 50
) -> Sequence[AccessRecord]:
    """The verifications of one physician, newest first, at most `limit`; of those older than the record `before`.

    The caller has checked that the actor may see them: the physician themself, or an auditor.
    """
    asked = select(AccessRecord).where(col(AccessRecord.physician_id) == physician_id)
    if before is not None:
        asked = asked.where(col(AccessRecord.id) < before)
    return session.exec(asked.order_by(col(AccessRecord.id).desc()).limit(limit)).all()

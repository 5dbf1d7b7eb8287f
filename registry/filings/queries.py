"""Reading filings. Every SELECT starts from what the actor may see; the unseen does not exist."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from auth.actor import Actor, ActorKind, Grant, jurisdiction
from auth.roles import SIGHT, Sight
from registry.context import Context
from registry.errors import NotFound
from registry.filings import clock
from registry.filings.tables import Attachment, Decision, Filing
from registry.institutions.tables import Institution
from registry.log.tables import AuditEvent, AuditPayload

_BATCH, _BATCHES = 500, 20


def visible(actor: Actor) -> SelectOfScalar[Filing]:
    """The filings the actor may see; one clause for each grant, none without one."""
    if actor.kind is ActorKind.SYSTEM:
        return select(Filing)
    return select(Filing).where(sa.or_(sa.false(), *(_within(actor, grant) for grant in actor.grants)))


def _within(actor: Actor, grant: Grant) -> ColumnElement[bool]:
    """The rows that one grant opens."""
    match SIGHT[grant.role]:
        case Sight.NONE:
            return sa.false()
        case Sight.OWN:
            # What was attested for them was never proposed to them: they see it from the day the authority does. One of
            # their own that the register does not know under that name has no physician, and they must correct it.
            theirs = col(Filing.author) == "physician"
            asked = sa.or_(theirs, col(Filing.proposed_at).is_not(None), col(Filing.submitted_at).is_not(None))
            about_them = (
                sa.and_(col(Filing.physician_id) == actor.physician_id, asked) if actor.physician_id else sa.false()
            )
            unmatched = sa.and_(theirs, col(Filing.physician_id).is_(None), col(Filing.filed_by) == actor.id)
            return sa.or_(about_them, unmatched)
        case Sight.ORGANISATION:
            return sa.or_(
                sa.and_(
                    col(Filing.institution_id) == _institution_id(grant.organisation),
                    sa.or_(col(Filing.author) == "institution", col(Filing.proposed_at).is_not(None)),
                ),
                sa.and_(col(Filing.main_registration_no) == grant.organisation, col(Filing.main_asked_at).is_not(None)),
            )
        case Sight.JURISDICTION:
            # Drafts and filings that wait for a consent do not exist for the authority.
            return sa.and_(
                col(Filing.authority).startswith(jurisdiction(grant.organisation), autoescape=True),
                col(Filing.submitted_at).is_not(None),
            )


def _institution_id(registration_no: str) -> Any:
    return select(col(Institution.id)).where(col(Institution.registration_no) == registration_no).scalar_subquery()


def get(context: Context, filing_id: uuid.UUID) -> Filing:
    """The filing; `NotFound` when it is not there or not the actor's to see."""
    found = context.session.exec(visible(context.actor).where(col(Filing.id) == filing_id)).one_or_none()
    if found is None:
        raise NotFound
    return found


def locked(context: Context, filing_id: uuid.UUID) -> Filing:
    """The same, locked until the transaction ends."""
    query = visible(context.actor).where(col(Filing.id) == filing_id).with_for_update(of=Filing)
    found = context.session.exec(query).one_or_none()
    if found is None:
        raise NotFound
    return found


def page(
    context: Context,
    *,
    limit: int,
    after: uuid.UUID | None,
    state: str | None = None,
    institution: str | None = None,
    text: str | None = None,
    overdue: bool | None = None,
) -> tuple[Sequence[Filing], uuid.UUID | None]:
    """Up to `limit` filings, newest first, below `after`, and the id to go on from. `text`: a number, a practising code
    or part of a name's key. Overdue is recomputed, never stored, so it is asked of batches until the page is full or
    enough has been read: a page may be short and yet have a next.
    """
    query = visible(context.actor).order_by(col(Filing.id).desc())
    if state is not None:
        query = query.where(col(Filing.state) == state)
    if institution is not None:
        query = query.where(col(Filing.institution_id) == _institution_id(institution))
    if text is not None:
        query = query.where(
            sa.or_(
                col(Filing.number) == text,
                col(Filing.practising_code) == text,
                col(Filing.name_key).contains(text, autoescape=True),
            )
        )
    if overdue is None:
        rows = _below(context, query, after, limit + 1)
        return rows[:limit], rows[limit - 1].id if len(rows) > limit else None
    if overdue:
        query = query.where(col(Filing.submitted_at).is_not(None), col(Filing.decided_at).is_(None))
    found: list[Filing] = []
    for _ in range(_BATCHES):
        rows = _below(context, query, after, _BATCH)
        if not rows:
            return found[:limit], found[limit - 1].id if len(found) > limit else None
        readings = clock.readings(context, rows)
        found += [row for row in rows if readings[row.id].overdue is overdue]
        after = rows[-1].id
        if len(found) > limit:
            return found[:limit], found[limit - 1].id
    return found, after  # enough read for one request; the rest lies behind the cursor


def _below(context: Context, query: SelectOfScalar[Filing], after: uuid.UUID | None, limit: int) -> Sequence[Filing]:
    if after is not None:
        query = query.where(col(Filing.id) < after)
    return context.session.exec(query.limit(limit)).all()


def decisions(session: Session, filing_id: uuid.UUID) -> Sequence[Decision]:
    return session.exec(
        select(Decision).where(col(Decision.filing_id) == filing_id).order_by(col(Decision.at), col(Decision.id))
    ).all()


def attachments(session: Session, filing_id: uuid.UUID) -> Sequence[Attachment]:
    return session.exec(
        select(Attachment).where(col(Attachment.filing_id) == filing_id).order_by(col(Attachment.id))
    ).all()


def timeline(session: Session, filing_id: uuid.UUID) -> Sequence[tuple[AuditEvent, str | None]]:
    """The filing's events in order, each with its payload while it has not been erased."""
    rows = session.exec(
        select(AuditEvent, col(AuditPayload.payload))
        .join(AuditPayload, col(AuditPayload.seq) == col(AuditEvent.seq), isouter=True)
        .where(col(AuditEvent.subject_type) == "filing", col(AuditEvent.subject_id) == filing_id)
        .order_by(col(AuditEvent.seq))
    )
    return rows.all()

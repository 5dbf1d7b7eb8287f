"""Reading physicians: who may see whom, and what the register says of them today."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa
from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from auth.actor import Actor, Grant
from auth.roles import SIGHT, Sight
from registry.context import Context
from registry.errors import NotFound
from registry.filings.queries import visible as visible_filings
from registry.filings.tables import Filing
from registry.log.tables import AuditEvent, AuditPayload
from registry.physicians.tables import Physician, Registration
from workflows.names import name_key, query_parts


def visible(actor: Actor) -> SelectOfScalar[Physician]:
    """The physicians the actor may see; one clause for each grant, none without one."""
    return select(Physician).where(sa.or_(sa.false(), *(_within(actor, grant) for grant in actor.grants)))


def _within(actor: Actor, grant: Grant) -> ColumnElement[bool]:
    match SIGHT[grant.role]:
        case Sight.NONE:
            return sa.false()
        case Sight.OWN:
            return col(Physician.id) == actor.physician_id
        case Sight.ORGANISATION:
            # Its own people, and those it has filed; a hospital does not browse the national register.
            theirs = select(col(Registration.physician_id)).where(
                col(Registration.main_registration_no) == grant.organisation,
                sa.func.upper_inf(col(Registration.recorded)),
            )
            filed = visible_filings(actor).with_only_columns(col(Filing.physician_id))
            return sa.or_(col(Physician.id).in_(theirs), col(Physician.id).in_(filed))
        case Sight.JURISDICTION:
            # A reviewer judges physicians of every province; the whole extract is the authority's own source.
            return sa.true()


def get(context: Context, physician_id: uuid.UUID) -> Physician:
    """The physician; `NotFound` when not there or not the actor's to see."""
    found = context.session.exec(visible(context.actor).where(col(Physician.id) == physician_id)).one_or_none()
    if found is None:
        raise NotFound
    return found


def hold(session: Session, ids: set[uuid.UUID | None]) -> None:
    """Keep what is registered of these physicians as it is until the transaction ends; an import locks them to change it."""
    query = select(Physician.id).where(col(Physician.id).in_(ids - {None})).order_by(col(Physician.id))
    session.exec(query.with_for_update()).all()


def page(
    context: Context,
    *,
    limit: int,
    after: uuid.UUID | None,
    practising_code: str | None = None,
    name: str | None = None,
    text: str | None = None,
) -> Sequence[Physician]:
    """Up to `limit` physicians above `after`; `name` is a whole name, `text` any part of one or a whole practising code."""
    query = visible(context.actor).order_by(col(Physician.id)).limit(limit)
    if after is not None:
        query = query.where(col(Physician.id) > after)
    if practising_code is not None:
        query = query.where(col(Physician.practising_code) == practising_code)
    if name is not None:
        query = query.where(col(Physician.name_key) == name_key(name))
    if text is not None:
        wanted = name_key(text)
        query = query.where(
            sa.or_(
                col(Physician.practising_code) == text,
                sa.and_(
                    col(Physician.name_parts).contains(query_parts(wanted)),
                    col(Physician.name_key).contains(wanted, autoescape=True),
                ),
            )
        )
    return context.session.exec(query).all()


def registrations(session: Session, physicians: Sequence[uuid.UUID], on: date) -> dict[uuid.UUID, list[Registration]]:
    """What is in force on a day, as known now, by physician."""
    rows = session.exec(
        select(Registration)
        .where(col(Registration.physician_id).in_(physicians), sa.func.upper_inf(col(Registration.recorded)))
        .where(col(Registration.valid).op("@>")(on))
        .order_by(col(Registration.physician_id), col(Registration.registered_on), col(Registration.place))
    )
    found: dict[uuid.UUID, list[Registration]] = {}
    for row in rows:
        found.setdefault(row.physician_id, []).append(row)
    return found


def timeline(
    session: Session, physician_id: uuid.UUID, *, limit: int, before: int | None
) -> Sequence[tuple[AuditEvent, str | None]]:
    """The events of the record itself, newest first; filings have timelines of their own."""
    query = (
        select(AuditEvent, col(AuditPayload.payload))
        .join(AuditPayload, col(AuditPayload.seq) == col(AuditEvent.seq), isouter=True)
        .where(col(AuditEvent.subject_type) == "physician", col(AuditEvent.subject_id) == physician_id)
        .order_by(col(AuditEvent.seq).desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(col(AuditEvent.seq) < before)
    return session.exec(query).all()

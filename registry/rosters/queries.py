"""Reading rosters: of the uploading organisation only. Every number is read back from the tables."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import Session, col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from auth.actor import Actor, ActorKind
from auth.roles import Role
from registry.context import Context
from registry.errors import NotFound
from registry.filings.tables import Filing
from registry.institutions.tables import Institution
from registry.rosters.tables import Roster, RosterVerdict
from workflows.roster import State
from workflows.rules.rule import Outcome

OUTCOMES = (Outcome.OK, Outcome.WARN, Outcome.RETURN, Outcome.REJECT, Outcome.SENIOR, Outcome.UNCHANGED)


def visible(actor: Actor) -> SelectOfScalar[Roster]:
    """The rosters the actor may see: those of the institutions they file for."""
    if actor.kind is ActorKind.SYSTEM:
        return select(Roster)
    mine = select(col(Institution.id)).where(
        col(Institution.registration_no).in_(actor.organisations(Role.FILER, Role.MANAGER))
    )
    return select(Roster).where(col(Roster.institution_id).in_(mine))


def get(context: Context, roster_id: uuid.UUID) -> Roster:
    """`NotFound` when it is not there or not the actor's to see."""
    return _one(context, visible(context.actor).where(col(Roster.id) == roster_id))


def locked(context: Context, roster_id: uuid.UUID) -> Roster:
    """The same, locked until the transaction ends."""
    return _one(context, visible(context.actor).where(col(Roster.id) == roster_id).with_for_update(of=Roster))


def _one(context: Context, query: SelectOfScalar[Roster]) -> Roster:
    found = context.session.exec(query).one_or_none()
    if found is None:
        raise NotFound
    return found


def page(context: Context, *, limit: int, after: uuid.UUID | None) -> Sequence[Roster]:
    """Up to `limit` rosters, newest first, below `after`."""
    query = visible(context.actor).order_by(col(Roster.id).desc()).limit(limit)
    return context.session.exec(query.where(col(Roster.id) < after) if after else query).all()


@dataclass(frozen=True)
class Counts:
    """`outcomes` partition the judged rows; the others count filings that are there."""

    outcomes: dict[str, int]
    filed: int
    submitted: int
    decided: int

    @property
    def goes(self) -> int:
        return self.outcomes["ok"] + self.outcomes["warn"] + self.outcomes["senior"]


def counts(session: Session, roster_id: uuid.UUID) -> Counts:
    judged = session.exec(
        select(RosterVerdict.outcome, func.count())
        .where(RosterVerdict.roster_id == roster_id)
        .group_by(col(RosterVerdict.outcome))
    )
    found = {str(outcome): 0 for outcome in OUTCOMES} | dict(judged.all())
    filed, submitted, decided = session.exec(
        select(func.count(), func.count(col(Filing.submitted_at)), func.count(col(Filing.decided_at))).where(
            Filing.roster_id == roster_id
        )
    ).one()
    return Counts(found, filed, submitted, decided)


def done_so_far(session: Session, roster: Roster) -> int:
    """What the present stage has done, in its own unit: rows read, rows judged, filings made, filings attested."""
    state = State(roster.resting or roster.state)
    if state in (State.RECEIVED, State.PARSING):
        return roster.rows
    if state in (State.MAPPING, State.JUDGING):
        return roster.cursor
    found = counts(session, roster.id)
    return found.filed if state is State.FILING else found.submitted


def rows(
    session: Session, roster_id: uuid.UUID, *, limit: int, after: int, outcome: str | None
) -> Sequence[tuple[RosterVerdict, uuid.UUID | None]]:
    """Judged rows above row `after`, with the filing each became."""
    query = (
        select(RosterVerdict, col(Filing.id))
        .join(
            Filing,
            sa.and_(
                col(Filing.roster_id) == col(RosterVerdict.roster_id), col(Filing.roster_row) == col(RosterVerdict.row)
            ),
            isouter=True,
        )
        .where(RosterVerdict.roster_id == roster_id, col(RosterVerdict.row) > after)
        .order_by(col(RosterVerdict.row))
        .limit(limit)
    )
    if outcome is not None:
        query = query.where(RosterVerdict.outcome == outcome)
    return session.exec(query).all()

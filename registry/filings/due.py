"""What the clock does by itself: an unanswered filing counts as accepted, one that waited too long ends."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from auth.actor import SYSTEM
from registry.context import Context
from registry.filings import clock, commands, queries
from registry.filings.tables import Filing
from registry.keys import open_keys
from registry.node import Node
from registry.sealed import Seal
from registry.transaction import Database, transaction
from workflows.clock import LAPSE_DAYS
from workflows.filing import Act, State
from workflows.machine import Refused

log = logging.getLogger("registry")

# The shortest time after which an act can be due: a first look by index, the table decides.
_SOONEST = {Act.ACCEPT: timedelta(days=5), Act.LAPSE: timedelta(days=min(LAPSE_DAYS.values()))}
# The completeness limit goes on where it was when a returned filing comes back, so it is counted from receipt.
_SINCE = {Act.ACCEPT: col(Filing.submitted_at), Act.LAPSE: col(Filing.waiting_since)}
_BATCH = 1_000
_STATES = {Act.ACCEPT: (State.SUBMITTED,), Act.LAPSE: tuple(LAPSE_DAYS)}


def act_on_due(node: Node) -> int:
    """Do every act of the clock that is due; how many were done. One transaction each: one failure stops nobody else."""
    now, seal = node.clock(), Seal(open_keys(node.settings, node.clock()).masters())

    def context(session: Session) -> Context:
        return Context.of(session, SYSTEM, now, seal, node.settings)

    return sum(
        _one(node.database, context, act, filing_id)
        for act in _SOONEST
        for filing_id in _due(node.database, context, act, now)
    )


def _due(database: Database, context: Callable[[Session], Context], act: Act, now: datetime) -> list[uuid.UUID]:
    """The filings whose limit is over, found without locking any: the days of rest are known before a reviewer waits."""
    query = (
        select(Filing)
        .where(col(Filing.state).in_([str(state) for state in _STATES[act]]))
        .where(_SINCE[act] <= now - _SOONEST[act])
        .order_by(col(Filing.id))
        .limit(_BATCH)
    )
    if act is Act.ACCEPT:  # a disputed filing is never carried on, but it does lapse
        query = query.where(sa.not_(col(Filing.disputed)))
    found: list[uuid.UUID] = []
    with transaction(database) as session:
        here, after = context(session), uuid.UUID(int=0)
        while rows := session.exec(query.where(col(Filing.id) > after)).all():
            ends = clock.deemed_at(here, rows) if act is Act.ACCEPT else {f.id: clock.lapses_at(f) for f in rows}
            found += [row.id for row in rows if (end := ends.get(row.id)) and end <= now]
            after = rows[-1].id
            session.expunge_all()
    return found


def _one(database: Database, context: Callable[[Session], Context], act: Act, filing_id: uuid.UUID) -> bool:
    try:
        with transaction(database) as session:
            here = context(session)
            commands.move(here, [queries.locked(here, filing_id)], act)
    except Refused:
        return False  # not due after all: a holiday, a pause, or somebody was quicker
    except sa.exc.DBAPIError as error:
        log.warning("filing %s: %s put off, %s", filing_id, act, type(error.orig).__name__)
        return False
    return True

"""Proposing a repair and deciding it. Every act has this shape, so no act can go unrecorded."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from auth.actor import Actor, jurisdiction
from auth.roles import SIGHT, Role, Sight
from registry.context import Context
from registry.errors import Conflict, FieldError, Invalid, NotFound, Refusal
from registry.filings import queries as filings
from registry.filings.tables import Filing
from registry.log.events import record
from registry.physicians.queries import hold
from registry.repairs.revoking import Days, outside, revoke_days
from registry.repairs.tables import Repair
from workflows.filing import State as FilingState
from workflows.repair import REPAIR, Act, Effect, Kind, RepairFacts, State
from workflows.text import Text

_NOT_APPROVED = Text("只有已核准的备案才有可更正的执业地点。", "Only an approved filing has a site to repair.")
_NOT_YOURS = Text("只有决定机关的高级审核员可以提出。", "Reserved to a senior of the authority that decided.")
_OPEN = Text("该备案已有待签批的更正。", "A repair of this filing waits to be signed already.")
_DAYS = Text("更正期限须填写首日，且末日不早于首日。", "New days need a first one, and the last is not before it.")
_NO_LAST = Text("撤销决定不填末日。", "A reversal has no last day.")
_NOTHING = Text("所选日期内没有可更正的执业地点。", "There is nothing to take away on these days.")


def propose(
    context: Context, filing_id: uuid.UUID, kind: Kind, first: date | None, last: date | None, reason: str
) -> Repair:
    """A repair that waits for a lead. Raises `NotFound`, `Refusal`, `Invalid`, `Conflict`."""
    filing = filings.locked(context, filing_id)
    if not context.actor.holds(Role.SENIOR, filing.authority):
        raise Refusal(_NOT_YOURS, code="not_yours")
    if filing.state != FilingState.APPROVED:
        raise Refusal(_NOT_APPROVED)
    _ensure_days(kind, first, last)
    waiting = select(Repair.id).where(col(Repair.filing_id) == filing.id, col(Repair.state) == State.PROPOSED)
    if context.session.exec(waiting).first():
        raise Conflict(_OPEN)
    assert filing.authority
    repair = Repair(
        filing_id=filing.id,
        authority=filing.authority,
        kind=str(kind),
        valid_from=first,
        valid_to=last,
        reason=reason,
        state=str(REPAIR.initial),
        proposed_by=context.actor.id,
        proposed_at=context.now,
    )
    context.session.add(repair)
    context.session.flush()
    _record(context, repair, "propose")
    return repair


def act(context: Context, repair_id: uuid.UUID, wanted: Act) -> Repair:
    """Sign, decline or withdraw. Raises `NotFound`, `Refusal`, `workflows.machine.Refused` and `Forbidden`."""
    found = visible(context.actor).where(col(Repair.id) == repair_id).with_for_update(of=Repair)
    repair = context.session.exec(found).one_or_none()
    if repair is None:
        raise NotFound
    facts = RepairFacts(repair.authority, repair.proposed_by)
    move = REPAIR.decide(State(repair.state), wanted, context.actor, facts, {})
    repair.state = str(move.to)
    repair.decided_by, repair.decided_at = context.actor.id, context.now
    repair.version += 1
    context.session.flush()
    if Effect.CARRY_OUT in move.effects:
        _carry_out(context, repair)
    _record(context, repair, str(wanted))
    return repair


def visible(actor: Actor) -> SelectOfScalar[Repair]:
    """The repairs of the authorities whose filings the actor may see."""
    seen = [
        col(Repair.authority).startswith(jurisdiction(grant.organisation), autoescape=True)
        for grant in actor.grants
        if SIGHT[grant.role] is Sight.JURISDICTION
    ]
    return select(Repair).where(sa.or_(sa.false(), *seen))


def get(context: Context, repair_id: uuid.UUID) -> Repair:
    found = context.session.exec(visible(context.actor).where(col(Repair.id) == repair_id)).one_or_none()
    if found is None:
        raise NotFound
    return found


def page(context: Context, *, limit: int, after: uuid.UUID | None, state: State | None) -> Sequence[Repair]:
    """Newest first, below `after`."""
    query = visible(context.actor).order_by(col(Repair.id).desc()).limit(limit)
    if after is not None:
        query = query.where(col(Repair.id) < after)
    if state is not None:
        query = query.where(col(Repair.state) == state)
    return context.session.exec(query).all()


def _carry_out(context: Context, repair: Repair) -> None:
    filing = context.session.get_one(Filing, repair.filing_id)
    # An import that changes the registration waits for us, or we for it.
    hold(context.session, {filing.physician_id})
    days: list[Days] = [(repair.valid_from, None)]
    if repair.kind == Kind.REDATE:
        assert repair.valid_from
        days = outside(repair.valid_from, repair.valid_to)
    if not revoke_days(context, repair.filing_id, days, f"repair:{repair.id}"):
        raise Refusal(_NOTHING, code="nothing_to_repair")


def _ensure_days(kind: Kind, first: date | None, last: date | None) -> None:
    if kind is Kind.REDATE and (first is None or (last is not None and last < first)):
        raise Invalid(errors=(FieldError("valid_from", "days", _DAYS),))
    if kind is Kind.REVERSE and last is not None:
        raise Invalid(errors=(FieldError("valid_to", "days", _NO_LAST),))


def _record(context: Context, repair: Repair, what: str) -> None:
    payload = {
        "filing": str(repair.filing_id),
        "from": repair.valid_from.isoformat() if repair.valid_from else None,
        "kind": repair.kind,
        "reason_sha256": hashlib.sha256(repair.reason.encode()).hexdigest(),
        "state": repair.state,
        "to": repair.valid_to.isoformat() if repair.valid_to else None,
    }
    subject = ("repair", repair.id)
    record(
        context.session,
        context.actor,
        f"repair.{what}",
        subject,
        repair.version,
        payload,
        now=context.now,
        organisation=repair.authority,
    )

"""Uploading a roster and moving it. Rows are worked by registry/rosters/working.py."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from auth.actor import ActorKind
from registry.authorities.queries import policy
from registry.context import Context
from registry.institutions.tables import Institution
from registry.log.events import record
from registry.rosters.queries import done_so_far
from registry.rosters.tables import Roster
from workflows.roster import ROSTER, Act, Effect, RosterFacts, State


def receive(
    context: Context,
    institution: Institution,
    *,
    upload_id: uuid.UUID,
    file_name: str,
    file_sha256: str,
    file_size: int,
    mapping: Mapping[str, str],
) -> Roster:
    """A roster of an upload that has come in whole."""
    roster = Roster(
        institution_id=institution.id,
        state=str(ROSTER.initial),
        uploaded_by=context.actor.id,
        uploaded_at=context.now,
        upload_id=upload_id,
        file_name=file_name,
        file_sha256=file_sha256,
        file_size=file_size,
        mapping=dict(mapping),
    )
    context.session.add(roster)
    context.session.flush()
    _record(context, roster, "receive", {"file_sha256": file_sha256, "size": file_size}, institution)
    return roster


def move(context: Context, roster: Roster, wanted: Act, **given: Any) -> Roster:
    """Move a locked roster by its table. Raises `workflows.machine.Refused` and `Forbidden`."""
    institution = context.session.get_one(Institution, roster.institution_id)
    before = State(roster.state)
    decided = ROSTER.decide(before, wanted, context.actor, _facts(context, roster, institution), given)
    roster.state = str(decided.to)
    for effect in decided.effects:
        _HANDS[effect](context, roster, before, given)
    roster.version += 1
    context.session.flush()
    _record(context, roster, str(wanted), {"from": str(before), "to": roster.state}, institution)
    return roster


def offers(context: Context, roster: Roster) -> list[dict[str, Any]]:
    """The acts this actor could do now, each with the reason why not."""
    institution = context.session.get_one(Institution, roster.institution_id)
    found = ROSTER.offers(State(roster.state), context.actor, _facts(context, roster, institution))
    return [{"act": str(o.act), "allowed": o.allowed, "why_not": o.why_not} for o in found]


def _facts(context: Context, roster: Roster, institution: Institution) -> RosterFacts:
    authority = institution.authority or f"{context.province}0000"
    return RosterFacts(
        institution=institution.registration_no,
        filed_by=roster.filed_by,
        attested_by=roster.attested_by,
        resting=State(roster.resting) if roster.resting else None,
        attested_consent=policy(context.session, authority, context.now, province=context.province).attested_consent,
    )


def _begin_stage(context: Context, roster: Roster, _before: State, _given: Mapping[str, Any]) -> None:
    roster.cursor, roster.stage_base, roster.stage_began = 0, 0, context.now


def _take_up(context: Context, roster: Roster, _before: State, _given: Mapping[str, Any]) -> None:
    roster.resting, roster.stage_began = None, context.now
    roster.stage_base = done_so_far(context.session, roster)


def _keep_filer(context: Context, roster: Roster, _before: State, _given: Mapping[str, Any]) -> None:
    roster.filed_by = context.actor.id


def _keep_attestation(context: Context, roster: Roster, _before: State, given: Mapping[str, Any]) -> None:
    roster.attested_by, roster.attested_at = context.actor.id, context.now
    roster.agreements = list(given.get("agreements") or [])


def _keep_resting(_context: Context, roster: Roster, before: State, _given: Mapping[str, Any]) -> None:
    roster.resting = str(before)


def _keep_fault(_context: Context, roster: Roster, _before: State, given: Mapping[str, Any]) -> None:
    roster.fault = dict(given["fault"])


_HANDS = {
    Effect.BEGIN_STAGE: _begin_stage,
    Effect.TAKE_UP: _take_up,
    Effect.KEEP_FILER: _keep_filer,
    Effect.KEEP_ATTESTATION: _keep_attestation,
    Effect.KEEP_RESTING: _keep_resting,
    Effect.KEEP_FAULT: _keep_fault,
}


def _record(context: Context, roster: Roster, what: str, details: dict[str, object], institution: Institution) -> None:
    own = context.actor.kind is ActorKind.ACCOUNT
    record(
        context.session,
        context.actor,
        f"roster.{what}",
        ("roster", roster.id),
        roster.version,
        {"state": roster.state, **details},
        now=context.now,
        organisation=institution.registration_no if own else None,
    )

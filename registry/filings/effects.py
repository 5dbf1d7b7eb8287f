"""The hands of the filing table: each declared effect is one function here, rows only; the outside world goes through jobs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from registry.context import Context
from registry.errors import FieldError, Invalid
from registry.filings import applying, clock, queries
from registry.filings.evaluating import evaluate, undertaking
from registry.filings.schemas import AmendIn, AnyAct, PauseIn, Reason, ReasonedIn, RecommendIn
from registry.filings.tables import Consent, Decision, Filing
from registry.institutions.tables import Institution
from registry.sites.creating import create_site
from workflows.filing import LEASE, Act, Effect, State
from workflows.rules.catalogue import REASONS
from workflows.rules.rule import Stage
from workflows.text import Text

Details = dict[str, Any]

_NO_SUCH_REASON = Text(
    "理由目录中没有该代码，请从 GET /reasons 中选择。", "Not in the catalogue of reasons; choose one of GET /reasons."
)


@dataclass(frozen=True)
class Hands:
    """What an effect works with: the filing already stands in the state it moves to; `before` is where it came from."""

    context: Context
    filing: Filing
    institution: Institution
    act: Act
    before: State
    given: AnyAct | None


def run(hands: Hands, effects: Iterable[Effect]) -> Details:
    """Run the effects in order; what the audit event should tell of them."""
    details: Details = {}
    for effect in effects:
        details |= HANDS[effect](hands) or {}
    return details


def _change(hands: Hands) -> Details:
    assert isinstance(hands.given, AmendIn)
    applying.entered(hands.context, hands.filing, hands.given.changes)
    return {"changed": applying.changed_fields(hands.given.changes)}


def _evaluate(hands: Hands) -> Details:
    # Papers and signatures are asked for once the filing has reached the authority (lifecycle.md, Rules).
    stages = {Stage.JUDGE, Stage.SUBMIT} if hands.filing.submitted_at else {Stage.JUDGE}
    found = evaluate(hands.context, hands.filing, hands.institution, str(hands.act), stages)
    return {"evaluation": str(found.id), "outcome": found.outcome, "open": list(found.open_rules)}


def _keep_consent(hands: Hands) -> Details:
    context, filing = hands.context, hands.filing
    text = undertaking(context, filing)
    assert filing.physician_id
    context.session.add(
        Consent(
            filing_id=filing.id,
            physician_id=filing.physician_id,
            given_by=context.actor.id,
            text=text.text,
            text_sha256=text.sha256,
            method="sign_in",
            at=context.now,
        )
    )
    filing.consented_at = context.now
    context.session.flush()
    return {"text_sha256": text.sha256, "method": "sign_in"}


def _keep_confirmation(hands: Hands) -> None:
    hands.filing.institution_confirmed_at = hands.context.now


def _keep_agreement(hands: Hands) -> None:
    hands.filing.main_agreed_at = hands.context.now


def _keep_decision(hands: Hands) -> Details:
    context, filing, given = hands.context, hands.filing, hands.given
    reasons = _reasons(given)
    decision = Decision(
        filing_id=filing.id,
        kind=str(hands.act),
        proposal=given.decision if isinstance(given, RecommendIn) else None,
        reasons=reasons,
        evaluation_id=queries.evaluation(context.session, filing.id).id,
        decided_by=context.actor.id,
        at=context.now,
    )
    context.session.add(decision)
    if filing.state in (State.APPROVED, State.REFUSED, State.NOT_ACCEPTED):
        filing.decided_at = context.now
    return {
        "decision": str(decision.id),
        "evaluation": str(decision.evaluation_id),
        "reasons": [reason["code"] for reason in reasons],
    } | ({"proposal": decision.proposal} if decision.proposal else {})


def _reasons(given: AnyAct | None) -> list[dict[str, Any]]:
    found: list[Reason] = []
    if isinstance(given, (ReasonedIn, RecommendIn)):
        found = given.reasons or []
    faults = [
        FieldError(f"reasons.{n}.code", "code", _NO_SUCH_REASON) for n, r in enumerate(found) if r.code not in REASONS
    ]
    if faults:
        raise Invalid(errors=tuple(faults))
    return [reason.model_dump(exclude_none=True) for reason in found]


def _keep_recommendation(hands: Hands) -> None:
    assert isinstance(hands.given, RecommendIn)
    hands.filing.recommended_by = hands.context.actor.id
    hands.filing.recommendation = hands.given.decision


def _keep_origin(hands: Hands) -> None:
    hands.filing.returned_from = str(hands.before)


def _receive(hands: Hands) -> None:
    hands.filing.submitted_at = hands.context.now
    clock.start(hands.context, hands.filing, clock.completeness(hands.filing), hands.context.now)


def _accept(hands: Hands) -> None:
    clock.stop(hands.context, hands.filing, "accepted")
    clock.start(hands.context, hands.filing, clock.decision(hands.context, hands.filing), hands.context.now)
    hands.filing.accepted_at = hands.context.now


def _accept_from_receipt(hands: Hands) -> Details:
    """Not told in five working days, it counts as accepted on the day of receipt (行政许可法 32(4))."""
    received = hands.filing.submitted_at
    assert received
    clock.stop(hands.context, hands.filing, "deemed accepted")
    clock.start(hands.context, hands.filing, clock.decision(hands.context, hands.filing), received)
    hands.filing.accepted_at = received
    return {"deemed": True}


def _pause_clock(hands: Hands) -> Details:
    cause = hands.given.cause if isinstance(hands.given, PauseIn) else str(hands.act)
    clock.pause(hands.context, hands.filing, cause)
    return {"cause": cause}


def _resume_clock(hands: Hands) -> None:
    clock.resume(hands.context, hands.filing, str(hands.act))


def _stop_clock(hands: Hands) -> None:
    clock.stop(hands.context, hands.filing, str(hands.act))


def _mark_paused(hands: Hands) -> None:
    hands.filing.paused = True


def _clear_paused(hands: Hands) -> None:
    hands.filing.paused = False


def _mark_disputed(hands: Hands) -> None:
    hands.filing.disputed = True


def _set_claim(hands: Hands) -> None:
    hands.filing.claimed_by = hands.context.actor.id
    hands.filing.claimed_until = hands.context.now + LEASE


def _clear_claim(hands: Hands) -> None:
    hands.filing.claimed_by = None
    hands.filing.claimed_until = None


def _create_site(hands: Hands) -> Details:
    return {"site": str(create_site(hands.context, hands.filing))}


HANDS: Mapping[Effect, Callable[[Hands], Details | None]] = {
    Effect.CHANGE: _change,
    Effect.EVALUATE: _evaluate,
    Effect.KEEP_CONSENT: _keep_consent,
    Effect.KEEP_CONFIRMATION: _keep_confirmation,
    Effect.KEEP_AGREEMENT: _keep_agreement,
    Effect.KEEP_DECISION: _keep_decision,
    Effect.KEEP_RECOMMENDATION: _keep_recommendation,
    Effect.KEEP_ORIGIN: _keep_origin,
    Effect.RECEIVE: _receive,
    Effect.ACCEPT: _accept,
    Effect.ACCEPT_FROM_RECEIPT: _accept_from_receipt,
    Effect.PAUSE_CLOCK: _pause_clock,
    Effect.RESUME_CLOCK: _resume_clock,
    Effect.STOP_CLOCK: _stop_clock,
    Effect.MARK_PAUSED: _mark_paused,
    Effect.CLEAR_PAUSED: _clear_paused,
    Effect.MARK_DISPUTED: _mark_disputed,
    Effect.SET_CLAIM: _set_claim,
    Effect.CLEAR_CLAIM: _clear_claim,
    Effect.CREATE_SITE: _create_site,
}

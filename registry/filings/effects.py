"""The hands of the filing table: each declared effect is one function here, rows only; the outside world goes through jobs.

An effect runs for all filings of one act at once, so that what takes a query takes one for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from registry.context import Context
from registry.errors import FieldError, Invalid
from registry.filings import applying, clock
from registry.filings.casefile import CaseFile
from registry.filings.evaluating import evaluate
from registry.filings.schemas import AmendIn, AnyAct, PauseIn, Reason, ReasonedIn, RecommendIn
from registry.filings.tables import Consent, Decision, Filing
from registry.log.rows import digest
from registry.sites.creating import create_sites
from workflows.filing import LEASE, Act, Effect, FilingMove, State
from workflows.rules.catalogue import REASONS
from workflows.text import Text

_NO_SUCH_REASON = Text(
    "理由目录中没有该代码，请从 GET /reasons 中选择。", "Not in the catalogue of reasons; choose one of GET /reasons."
)


@dataclass(frozen=True)
class Hand:
    """One filing in the middle of a move: it stands in its new state; `details` is what its audit event will tell."""

    context: Context
    case: CaseFile
    act: Act
    before: State
    given: AnyAct | None
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def filing(self) -> Filing:
        return self.case.filing


def run(hands: Sequence[Hand], moves: Sequence[FilingMove]) -> None:
    """Run the effects of each move in their order, each effect once for all hands whose move has it."""
    order = list(dict.fromkeys(effect for move in moves for effect in move.effects))
    for effect in order:
        HANDS[effect]([hand for hand, move in zip(hands, moves, strict=True) if effect in move.effects])


def _each(one: Callable[[Hand], None]) -> Callable[[Sequence[Hand]], None]:
    def every(hands: Sequence[Hand]) -> None:
        for hand in hands:
            one(hand)

    return every


def _change(hand: Hand) -> None:
    assert isinstance(hand.given, AmendIn)
    applying.entered(hand.context, hand.filing, hand.given.changes)
    hand.details["changed"] = applying.changed_fields(hand.given.changes)


def _evaluate(hands: Sequence[Hand]) -> None:
    evaluate(hands[0].context, [hand.case for hand in hands], str(hands[0].act))
    for hand in hands:
        found = hand.case.evaluation
        assert found
        hand.details.update({"evaluation": str(found.id), "outcome": found.outcome, "open": list(found.open_rules)})


def _keep_consent(hand: Hand) -> None:
    context, filing = hand.context, hand.filing
    text = hand.case.undertaking(context.codes)
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
    hand.case.consented_sha256 = text.sha256
    hand.details.update({"text_sha256": text.sha256, "method": "sign_in"})


def _keep_confirmation(hand: Hand) -> None:
    hand.filing.institution_confirmed_at = hand.context.now


def _keep_attestation(hand: Hand) -> None:
    text = hand.case.undertaking(hand.context.codes)
    hand.filing.attested_by, hand.filing.attested_sha256 = hand.context.actor.id, text.sha256
    hand.details["text_sha256"] = text.sha256


def _keep_agreement(hand: Hand) -> None:
    text = hand.case.undertaking(hand.context.codes)
    hand.filing.main_agreed_at, hand.filing.main_agreed_sha256 = hand.context.now, text.sha256
    hand.details["text_sha256"] = text.sha256


def _keep_decision(hand: Hand) -> None:
    context, filing, given = hand.context, hand.filing, hand.given
    reasons = _reasons(given)
    assert hand.case.evaluation
    decision = Decision(
        filing_id=filing.id,
        kind=str(hand.act),
        proposal=given.decision if isinstance(given, RecommendIn) else None,
        reasons=reasons,
        evaluation_id=hand.case.evaluation.id,
        decided_by=context.actor.id,
        at=context.now,
    )
    context.session.add(decision)
    if filing.state in (State.APPROVED, State.REFUSED, State.NOT_ACCEPTED):
        filing.decided_at = context.now
    hand.details.update(
        {
            "decision": str(decision.id),
            "evaluation": str(decision.evaluation_id),
            "reasons": [reason["code"] for reason in reasons],
            "reasons_sha256": digest({"reasons": reasons}),
        }
    )
    if decision.proposal:
        hand.details["proposal"] = decision.proposal


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


def _keep_recommendation(hand: Hand) -> None:
    assert isinstance(hand.given, RecommendIn)
    hand.filing.recommended_by = hand.context.actor.id
    hand.filing.recommendation = hand.given.decision


def _keep_origin(hand: Hand) -> None:
    hand.filing.returned_from = str(hand.before)


def _receive(hand: Hand) -> None:
    hand.filing.submitted_at = hand.context.now
    clock.start(hand.context, hand.filing, clock.completeness(hand.filing), hand.context.now)


def _accept(hands: Sequence[Hand]) -> None:
    context = hands[0].context
    clock.stop(context, [hand.filing for hand in hands], "accepted")
    limits = clock.decisions(context, [hand.filing for hand in hands])
    for hand in hands:
        clock.start(context, hand.filing, limits[hand.filing.id], context.now)
        hand.filing.accepted_at = context.now


def _accept_from_receipt(hands: Sequence[Hand]) -> None:
    """Not told in five working days, it counts as accepted on the day of receipt (行政许可法 32(4)).

    What was returned in time has been told: it counts from the day it came back complete.
    """
    context = hands[0].context
    clock.stop(context, [hand.filing for hand in hands], "deemed accepted")
    limits = clock.decisions(context, [hand.filing for hand in hands])
    for hand in hands:
        received = hand.filing.waiting_since  # when it entered SUBMITTED, by receipt or by correction
        assert received
        clock.start(context, hand.filing, limits[hand.filing.id], received)
        hand.filing.accepted_at = received
        hand.details["deemed"] = True


def _pause_clock(hand: Hand) -> None:
    cause = hand.given.cause if isinstance(hand.given, PauseIn) else str(hand.act)
    clock.pause(hand.context, hand.filing, cause)
    hand.details["cause"] = cause


def _resume_clock(hand: Hand) -> None:
    clock.resume(hand.context, hand.filing, str(hand.act))


def _stop_clock(hands: Sequence[Hand]) -> None:
    clock.stop(hands[0].context, [hand.filing for hand in hands], str(hands[0].act))


def _mark_paused(hand: Hand) -> None:
    hand.filing.paused = True


def _clear_paused(hand: Hand) -> None:
    hand.filing.paused = False


def _mark_disputed(hand: Hand) -> None:
    hand.filing.disputed = True


def _set_claim(hand: Hand) -> None:
    hand.filing.claimed_by = hand.context.actor.id
    hand.filing.claimed_until = hand.context.now + LEASE


def _clear_claim(hand: Hand) -> None:
    hand.filing.claimed_by = None
    hand.filing.claimed_until = None


def _create_site(hands: Sequence[Hand]) -> None:
    sites = create_sites(hands[0].context, [hand.filing for hand in hands])
    for hand, site in zip(hands, sites, strict=True):
        hand.details["site"] = str(site)


HANDS: Mapping[Effect, Callable[[Sequence[Hand]], None]] = {
    Effect.CHANGE: _each(_change),
    Effect.EVALUATE: _evaluate,
    Effect.KEEP_CONSENT: _each(_keep_consent),
    Effect.KEEP_CONFIRMATION: _each(_keep_confirmation),
    Effect.KEEP_ATTESTATION: _each(_keep_attestation),
    Effect.KEEP_AGREEMENT: _each(_keep_agreement),
    Effect.KEEP_DECISION: _each(_keep_decision),
    Effect.KEEP_RECOMMENDATION: _each(_keep_recommendation),
    Effect.KEEP_ORIGIN: _each(_keep_origin),
    Effect.RECEIVE: _each(_receive),
    Effect.ACCEPT: _accept,
    Effect.ACCEPT_FROM_RECEIPT: _accept_from_receipt,
    Effect.PAUSE_CLOCK: _each(_pause_clock),
    Effect.RESUME_CLOCK: _each(_resume_clock),
    Effect.STOP_CLOCK: _stop_clock,
    Effect.MARK_PAUSED: _each(_mark_paused),
    Effect.CLEAR_PAUSED: _each(_clear_paused),
    Effect.MARK_DISPUTED: _each(_mark_disputed),
    Effect.SET_CLAIM: _each(_set_claim),
    Effect.CLEAR_CLAIM: _each(_clear_claim),
    Effect.CREATE_SITE: _create_site,
}

"""The one way a filing comes to be and the one way it moves. Every act has this shape, so no act can go unrecorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from auth.actor import ActorKind
from auth.roles import Role
from registry.bulk import cursor_of
from registry.context import Context
from registry.database import fresh
from registry.errors import Stale
from registry.filings import applying
from registry.filings.casefile import CaseFile, case_files
from registry.filings.effects import Hand, run
from registry.filings.evaluating import evaluate, facts_of
from registry.filings.facts import Gathered
from registry.filings.schemas import AnyAct, CreateFiling
from registry.filings.tables import Filing
from registry.institutions.filing_for import files_for, filing_institution
from registry.institutions.tables import Institution
from registry.log.bulk import Event, record_all
from registry.log.events import canonical
from registry.log.rows import filing_digest
from registry.physicians.queries import hold
from workflows.filing import FILING, Act, Author, FilingMove, State
from workflows.machine import Refused


def create(context: Context, body: CreateFiling) -> Filing:
    """A draft, judged. Raises `Refusal` (institution, person) and `Invalid` (codes, name)."""
    institution = filing_institution(context, body.institution, physicians_too=True)
    author = Author.INSTITUTION if files_for(context, institution) else Author.PHYSICIAN
    (number,) = numbers(context, 1)
    filing = draft(context, institution, author, number)
    applying.entered(context, filing, body)
    return keep_drafts(context, [CaseFile(filing, institution)])[0].filing


def numbers(context: Context, count: int) -> list[str]:
    """The next numbers of filings: province, year, running number."""
    rows = context.session.execute(
        sa.text("select nextval('filing_number_seq') from generate_series(1, :count)"), {"count": count}
    )
    return [f"{context.province}{context.today:%Y}{number:08d}" for number in rows.scalars()]


def draft(context: Context, institution: Institution, author: Author, number: str) -> Filing:
    """A filing that nobody has written anything into yet; `applying` does."""
    return fresh(
        Filing,
        number=number,
        type="SITE_FILE",  # settled by the first evaluation unless the filer chose
        state=str(FILING.initial),
        institution_id=institution.id,
        author=str(author),
        filed_by=context.actor.id,
        created_at=context.now,
        waiting_since=context.now,
        name="",
        name_key="",
        id_type="",
        practising_code="",
        category="",
        id_number_sealed=b"",
        id_number_index=b"",
        qualification_sealed=b"",
    )


def keep_drafts(
    context: Context, cases: Sequence[CaseFile], gathered: Sequence[Gathered] | None = None
) -> Sequence[CaseFile]:
    """Store new drafts, judge and record them. `gathered` are their facts, where the caller has them from just now."""
    context.session.add_all(case.filing for case in cases)
    evaluate(context, cases, "create", gathered)
    told = []
    for case in cases:
        assert case.evaluation
        told.append({"outcome": case.evaluation.outcome, "findings": list(case.evaluation.open_rules)})
    _record(context, cases, "create", told)
    return cases


def act(context: Context, filing: Filing, given: AnyAct) -> Filing:
    """Move a filing that `queries.locked` gave. Raises `Stale`, `workflows.machine.Refused` and `Forbidden`, `Invalid`."""
    if given.revision != filing.revision:
        raise Stale
    return move(context, [filing], Act(given.act), given)[0].filing


def move(
    context: Context,
    filings: Sequence[Filing],
    wanted: Act,
    given: AnyAct | None = None,
    *,
    refused_stay: bool = False,
) -> list[CaseFile]:
    """Decide by the table, run the declared effects, record; the filings that moved.

    For all of them or, when one is refused, for none; with `refused_stay` those that are refused stay as they are. The
    filings are locked by the caller. `given` is absent for acts on many and for the clock's own.
    """
    cases = case_files(context, filings)
    fresh = [c for c in cases if any(row.fresh for row in FILING.rows(State(c.filing.state), wanted))]
    if wanted is Act.APPROVE:
        # What is judged now must still be so when the site is written: an import waits, or it is waited for.
        hold(context.session, {case.filing.physician_id for case in cases})
    if fresh:
        evaluate(context, fresh, str(wanted))
    body: dict[str, Any] = given.model_dump(exclude={"act", "revision"}) if given else {}
    decided: list[tuple[CaseFile, FilingMove]] = []
    for case, facts in zip(cases, facts_of(context, cases), strict=True):
        try:
            decided.append((case, FILING.decide(State(case.filing.state), wanted, context.actor, facts, body)))
        except Refused as refused:
            if not refused_stay:
                refused.told = case.messages()
                raise
    cases, moves = [case for case, _ in decided], [found for _, found in decided]
    hands = [Hand(context, case, wanted, State(case.filing.state), given) for case in cases]
    for hand, found in zip(hands, moves, strict=True):
        hand.filing.state = str(found.to)
        _ask(hand.filing, found.to, context)
    run(hands, moves)
    for hand in hands:
        if hand.filing.state != hand.before:
            hand.filing.waiting_since = context.now
        hand.filing.revision += 1
    context.session.flush()
    told = [{"from": str(hand.before), "to": hand.filing.state, **hand.details} for hand in hands]
    _record(context, cases, str(wanted), told)
    return cases


def _ask(filing: Filing, to: State, context: Context) -> None:
    """From the first time a party is asked, the filing exists for that party (registry.filings.queries.visible)."""
    if to in (State.WAIT_PHYSICIAN, State.WAIT_INST) and filing.proposed_at is None:
        filing.proposed_at = context.now
    if to is State.WAIT_MAIN and filing.main_asked_at is None:
        filing.main_asked_at = context.now


def _record(context: Context, cases: Sequence[CaseFile], what: str, told: Sequence[dict[str, Any]]) -> None:
    events = [
        Event(
            f"filing.{what}",
            "filing",
            case.filing.id,
            case.filing.revision,
            canonical(
                {"number": case.filing.number, "row": filing_digest(case.filing), "state": case.filing.state, **details}
            ),
            acting_for(context, case),
        )
        for case, details in zip(cases, told, strict=True)
    ]
    record_all(cursor_of(context.session), context.actor, events, now=context.now)


def acting_for(context: Context, case: CaseFile) -> str | None:
    """The organisation in whose name the actor acts here; None for a physician, the clock and the operator."""
    actor, filing = context.actor, case.filing
    if actor.kind is not ActorKind.ACCOUNT:
        return None
    mine = actor.organisations(*(role for role in Role if role is not Role.PHYSICIAN))
    candidates = (case.institution.registration_no, filing.main_registration_no, filing.authority)
    return next((code for code in candidates if code in mine), None)

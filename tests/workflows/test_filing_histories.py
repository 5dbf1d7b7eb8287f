"""Random histories of one filing, against a model that knows people and events instead of grants and facts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.workflows.cases import BODIES, DOCTOR_ID, NOW, PEOPLE, filing, possible
from workflows.filing import FILING, Act, Author, Effect, FilingFacts, Proposal, State

S, A = State, Act

REVIEWERS: Final = {"reviewer", "torn", "both"}
SENIORS: Final = {"senior", "both"}
DESKS: Final = {S.SUBMITTED: REVIEWERS, S.REVIEW: REVIEWERS, S.SENIOR: SENIORS}
ENDED: Final = {S.APPROVED, S.REFUSED, S.NOT_ACCEPTED, S.WITHDRAWN}


@dataclass
class Story:
    """The model: what happened so far, in plain words."""

    authors: set[str]
    asks_main: bool
    state: State = S.DRAFT
    holder: str | None = None
    text: int = 0  # how often it was amended
    consented: int | None = None
    confirmed: bool = False
    disputed: bool = False
    paused: bool = False
    returned_from: State | None = None
    recommender: str | None = None
    flawed: bool = False  # a return finding of the row
    unmet: bool = False  # a return finding of another stage
    senior_matter: bool = False
    signed_in_lately: bool = True
    too_late: bool = False  # the limit of the present state has passed
    decider: str | None = None
    past: list[Act] = field(default_factory=list)

    def own(self) -> bool:
        return self.authors == {"doctor"}

    def officer(self, who: str) -> bool:
        return who in DESKS.get(self.state, ())

    def on_it(self, who: str) -> bool:
        return self.officer(who) and self.holder == who

    def impartial(self, who: str) -> bool:
        return who not in {"torn", self.recommender}


Legal = Callable[[Story, str], bool]

LEGAL: Final[dict[Act, Legal]] = {
    A.AMEND: lambda m, w: m.state in {S.DRAFT, S.CORRECTION} and w in m.authors and not m.disputed,
    A.PROPOSE: lambda m, w: (
        m.state is S.DRAFT and w in m.authors and not (m.disputed or m.flawed) and (m.signed_in_lately or not m.own())
    ),
    A.CONFIRM: lambda m, w: m.state is S.WAIT_INST and w == "manager" and not m.disputed,
    A.DECLINE: lambda m, w: m.state is S.WAIT_INST and w == "manager",
    A.CONSENT: lambda m, w: (
        w == "doctor"
        and m.signed_in_lately
        and not m.disputed
        and (
            m.state is S.WAIT_PHYSICIAN
            or (m.state in {S.SUBMITTED, S.CORRECTION, S.REVIEW, S.SENIOR} and m.consented != m.text)
        )
    ),
    A.REFUSE_CONSENT: lambda m, w: m.state is S.WAIT_PHYSICIAN and w == "doctor",
    A.DISPUTE: lambda m, w: m.state not in ENDED and w == "doctor" and not m.disputed,
    A.AGREE: lambda m, w: m.state is S.WAIT_MAIN and w == "main manager" and not m.disputed,
    A.OBJECT: lambda m, w: m.state is S.WAIT_MAIN and w == "main manager",
    A.CLAIM: lambda m, w: m.officer(w) and w != "torn" and m.holder is None,
    A.RENEW: lambda m, w: m.on_it(w),
    A.RELEASE: lambda m, w: m.on_it(w),
    A.ACCEPT: lambda m, w: m.state is S.SUBMITTED and not m.disputed and (m.on_it(w) or (w == "clock" and m.too_late)),
    A.NOT_ACCEPT: lambda m, w: m.state is S.SUBMITTED and m.on_it(w) and m.impartial(w),
    A.RETURN: lambda m, w: (
        m.state in {S.SUBMITTED, S.REVIEW} and m.on_it(w) and not (m.disputed or m.paused) and A.RETURN not in m.past
    ),
    A.RESUBMIT: lambda m, w: (
        m.state is S.CORRECTION and w in m.authors and not m.disputed and (m.signed_in_lately or not m.own())
    ),
    A.PAUSE: lambda m, w: m.state in {S.REVIEW, S.SENIOR} and m.on_it(w) and not m.paused,
    A.RESUME: lambda m, w: m.state in {S.REVIEW, S.SENIOR} and m.on_it(w) and m.paused,
    A.RECOMMEND: lambda m, w: m.state is S.REVIEW and m.on_it(w),  # refusal, as the body says
    A.APPROVE: lambda m, w: (
        (m.state is S.SENIOR or (m.state is S.REVIEW and not m.senior_matter))
        and m.on_it(w)
        and m.impartial(w)
        and not (m.disputed or m.paused or m.flawed or m.unmet or m.consented != m.text)
    ),
    A.REFUSE: lambda m, w: m.state is S.SENIOR and m.on_it(w) and m.impartial(w) and not m.paused,
    A.WITHDRAW: lambda m, w: m.state not in ENDED and (w in m.authors or w == "doctor"),
    A.LAPSE: lambda m, w: (
        m.state in {S.WAIT_PHYSICIAN, S.WAIT_INST, S.WAIT_MAIN, S.CORRECTION} and w == "clock" and m.too_late
    ),
}

LEADS_TO: Final[dict[Act, State]] = {
    A.CONFIRM: S.SUBMITTED,
    A.DECLINE: S.WITHDRAWN,
    A.REFUSE_CONSENT: S.WITHDRAWN,
    A.AGREE: S.SUBMITTED,
    A.OBJECT: S.WITHDRAWN,
    A.ACCEPT: S.REVIEW,
    A.NOT_ACCEPT: S.NOT_ACCEPTED,
    A.RETURN: S.CORRECTION,
    A.RECOMMEND: S.SENIOR,
    A.APPROVE: S.APPROVED,
    A.REFUSE: S.REFUSED,
    A.WITHDRAW: S.WITHDRAWN,
    A.LAPSE: S.WITHDRAWN,
}


ONWARD: Final = (
    *(A.PROPOSE, A.CONSENT, A.CONFIRM, A.AGREE, A.CLAIM, A.ACCEPT, A.RETURN, A.AMEND, A.RESUBMIT),
    *(A.RECOMMEND, A.APPROVE, A.REFUSE),
)


def tell(m: Story, act: Act, who: str) -> None:
    """What the act does to the story."""
    before = m.state
    m.state = LEADS_TO.get(act, before)
    match act:
        case A.AMEND:
            m.text += 1
        case A.PROPOSE if m.own():
            m.state, m.consented = S.WAIT_INST, m.text
        case A.PROPOSE:
            m.state, m.confirmed = S.WAIT_PHYSICIAN, True
        case A.CONSENT:
            m.consented = m.text
            if before is S.WAIT_PHYSICIAN:
                m.state = S.WAIT_MAIN if m.asks_main else S.SUBMITTED
        case A.CONFIRM:
            m.confirmed = True
        case A.RETURN:
            m.returned_from = before
        case A.RESUBMIT:
            m.state = m.returned_from or S.SUBMITTED
            m.consented = m.text if m.own() else m.consented
        case A.DISPUTE:
            m.disputed = True
        case A.PAUSE | A.RESUME:
            m.paused = act is A.PAUSE
        case A.CLAIM:
            m.holder = who
        case A.RECOMMEND:
            m.recommender = who
        case A.APPROVE | A.REFUSE:
            m.decider = who
        case _:
            pass
    # Acceptance is the one step that a claim outlives.
    if act is A.RELEASE or (m.state is not before and act is not A.ACCEPT):
        m.holder = None
    if m.state is not before:
        m.too_late = False
    m.past.append(act)


def hash_of(text: int) -> str:
    return f"{text:064x}"


def apply(facts: FilingFacts, act: Act, who: str, to: State, effects: tuple[Effect, ...]) -> FilingFacts:
    """Hands for the effects that a guard can see."""
    changes: dict[str, Any] = {"state": to}
    for effect in effects:
        match effect:
            case Effect.SET_CLAIM:
                changes["claimed_by"] = who
            case Effect.CLEAR_CLAIM:
                changes["claimed_by"] = None
            case Effect.KEEP_CONSENT:
                changes["consented_sha256"] = facts.consent_sha256
            case Effect.CHANGE:
                changes["consent_sha256"] = hash_of(int(facts.consent_sha256 or "0", 16) + 1)
            case Effect.KEEP_ORIGIN:
                changes |= {"returned_from": facts.state, "returned_before": True}
            case Effect.KEEP_RECOMMENDATION:
                changes |= {"recommended_by": who, "recommendation": Proposal.REFUSE}
            case Effect.MARK_DISPUTED:
                changes["disputed"] = True
            case Effect.MARK_PAUSED | Effect.CLEAR_PAUSED:
                changes["paused"] = effect is Effect.MARK_PAUSED
            case _:
                pass
    return replace(facts, **changes)


class Histories(RuleBasedStateMachine):
    story: Story
    facts: FilingFacts
    site: bool = False

    @initialize(own=st.booleans(), asks_main=st.booleans())
    def begins(self, own: bool, asks_main: bool) -> None:
        self.story = Story({"doctor"} if own else {"filer", "manager"}, asks_main)
        self.facts = filing(
            author=Author.PHYSICIAN if own else Author.INSTITUTION,
            filed_by="doctor" if own else "filer",
            consent_sha256=hash_of(0),
            needs_main_consent=asks_main,
            main_on_platform=asks_main,
        )

    def _seen_by(self, who: str) -> FilingFacts:
        m = self.story
        judge = ("R050",) if m.flawed else ()
        submit = (*judge, *(("R105",) if m.unmet else ()), *(() if m.consented == m.text else ("R124",)))
        return replace(
            self.facts,
            actor_conflicts=who == "torn" or PEOPLE[who].physician_id == DOCTOR_ID,
            identity_confirmed=m.signed_in_lately,
            open_judge=judge,
            open_submit=submit,
            open_senior=("R040",) if m.senior_matter else (),
            deemed_at=NOW if m.too_late else None,
            lapses_at=NOW if m.too_late else None,
        )

    def _body(self, act: Act) -> dict[str, Any]:
        return {"text_sha256": self.facts.consent_sha256} if act is A.CONSENT else BODIES.get(act, {})

    def _tries(self, act: Act, who: str) -> None:
        seen, legal = self._seen_by(who), LEGAL[act](self.story, who)
        assert possible(act, who, seen, self._body(act)) == legal
        if not legal:
            return
        move = FILING.decide(seen.state, act, PEOPLE[who], seen, self._body(act))
        self.facts = apply(self.facts, act, who, move.to, move.effects)
        self.site = self.site or Effect.CREATE_SITE in move.effects
        tell(self.story, act, who)

    @rule(act=st.sampled_from(Act), who=st.sampled_from(sorted(PEOPLE)))
    def somebody_tries(self, act: Act, who: str) -> None:
        self._tries(act, who)

    @precondition(lambda self: self.story.state not in ENDED)
    @rule(choices=st.lists(st.integers(0, 59), min_size=1, max_size=12))
    def it_goes_on(self, choices: list[int]) -> None:
        """Several legal steps in a row: blind tries alone would seldom get past the first desk."""
        for choice in choices:
            ways = [(act, who) for act in ONWARD for who in sorted(PEOPLE) if LEGAL[act](self.story, who)]
            if ways:
                self._tries(*ways[choice % len(ways)])

    @rule(flawed=st.booleans(), unmet=st.booleans(), senior=st.booleans())
    def the_rules_say(self, flawed: bool, unmet: bool, senior: bool) -> None:
        self.story.flawed, self.story.unmet, self.story.senior_matter = flawed, unmet and not flawed, senior

    @rule(signed_in_lately=st.booleans())
    def time_passes(self, signed_in_lately: bool) -> None:
        self.story.signed_in_lately = signed_in_lately
        self.story.too_late = not signed_in_lately
        self.story.holder = None  # the lease ran out
        self.facts = replace(self.facts, claimed_by=None)

    @invariant()
    def the_table_tells_the_same_story(self) -> None:
        m, f = self.story, self.facts
        assert f.state is m.state
        assert f.claimed_by == m.holder
        assert (f.disputed, f.paused, f.recommended_by) == (m.disputed, m.paused, m.recommender)

    @invariant()
    def an_approval_rests_on_consent_confirmation_and_a_second_person(self) -> None:
        m = self.story
        assert self.site == (m.state is S.APPROVED)
        if m.state is S.APPROVED:
            assert m.confirmed
            assert m.consented == m.text
            assert A.CLAIM in m.past
            assert A.ACCEPT in m.past
            assert m.decider not in {m.recommender, "torn", *m.authors}
            assert not m.disputed

    @invariant()
    def a_refusal_was_recommended_by_somebody_else(self) -> None:
        if self.story.state is S.REFUSED:
            assert self.story.recommender is not None
            assert self.story.decider != self.story.recommender


Histories.TestCase.settings = settings(
    max_examples=500, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
TestHistories = Histories.TestCase

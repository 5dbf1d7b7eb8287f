"""Random histories of one filing, told to the table and to the model at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.workflows.cases import BODIES, DOCTOR_ID, NOW, PEOPLE, filing, possible
from tests.workflows.filing_story import ENDED, LEGAL, ONWARD, Story, tell
from workflows.filing import FILING, Act, Author, Effect, FilingFacts, Proposal, State


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
        return {"text_sha256": self.facts.consent_sha256} if act is Act.CONSENT else BODIES.get(act, {})

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
        assert self.site == (m.state is State.APPROVED)
        if m.state is State.APPROVED:
            assert m.confirmed
            assert m.consented == m.text
            assert Act.CLAIM in m.past
            assert Act.ACCEPT in m.past
            assert m.decider not in {m.recommender, "torn", *m.authors}
            assert not m.disputed

    @invariant()
    def a_refusal_was_recommended_by_somebody_else(self) -> None:
        if self.story.state is State.REFUSED:
            assert self.story.recommender is not None
            assert self.story.decider != self.story.recommender


Histories.TestCase.settings = settings(
    max_examples=500, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
TestHistories = Histories.TestCase

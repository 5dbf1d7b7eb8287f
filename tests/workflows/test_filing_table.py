"""What holds for the whole filing table."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from auth.roles import Role
from tests.workflows.cases import BODIES, NOW, PEOPLE, TEXT, decide, filing, possible
from workflows.filing import FILING, Act, Author, Effect, FilingFacts, State
from workflows.machine import Forbidden, Refused

RULES = st.sampled_from([(), ("R082",)])
PERSON = st.sampled_from([None, "reviewer", "both", "senior"])


@st.composite
def cases(draw: st.DrawFn) -> FilingFacts:
    """Facts as they may come, whether or not a filing could get there."""
    flag = st.booleans()
    return filing(
        State.DRAFT,
        author=draw(st.sampled_from(Author)),
        filed_by=draw(st.sampled_from(["filer", "doctor", "both"])),
        attested_by=draw(st.sampled_from([None, "both"])),
        recommended_by=draw(PERSON),
        claimed_by=draw(PERSON),
        identity_confirmed=draw(flag),
        consented_sha256=draw(st.sampled_from([None, TEXT])),
        open_judge=draw(RULES),
        open_submit=draw(RULES),
        open_senior=draw(RULES),
        needs_main_consent=draw(flag),
        main_on_platform=draw(flag),
        disputed=draw(flag),
        paused=draw(flag),
        returned_from=draw(st.sampled_from([None, State.SUBMITTED, State.REVIEW])),
        returned_before=draw(flag),
        actor_conflicts=draw(flag),
        physician_id=draw(st.sampled_from([None, filing().physician_id])),
        deemed_at=draw(st.sampled_from([None, NOW, NOW + timedelta(days=1)])),
        lapses_at=draw(st.sampled_from([None, NOW, NOW + timedelta(days=1)])),
    )


def outcome(act: Act, who: str, facts: FilingFacts) -> str:
    """`allowed`, the words of the refusal, or `never` for an act that is not this actor's from this state."""
    # A disputed filing can be recommended for refusal; the body that fits says so.
    try:
        FILING.decide(facts.state, act, PEOPLE[who], facts, BODIES.get(act, {}))
    except Forbidden:
        return "never"
    except Refused as refused:
        return "never" if refused.refusal.code == "not_from_here" else refused.refusal.text.en
    return "allowed"


@settings(max_examples=60, deadline=None)
@given(cases())
def test_an_offer_is_what_decide_would_answer(base: FilingFacts) -> None:
    for state, who in product(State, PEOPLE):
        facts = filing(**{**vars(base), "state": state})
        offered = {offer.act: offer for offer in FILING.offers(state, PEOPLE[who], facts)}
        for act in Act:
            answer = outcome(act, who, facts)
            if act in offered:
                shown = offered[act]
                assert answer == ("allowed" if shown.allowed else shown.why_not and shown.why_not.en)
            else:
                # Not offered: never theirs, or theirs in other states only.
                assert answer == "never" or answer.startswith("Reserved to")


@settings(max_examples=60, deadline=None)
@given(cases())
def test_every_refusal_speaks_both_languages_without_an_empty_place(base: FilingFacts) -> None:
    for state, who in product(State, PEOPLE):
        facts = filing(**{**vars(base), "state": state})
        for offer in FILING.offers(state, PEOPLE[who], facts):
            if offer.why_not:
                assert offer.why_not.zh
                assert offer.why_not.en
                assert not set("{}—") & set(offer.why_not.zh + offer.why_not.en)


def test_nobody_acts_on_what_is_decided() -> None:
    for state in FILING.final:
        assert not any(FILING.offers(state, actor, filing(state)) for actor in PEOPLE.values())


def test_a_role_that_has_no_part_in_filings_can_do_nothing() -> None:
    for act in Act:
        assert not any(possible(act, "verifier", filing(state)) for state in State)
    assert not any(FILING.offers(state, PEOPLE["verifier"], filing(state)) for state in State)


def test_every_effect_is_used_and_every_act_has_a_name() -> None:
    declared = {effect for row in FILING.table for effect in row.effects}
    chosen = {
        effect for row in FILING.table for effects in getattr(row.to, "targets", {}).values() for effect in effects
    }
    assert declared | chosen == set(Effect)
    assert set(FILING.acts) == set(Act)
    assert set(FILING.states) == set(State)


def test_no_path_leads_to_approval_without_consent_confirmation_and_a_second_pair_of_eyes() -> None:
    """By the table alone: every edge into SUBMITTED and APPROVED keeps what the decision rests on."""
    into_authority = {
        (source, row.act)
        for row in FILING.table
        for source in row.sources
        if State.SUBMITTED in row.targets(source) and source is not State.SUBMITTED
    }
    assert into_authority == {
        (State.DRAFT, Act.ATTEST),
        (State.WAIT_PHYSICIAN, Act.CONSENT),
        (State.WAIT_INST, Act.CONFIRM),
        (State.WAIT_MAIN, Act.AGREE),
        (State.CORRECTION, Act.RESUBMIT),
    }
    (attesting,) = [row for row in FILING.table if row.act is Act.ATTEST]
    assert {"attestation_is_allowed", "is_of_a_roster", "is_not_who_filed", "row_is_sound"} <= {
        getattr(guard, "__name__", "") for guard in attesting.guards
    }
    assert {Effect.KEEP_ATTESTATION, Effect.KEEP_CONFIRMATION} <= set(attesting.effects)
    into_waiting = {
        row.to: (source, row.effects)
        for row in FILING.table
        for source in row.sources
        if row.to in (State.WAIT_PHYSICIAN, State.WAIT_INST)
    }
    assert into_waiting == {
        State.WAIT_PHYSICIAN: (State.DRAFT, (Effect.KEEP_CONFIRMATION,)),
        State.WAIT_INST: (State.DRAFT, (Effect.KEEP_CONSENT,)),
    }
    approving = [row for row in FILING.table if row.to is State.APPROVED]
    assert {source for row in approving for source in row.sources} == {State.REVIEW, State.SENIOR}
    for row in approving:
        guards = {getattr(guard, "__name__", "") for guard in row.guards}
        assert {"holds_the_claim", "is_a_second_person", "nothing_is_open", "not_disputed"} <= guards
        assert Effect.CREATE_SITE in row.effects
        assert row.fresh


def test_only_approval_creates_a_site() -> None:
    creating = {row.act for row in FILING.table if Effect.CREATE_SITE in row.effects}
    assert creating == {Act.APPROVE}


def test_what_leaves_the_authority_drops_its_claim_and_what_ends_stops_its_clock() -> None:
    for row in FILING.table:
        for source in row.sources:
            ends = row.targets(source) <= FILING.final
            if ends and source in {State.SUBMITTED, State.REVIEW, State.SENIOR}:
                assert {Effect.STOP_CLOCK, Effect.CLEAR_CLAIM} <= set(row.effects)


def test_the_rules_run_again_before_a_filing_is_sent_off_consented_accepted_and_approved() -> None:
    assert {row.act for row in FILING.table if row.fresh} == {Act.PROPOSE, Act.CONSENT, Act.ACCEPT, Act.APPROVE}


def test_only_the_receiving_authoritys_people_touch_what_it_decides() -> None:
    officers = {Role.REVIEWER, Role.SENIOR}
    for act in (Act.ACCEPT, Act.NOT_ACCEPT, Act.RETURN, Act.RECOMMEND, Act.APPROVE, Act.REFUSE, Act.CLAIM):
        roles = {role for row in FILING.table if row.act is act for party in row.by for role in party.roles}
        assert roles <= officers


def test_a_decision_needs_no_more_than_its_body() -> None:
    assert (
        decide(Act.ACCEPT, "reviewer", filing(State.SUBMITTED, claimed_by="reviewer"), {"note": None}).to
        is State.REVIEW
    )

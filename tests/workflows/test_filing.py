"""The guards of the filing table, as sentences."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from auth.roles import Role
from tests.workflows.cases import NOW, PEOPLE, TARGET, decide, filing, person, possible, refusal
from workflows.filing import FILING, OPEN, Act, Author, Effect, FilingFacts, Proposal, State
from workflows.machine import Forbidden, Refused


def claimed(state: State, who: str, **facts: Any) -> FilingFacts:
    return filing(state, claimed_by=who, **facts)


def code(act: Act, who: str, facts: FilingFacts, body: dict[str, Any] | None = None) -> str | None:
    found = refusal(act, who, facts, body)
    return found.code if found else None


def test_the_institutions_filing_asks_the_physician_and_counts_as_its_confirmation() -> None:
    move = decide(Act.PROPOSE, "filer", filing())
    assert (move.to, move.effects) == (State.WAIT_PHYSICIAN, (Effect.KEEP_CONFIRMATION,))


def test_the_physicians_own_filing_asks_the_institution_and_counts_as_their_consent() -> None:
    move = decide(Act.PROPOSE, "doctor", filing(author=Author.PHYSICIAN, filed_by="doctor"))
    assert (move.to, move.effects) == (State.WAIT_INST, (Effect.KEEP_CONSENT,))


def test_only_the_author_proposes() -> None:
    assert code(Act.PROPOSE, "doctor", filing()) == "not_yours"
    assert code(Act.PROPOSE, "filer", filing(author=Author.PHYSICIAN, filed_by="doctor")) == "not_yours"
    assert code(Act.PROPOSE, "filer elsewhere", filing()) == "not_yours"


def test_a_physician_whom_the_register_does_not_know_is_not_proposed() -> None:
    found = refusal(Act.PROPOSE, "filer", filing(physician_id=None))
    assert found
    assert (found.code, found.rules) == ("unknown_physician", ("R022",))


def test_a_physician_corrects_an_own_filing_that_the_register_does_not_know_yet() -> None:
    own = filing(author=Author.PHYSICIAN, filed_by="doctor", physician_id=None)
    assert possible(Act.AMEND, "doctor", own)
    assert not possible(Act.AMEND, "namesake", own)


def test_an_open_finding_of_the_row_stops_proposing_and_is_named() -> None:
    found = refusal(Act.PROPOSE, "filer", filing(open_judge=("R021", "R050")))
    assert found
    assert found.rules == ("R021", "R050")
    assert "R021" in found.text.zh
    assert "R050" in found.text.en


def test_proposing_twice_is_refused() -> None:
    assert code(Act.PROPOSE, "filer", filing(State.WAIT_PHYSICIAN)) == "not_from_here"


def test_the_hospital_can_never_consent_for_the_physician() -> None:
    with pytest.raises(Forbidden):
        decide(Act.CONSENT, "filer", filing(State.WAIT_PHYSICIAN))


def test_another_physician_cannot_consent() -> None:
    assert code(Act.CONSENT, "namesake", filing(State.WAIT_PHYSICIAN)) == "not_yours"


def test_consent_needs_a_confirmed_identity_and_the_text_shown() -> None:
    waiting = filing(State.WAIT_PHYSICIAN)
    assert code(Act.CONSENT, "doctor", filing(State.WAIT_PHYSICIAN, identity_confirmed=False)) == "identity_unconfirmed"
    assert code(Act.CONSENT, "doctor", waiting, {"text_sha256": "0" * 64}) == "text_changed"
    assert code(Act.CONSENT, "doctor", waiting, {}) == "field_missing"
    assert possible(Act.CONSENT, "doctor", waiting)


@pytest.mark.parametrize(
    ("needed", "on_platform", "to"),
    [
        (True, True, State.WAIT_MAIN),
        (True, False, State.SUBMITTED),
        (False, True, State.SUBMITTED),
    ],
)
def test_the_main_institution_is_asked_where_it_must_agree_and_can(needed: bool, on_platform: bool, to: State) -> None:
    facts = filing(State.WAIT_PHYSICIAN, needs_main_consent=needed, main_on_platform=on_platform)
    move = decide(Act.CONSENT, "doctor", facts)
    assert move.to is to
    assert (Effect.RECEIVE in move.effects) == (to is State.SUBMITTED)


def test_what_was_amended_after_consent_needs_a_new_one() -> None:
    assert code(Act.CONSENT, "doctor", filing(State.REVIEW)) == "consent_holds"
    move = decide(Act.CONSENT, "doctor", filing(State.REVIEW, consented_sha256="b" * 64))
    assert move.to is State.REVIEW
    assert Effect.KEEP_CONSENT in move.effects


def test_nobody_confirms_what_they_filed() -> None:
    both = person("doctor", (Role.PHYSICIAN, TARGET), (Role.MANAGER, TARGET), physician=PEOPLE["doctor"].physician_id)
    own = filing(State.WAIT_INST, author=Author.PHYSICIAN, filed_by="doctor")
    with pytest.raises(Refused, match="own_filing"):
        FILING.decide(own.state, Act.CONFIRM, both, own, {})
    assert decide(Act.CONFIRM, "manager", own).to is State.SUBMITTED


def test_each_institution_answers_for_itself() -> None:
    assert code(Act.CONFIRM, "main manager", filing(State.WAIT_INST, author=Author.PHYSICIAN)) == "not_yours"
    assert code(Act.AGREE, "manager", filing(State.WAIT_MAIN)) == "not_yours"
    assert decide(Act.AGREE, "main manager", filing(State.WAIT_MAIN)).to is State.SUBMITTED
    assert decide(Act.OBJECT, "main manager", filing(State.WAIT_MAIN)).to is State.WITHDRAWN
    assert code(Act.AGREE, "main manager", filing(State.WAIT_MAIN, main_institution=None)) == "not_yours"
    assert code(Act.AGREE, "main manager", filing(State.WAIT_MAIN, filed_by="main manager")) == "own_filing"


def test_a_second_claim_is_refused_and_the_holder_renews_instead() -> None:
    assert code(Act.CLAIM, "both", claimed(State.SUBMITTED, "reviewer")) == "claimed"
    assert code(Act.CLAIM, "reviewer", claimed(State.SUBMITTED, "reviewer")) == "yours_already"
    assert possible(Act.RENEW, "reviewer", claimed(State.SUBMITTED, "reviewer"))
    assert code(Act.RENEW, "both", claimed(State.SUBMITTED, "reviewer")) == "claimed"
    assert code(Act.RENEW, "reviewer", filing(State.SUBMITTED)) == "not_claimed"


def test_a_claim_is_refused_for_a_conflict_of_interest() -> None:
    found = refusal(Act.CLAIM, "torn", filing(State.SUBMITTED, actor_conflicts=True))
    assert found
    assert found.rules == ("R138",)


def test_reviewers_claim_what_is_submitted_and_seniors_what_is_theirs() -> None:
    assert possible(Act.CLAIM, "reviewer", filing(State.REVIEW))
    assert code(Act.CLAIM, "senior", filing(State.REVIEW)) == "not_yours"
    assert code(Act.CLAIM, "reviewer", filing(State.SENIOR)) == "not_yours"
    assert possible(Act.CLAIM, "senior", filing(State.SENIOR))
    assert code(Act.CLAIM, "reviewer elsewhere", filing(State.REVIEW)) == "not_yours"


def test_whoever_filed_attested_or_recommended_cannot_approve() -> None:
    for role in ("filed_by", "attested_by", "recommended_by"):
        found = refusal(Act.APPROVE, "both", claimed(State.SENIOR, "both", **{role: "both"}))
        assert found
        assert found.rules == ("R139",)
    assert possible(Act.APPROVE, "both", claimed(State.SENIOR, "both", recommended_by="reviewer"))


def test_whoever_recommended_cannot_refuse() -> None:
    assert code(Act.REFUSE, "both", claimed(State.SENIOR, "both", recommended_by="both")) == "same_person"
    assert possible(Act.REFUSE, "senior", claimed(State.SENIOR, "senior", recommended_by="both"))


def test_approval_needs_the_claim() -> None:
    assert code(Act.APPROVE, "reviewer", filing(State.REVIEW)) == "not_claimed"
    assert code(Act.APPROVE, "reviewer", claimed(State.REVIEW, "both")) == "claimed"
    assert code(Act.APPROVE, "senior", filing(State.SENIOR)) == "not_claimed"


def test_an_open_finding_stops_approval_and_is_named() -> None:
    for state, who in ((State.REVIEW, "reviewer"), (State.SENIOR, "senior")):
        found = refusal(Act.APPROVE, who, claimed(state, who, open_submit=("R082",)))
        assert found
        assert (found.code, found.rules) == ("findings_open", ("R082",))


def test_a_senior_finding_is_for_a_senior() -> None:
    assert code(Act.APPROVE, "reviewer", claimed(State.REVIEW, "reviewer", open_senior=("R040",))) == "senior_needed"
    assert possible(Act.APPROVE, "senior", claimed(State.SENIOR, "senior", open_senior=("R040",)))


def test_there_is_one_correction_notice() -> None:
    assert possible(Act.RETURN, "reviewer", claimed(State.REVIEW, "reviewer"))
    found = refusal(Act.RETURN, "reviewer", claimed(State.REVIEW, "reviewer", returned_before=True))
    assert found
    assert found.rules == ("R131",)
    assert possible(Act.RECOMMEND, "reviewer", claimed(State.REVIEW, "reviewer", returned_before=True))


def test_a_resubmission_goes_where_it_came_from() -> None:
    for origin in (State.SUBMITTED, State.REVIEW):
        move = decide(Act.RESUBMIT, "filer", filing(State.CORRECTION, returned_from=origin))
        assert move.to is origin
        assert move.effects == (Effect.RESUME_CLOCK, Effect.EVALUATE)


def test_officers_explain_what_they_turn_down() -> None:
    for act, state, who in (
        (Act.RETURN, State.SUBMITTED, "reviewer"),
        (Act.NOT_ACCEPT, State.SUBMITTED, "reviewer"),
        (Act.REFUSE, State.SENIOR, "senior"),
    ):
        assert code(act, who, claimed(state, who), {}) == "field_missing"


def test_a_recommendation_says_what_and_for_a_refusal_why() -> None:
    case = claimed(State.REVIEW, "reviewer")
    assert code(Act.RECOMMEND, "reviewer", case, {"decision": "perhaps"}) == "no_such_decision"
    assert code(Act.RECOMMEND, "reviewer", case, {"decision": "refuse"}) == "reasons_missing"
    move = decide(Act.RECOMMEND, "reviewer", case, {"decision": Proposal.APPROVE})
    assert move.to is State.SENIOR
    assert Effect.CLEAR_CLAIM in move.effects


def test_a_pause_has_a_cause_of_the_law_and_ends_before_the_decision() -> None:
    assert code(Act.PAUSE, "reviewer", claimed(State.REVIEW, "reviewer"), {"cause": "holiday"}) == "no_such_cause"
    paused = claimed(State.SENIOR, "senior", paused=True)
    assert code(Act.PAUSE, "senior", paused) == "paused"
    assert code(Act.APPROVE, "senior", paused) == "paused"
    assert code(Act.REFUSE, "senior", paused) == "paused"
    assert possible(Act.RESUME, "senior", paused)
    assert code(Act.RESUME, "senior", claimed(State.SENIOR, "senior")) == "not_paused"


def test_silence_of_the_authority_counts_as_acceptance_only_after_the_limit() -> None:
    assert code(Act.ACCEPT, "clock", filing(State.SUBMITTED, deemed_at=NOW + timedelta(seconds=1))) == "too_early"
    assert code(Act.ACCEPT, "clock", filing(State.SUBMITTED, deemed_at=None)) == "too_early"
    move = decide(Act.ACCEPT, "clock", filing(State.SUBMITTED, deemed_at=NOW))
    assert (move.to, move.effects) == (State.REVIEW, (Effect.ACCEPT_FROM_RECEIPT,))


def test_what_waits_too_long_lapses() -> None:
    for state in (State.WAIT_PHYSICIAN, State.WAIT_INST, State.WAIT_MAIN, State.CORRECTION):
        assert decide(Act.LAPSE, "clock", filing(state, lapses_at=NOW)).to is State.WITHDRAWN
        assert code(Act.LAPSE, "clock", filing(state, lapses_at=NOW + timedelta(days=1))) == "too_early"
    with pytest.raises(Forbidden):
        decide(Act.LAPSE, "filer", filing(State.CORRECTION, lapses_at=NOW))


def test_a_disputed_filing_goes_nowhere_but_to_an_end_without_approval() -> None:
    open_ends: set[tuple[State, Act]] = set()
    for state in OPEN:
        facts = filing(state, disputed=True, deemed_at=NOW, lapses_at=NOW, returned_from=State.REVIEW)
        for act in Act:
            for who in PEOPLE:
                held = filing(**{**vars(facts), "claimed_by": who})
                for case in (facts, held):
                    if possible(act, who, case):
                        open_ends.add((decide(act, who, case).to, act))
    moving = {(to, act) for to, act in open_ends if act not in {Act.CLAIM, Act.RENEW, Act.RELEASE, Act.PAUSE}}
    assert moving == {
        (State.WITHDRAWN, Act.WITHDRAW),
        (State.WITHDRAWN, Act.DECLINE),
        (State.WITHDRAWN, Act.OBJECT),
        (State.WITHDRAWN, Act.REFUSE_CONSENT),
        (State.WITHDRAWN, Act.LAPSE),
        (State.NOT_ACCEPTED, Act.NOT_ACCEPT),
        (State.SENIOR, Act.RECOMMEND),
        (State.REFUSED, Act.REFUSE),
    }


def test_a_dispute_is_the_physicians_and_recorded_once() -> None:
    assert decide(Act.DISPUTE, "doctor", filing(State.REVIEW)).effects == (Effect.MARK_DISPUTED,)
    assert code(Act.DISPUTE, "doctor", filing(State.REVIEW, disputed=True)) == "already_disputed"
    with pytest.raises(Forbidden):
        decide(Act.DISPUTE, "filer", filing(State.REVIEW))


def test_a_disputed_filing_is_not_recommended_for_approval() -> None:
    case = claimed(State.REVIEW, "reviewer", disputed=True)
    assert code(Act.RECOMMEND, "reviewer", case, {"decision": "approve"}) == "disputed"


def test_author_and_physician_withdraw_until_the_decision() -> None:
    for state in OPEN:
        for who in ("filer", "manager", "doctor"):
            assert decide(Act.WITHDRAW, who, filing(state)).to is State.WITHDRAWN
    assert code(Act.WITHDRAW, "filer", filing(State.APPROVED)) == "not_from_here"


def test_a_physician_whose_role_was_withdrawn_has_no_part_in_the_filing() -> None:
    left = person("doctor", (Role.FILER, "08818209861011311A5181"), physician=PEOPLE["doctor"].physician_id)
    with pytest.raises(Refused, match="not_yours"):
        FILING.decide(State.REVIEW, Act.WITHDRAW, left, filing(State.REVIEW), {})

"""Judging under an authority's policy."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest

from tests.workflows.rules.applications import FACTS, SOURCE, TARGET, application, practice
from workflows.codes import FilingType
from workflows.rules.book import BOOK, Book
from workflows.rules.engine import Judgement, judge
from workflows.rules.facts import Answer, Disqualification, Facts, RegistrationStatus
from workflows.rules.rule import Finding, Outcome, Section, Stage, Status

JUDGE = [Stage.JUDGE]
BROKEN_ID = {"id_number": "110105194912310021"}


def rules(judgement: Judgement) -> list[str]:
    return [finding.rule for finding in judgement.findings]


def only(rule: str, facts: Facts) -> Finding:
    (finding,) = [f for f in judge(facts, [BOOK[rule].stage]).findings if f.rule == rule]
    return finding


def test_findings_come_failed_first_and_then_by_id() -> None:
    facts = application(
        person=BROKEN_ID,
        scopes=frozenset({"11", "12"}),
        registration={"status": RegistrationStatus.SUSPENDED, "scopes": frozenset({"11"})},
        institution={"subjects": frozenset({"02", "04"})},
    )
    judgement = judge(facts, JUDGE)
    assert rules(judgement) == ["R023", "R001", "R010", "R070", "R073", "R077"]
    assert judgement.outcome() is Outcome.REJECT
    assert judgement.open_rules() == ("R023", "R001", "R010", "R070", "R073")


def test_the_worst_outcome_wins_and_a_warning_stops_nothing() -> None:
    facts = application(scopes=frozenset({"11", "12"}))
    assert judge(facts, JUDGE).outcome() is Outcome.WARN
    assert judge(facts, JUDGE).open_rules() == ()
    assert judge(replace(facts, valid_to=None), JUDGE).outcome() is Outcome.RETURN


def test_only_the_stages_asked_for_are_judged() -> None:
    facts = application(person=BROKEN_ID, papers=replace(FACTS.papers, attested=False))
    assert "R124" not in rules(judge(facts, JUDGE))
    assert "R001" not in rules(judge(facts, [Stage.SUBMIT]))
    assert {"R001", "R124"} <= set(rules(judge(facts, [Stage.JUDGE, Stage.SUBMIT])))


def test_a_judgement_names_the_policy_it_was_made_under() -> None:
    assert judge(FACTS, JUDGE).policy_version == FACTS.policy.version


def test_rules_over_the_register_are_silent_until_name_and_code_match() -> None:
    facts = application(
        registered={"name_key": "何某"},
        registration={"status": RegistrationStatus.SUSPENDED, "category": "2"},
        institution={"subjects": frozenset({"13"})},
    )
    assert rules(judge(facts, JUDGE)) == ["R022"]
    matched = replace(facts, registered=replace(facts.registered, name_key="李四光")) if facts.registered else facts
    assert {"R023", "R070", "R071", "R072"} & set(rules(judge(matched, JUDGE))) == {"R023", "R071", "R072"}


def test_a_first_registration_has_no_entry_to_match() -> None:
    facts = application(type=FilingType.FIRST_REG, institution={"subjects": frozenset({"13"})}, registered=None)
    facts = replace(facts, registered=None, person=replace(facts.person, practising_code=""))
    assert rules(judge(facts, JUDGE)) == ["R072"]


def test_without_any_registration_in_force_only_its_absence_is_told() -> None:
    facts = application(
        type=FilingType.SITE_FILE, registration={"status": RegistrationStatus.CANCELLED, "province": "44"}
    )
    assert rules(judge(facts, JUDGE)) == ["R021"]


def test_an_authority_switches_a_rule_off_and_on() -> None:
    short = application(valid_to=date(2032, 1, 1), policy={"switches": {"R104": "off"}})
    assert "R104" not in rules(judge(short, JUDGE))
    old = application(policy={"switches": {"R003": "on"}})
    assert only("R003", old).outcome is Outcome.WARN
    assert "R003" not in rules(judge(FACTS, JUDGE))


def test_an_authority_changes_the_outcome_of_a_rule() -> None:
    facts = application(scopes=frozenset({"11", "12"}), policy={"switches": {"R077": "return"}})
    assert only("R077", facts).outcome is Outcome.RETURN


def test_a_switched_outcome_does_not_turn_cannot_tell_into_a_failure() -> None:
    facts = application(institution={"licence_until": None}, policy={"switches": {"R074": "reject"}})
    assert only("R074", facts).outcome is Outcome.SENIOR


def test_a_source_that_is_not_connected_is_shown_without_weight() -> None:
    judgement = judge(FACTS, [Stage.SUBMIT])
    shown = {f.rule for f in judgement.findings if f.outcome is Outcome.NOT_EVALUATED}
    assert shown == {"R008", "R063", "R084", "R085", "R086", "R088", "R102", "R120", "R122"}
    assert (judgement.outcome(), judgement.open_rules()) == (Outcome.OK, ())
    assert "尚未接入" in judgement.findings[0].message.zh


def test_at_a_physical_institution_the_sources_of_internet_hospitals_are_not_asked() -> None:
    facts = application(institution={"internet": False, "name": "海南省人民医院"})
    shown = {f.rule for f in judge(facts, [Stage.SUBMIT]).findings if f.outcome is Outcome.NOT_EVALUATED}
    assert shown == {"R008", "R063", "R102", "R120", "R122"}


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (None, Outcome.SENIOR),
        (Answer(holds=True, source=SOURCE, fresh=False), Outcome.SENIOR),
        (Answer(holds=False, source=SOURCE), Outcome.RETURN),
        (Answer(holds=True, source=SOURCE), Outcome.OK),
    ],
)
def test_a_connected_source_that_is_silent_or_stale_is_never_a_yes(answer: Answer | None, outcome: Outcome) -> None:
    everything = frozenset({"R008", "R063", "R084", "R085", "R086", "R088", "R102", "R120", "R122"})
    yes = dict.fromkeys(everything, Answer(holds=True, source=SOURCE))
    answers = {**yes, "R008": answer} if answer else {rule: yes[rule] for rule in everything - {"R008"}}
    facts = application(policy={"connected": everything}, answers=answers)
    assert judge(facts, [Stage.SUBMIT]).outcome() is outcome


def test_an_equal_open_filing_makes_a_roster_row_unchanged_and_a_single_filing_returned() -> None:
    same = practice(
        kind="filing", institution=TARGET, valid_from=FACTS.valid_from, valid_to=FACTS.valid_to, scopes=FACTS.scopes
    )
    judgement = judge(application(practices=(practice(institution=TARGET), same)), JUDGE)
    assert only("R057", application(practices=(same,))).evidence["equal"] is True
    assert judgement.outcome() is Outcome.RETURN
    assert judgement.outcome(unchanged=True) is Outcome.UNCHANGED


def test_unchanged_does_not_hide_what_is_worse() -> None:
    same = practice(institution=TARGET, valid_from=FACTS.valid_from, valid_to=FACTS.valid_to, scopes=FACTS.scopes)
    judgement = judge(application(practices=(same,), person=BROKEN_ID), JUDGE)
    assert judgement.outcome(unchanged=True) is Outcome.RETURN


@pytest.mark.parametrize("change", [{"scopes": frozenset({"12"})}, {"valid_to": date(2028, 12, 30)}])
def test_a_practice_that_differs_in_term_or_scopes_is_not_equal(change: dict[str, object]) -> None:
    same = practice(institution=TARGET, valid_from=FACTS.valid_from, valid_to=FACTS.valid_to, scopes=FACTS.scopes)
    judgement = judge(application(practices=(replace(same, **change),)), JUDGE)  # type: ignore[arg-type]
    assert judgement.outcome(unchanged=True) is Outcome.RETURN


def test_the_later_of_two_equal_rows_is_returned_also_when_a_filing_is_open() -> None:
    same = practice(institution=TARGET, valid_from=FACTS.valid_from, valid_to=FACTS.valid_to, scopes=FACTS.scopes)
    assert judge(application(practices=(same,), duplicate_of="3"), JUDGE).outcome(unchanged=True) is Outcome.RETURN


def test_the_message_names_the_place_of_the_mistake() -> None:
    finding = only("R001", application(person=BROKEN_ID))
    assert finding.message.zh == "身份证件号码校验未通过，请核对第18位。"
    assert finding.evidence == {"position": 18}


def test_the_message_of_a_suspension_names_its_end_or_says_that_it_is_open() -> None:
    suspended = {"status": RegistrationStatus.SUSPENDED}
    until = only("R023", application(registration=suspended | {"status_to": date(2027, 5, 1)}))
    assert "2027-05-01" in until.message.zh
    open_end = only("R023", application(registration=suspended))
    assert (open_end.message.zh, open_end.message.en) == (
        "医师处于暂停执业期，至另行通知。",
        "The physician is suspended until further notice.",
    )


def test_a_limit_is_told_in_the_readers_language() -> None:
    message = only("R104", application(policy={"max_term_days": 365})).message
    assert ("365天" in message.zh, "365 days" in message.en) == (True, True)


def test_the_wrong_authority_is_told_the_right_one() -> None:
    finding = only("R060", application(institution={"authority": "460100", "authority_name": "海口市卫生健康委员会"}))
    assert "海口市卫生健康委员会" in finding.message.zh


def test_the_longest_running_ground_decides_the_end_of_a_bar() -> None:
    grounds = (
        Disqualification("D02", date(2024, 12, 1), None, SOURCE),
        Disqualification("D02", date(2020, 1, 1), date(2030, 1, 1), SOURCE),
    )
    facts = application(type=FilingType.ADD_REG, registered={"disqualifications": grounds})
    assert only("R025", facts).evidence["until"] == "2030-01-01"


def test_a_revocation_without_a_date_is_for_a_senior() -> None:
    facts = application(type=FilingType.ADD_REG, registration={"status": RegistrationStatus.REVOKED})
    assert only("R024", facts).outcome is Outcome.SENIOR


def test_a_cross_province_filing_of_somebody_registered_here_is_sent_to_the_right_form() -> None:
    finding = only("R062", application(registration={"place": "46", "province": "46"}))
    assert "多机构备案" in finding.message.zh


def test_a_kept_finding_is_json_and_holds_no_number_of_a_person() -> None:
    facts = application(
        person=BROKEN_ID | {"qualification_code": "x", "practising_code": "1"},
        registration={"status": RegistrationStatus.SUSPENDED, "status_to": date(2027, 5, 1)},
        valid_to=None,
        institution={"authority": "440000"},
    )
    kept = json.dumps([f.row() for f in judge(facts, list(Stage)).findings], ensure_ascii=False)
    assert "R001" in kept
    assert BROKEN_ID["id_number"] not in kept
    assert facts.person.name not in kept


def test_a_finding_says_where_the_fact_was_read_and_when() -> None:
    row = only("R023", application(registration={"status": RegistrationStatus.SUSPENDED})).row()
    assert (row["source"], row["source_at"]) == (SOURCE.name, SOURCE.at.isoformat())


def test_an_id_cannot_stand_twice_in_a_book() -> None:
    twice = Section("一", "One")
    for _ in range(2):
        twice.note("R001", Stage.JUDGE, Outcome.WARN, "C", when="", what="", basis="", zh="", en="")
    with pytest.raises(ValueError, match="twice"):
        Book([twice])


def test_the_book_holds_134_rules_and_says_of_each_whether_it_is_built() -> None:
    assert len(BOOK) == 134
    assert sum(rule.status is Status.SOURCE_NOT_CONNECTED for rule in BOOK) == 9
    assert all(rule.text.zh and rule.text.en and rule.basis and rule.when and rule.what for rule in BOOK)

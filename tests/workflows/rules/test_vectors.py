"""Every built rule against its vectors."""

from __future__ import annotations

import pytest

from tests.workflows.cases import refusal
from tests.workflows.rules.applications import FACTS
from tests.workflows.rules.vectors import GUARDED, VECTORS
from workflows.rules.book import BOOK
from workflows.rules.engine import judge
from workflows.rules.facts import Facts
from workflows.rules.rule import Outcome, Stage, Status

HOLDS = [(rule, facts) for rule, (holds, _) in VECTORS.items() for facts in holds]
FAILS = [(rule, facts) for rule, (_, fails) in VECTORS.items() for facts in fails]


def test_every_built_rule_has_vectors_on_both_sides() -> None:
    built = {rule.id for rule in BOOK if rule.status is Status.BUILT}
    assert built == {rule for rule, sides in VECTORS.items() if all(sides)} | set(GUARDED)


def test_no_rule_is_judged_that_is_not_built() -> None:
    assert all(rule.check is None for rule in BOOK if rule.status is not Status.BUILT)
    assert {rule.id for rule in BOOK if rule.status is Status.BUILT and rule.check is None} == set(GUARDED)


@pytest.mark.parametrize(("rule", "facts"), HOLDS, ids=[f"{rule}-{n}" for n, (rule, _) in enumerate(HOLDS)])
def test_with_these_facts_the_rule_has_nothing_to_say(rule: str, facts: Facts) -> None:
    judgement = judge(facts, [BOOK[rule].stage])
    assert rule not in [finding.rule for finding in judgement.findings]


@pytest.mark.parametrize(("rule", "facts"), FAILS, ids=[f"{rule}-{n}" for n, (rule, _) in enumerate(FAILS)])
def test_with_these_facts_the_rule_speaks_with_its_own_outcome(rule: str, facts: Facts) -> None:
    (finding,) = [f for f in judge(facts, [BOOK[rule].stage]).findings if f.rule == rule]
    assert finding.outcome is BOOK[rule].outcome
    assert "{" not in finding.message.zh + finding.message.en


@pytest.mark.parametrize("rule", VECTORS)
def test_at_least_one_passing_vector_really_asks_the_rule(rule: str) -> None:
    assert any(rule in judge(facts, [BOOK[rule].stage]).passed for facts in VECTORS[rule][0])


@pytest.mark.parametrize("rule", GUARDED)
def test_the_machine_keeps_the_rules_that_are_guards(rule: str) -> None:
    act, who, goes, stops = GUARDED[rule]
    assert refusal(act, who, goes) is None
    refused = refusal(act, who, stops)
    assert refused is not None
    assert rule in refused.rules


def test_the_sound_application_passes_every_rule() -> None:
    judgement = judge(FACTS, list(Stage))
    assert [f.rule for f in judgement.findings if f.outcome is not Outcome.NOT_EVALUATED] == []
    assert judgement.outcome() is Outcome.OK

"""Judging: which rules speak, what the authority has set for them, and what it all comes to."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache

from workflows.codes import FilingType
from workflows.rules.book import BOOK, Book
from workflows.rules.facts import Facts
from workflows.rules.rule import SEVERITY, STOPPING, Finding, Outcome, Remark, Rule, Stage, Status
from workflows.text import Text

ON, OFF = "on", "off"
# Outcomes an authority may give a rule by its switch.
SWITCHABLE = frozenset({Outcome.REJECT, Outcome.RETURN, Outcome.SENIOR, Outcome.WARN})


@dataclass(frozen=True)
class Judgement:
    """All findings, failed first and then by id; ids of the rules that were asked and had nothing to say; the policy."""

    findings: tuple[Finding, ...]
    passed: tuple[str, ...]
    policy_version: str

    def outcome(self, *, unchanged: bool = False) -> Outcome:
        """The worst outcome, OK when there is none.

        With `unchanged` (a roster row) an equal site or open filing counts as UNCHANGED instead of what R057 says.
        """
        return min(
            (_weight(f, unchanged=unchanged) for f in self.findings), key=SEVERITY.__getitem__, default=Outcome.OK
        )

    def open_rules(self) -> tuple[str, ...]:
        """Rules with a finding that stops an act or needs a senior."""
        return tuple(f.rule for f in self.findings if f.outcome in STOPPING or f.outcome is Outcome.SENIOR)


def judge(facts: Facts, stages: Collection[Stage], rules: Book = BOOK) -> Judgement:
    """What the rules of these stages say of the facts, each under the switches of the policy in them."""
    findings: list[Finding] = []
    passed: list[str] = []
    switches = frozenset(facts.policy.switches.items())
    for stage in stages:
        for rule in _asked(rules, stage, facts.type, facts.institution.internet, switches):
            if rule.needs_match and not rule.fits(facts):
                continue
            ask = rule.check if rule.status is not Status.SOURCE_NOT_CONNECTED else None
            remark = ask(facts) if ask else _answer(rule, facts)
            if remark is None:
                passed.append(rule.id)
            else:
                findings.append(_finding(rule, remark, facts))
    findings.sort(key=lambda finding: (SEVERITY[finding.outcome], finding.rule))
    return Judgement(tuple(findings), tuple(passed), facts.policy.version)


@lru_cache(maxsize=256)  # the same for every row of a roster
def _asked(
    rules: Book, stage: Stage, type_: FilingType, internet: bool, switches: frozenset[tuple[str, str]]
) -> tuple[Rule, ...]:
    """The rules of a stage that are on, have something to ask, and speak of such a filing there."""
    said = dict(switches)
    return tuple(
        rule
        for rule in rules.of(stage)
        if is_on(rule, said)
        and type_ in rule.types
        and (internet or not rule.internet)
        and (rule.check or rule.status is Status.SOURCE_NOT_CONNECTED)
    )


def is_on(rule: Rule, switches: Mapping[str, str]) -> bool:
    """Whether the authority has the rule switched on; one it never set is as the book says."""
    switch = switches.get(rule.id)
    return rule.default if switch is None else switch != OFF


def _finding(rule: Rule, remark: Remark, facts: Facts) -> Finding:
    outcome = remark.outcome or rule.outcome
    switch = facts.policy.switches.get(rule.id, ON)
    if outcome is rule.outcome and switch in SWITCHABLE:
        outcome = Outcome(switch)
    text = remark.text or rule.text
    return Finding(rule.id, outcome, rule.stage, text, rule.basis, remark.args, remark.evidence, remark.source)


def _answer(rule: Rule, facts: Facts) -> Remark | None:
    """What the outside source of the rule said. One that is connected but silent or stale is never taken for a yes."""
    if rule.id not in facts.policy.connected:
        return Remark(outcome=Outcome.NOT_EVALUATED, text=_NOT_EVALUATED)
    answer = facts.answers.get(rule.id)
    if answer is None or not answer.fresh:
        return Remark(source=answer.source if answer else None, outcome=Outcome.SENIOR, text=_CANNOT_CONFIRM)
    return None if answer.holds else Remark(args=answer.args, source=answer.source)


def _weight(finding: Finding, *, unchanged: bool) -> Outcome:
    if finding.outcome is Outcome.NOT_EVALUATED:
        return Outcome.OK
    if unchanged and finding.rule == "R057" and finding.evidence.get("equal"):
        return Outcome.UNCHANGED
    return finding.outcome


_NOT_EVALUATED = Text("未核验：所需外部来源尚未接入。", "Not checked: the outside source is not connected.")
_CANNOT_CONFIRM = Text(
    "无法确认：外部来源未答复或答复已过时，转人工复核。",
    "Cannot confirm: the outside source is silent or its answer too old; senior review.",
)

"""The rule book: every rule by id, and those that speak of a filing at a stage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from workflows.rules import (
    bars,
    certificates,
    duty,
    identity,
    institution,
    internet,
    need,
    papers,
    person,
    place,
    platform,
    procedure,
    registration,
    scope,
    submission,
    term,
)
from workflows.rules.rule import Rule, Section, Stage


class Book:
    """Rules in the order of their ids; ValueError when an id stands twice."""

    def __init__(self, sections: Iterable[Section]) -> None:
        self.sections = tuple(sections)
        rules = sorted((rule for section in self.sections for rule in section.rules), key=lambda rule: rule.id)
        self._rules = {rule.id: rule for rule in rules}
        if len(self._rules) != len(rules):
            raise ValueError("a rule id stands twice in the book")
        self._of_stage = {stage: tuple(rule for rule in rules if rule.stage is stage) for stage in Stage}

    def __iter__(self) -> Iterator[Rule]:
        return iter(self._rules.values())

    def __len__(self) -> int:
        return len(self._rules)

    def __contains__(self, id_: object) -> bool:
        return id_ in self._rules

    def __getitem__(self, id_: str) -> Rule:
        return self._rules[id_]

    def of(self, stage: Stage) -> tuple[Rule, ...]:
        return self._of_stage[stage]


BOOK = Book(
    (
        identity.RULES,
        certificates.RULES,
        institution.RULES,
        registration.RULES,
        bars.RULES,
        person.RULES,
        place.RULES,
        need.RULES,
        scope.RULES,
        internet.RULES,
        term.RULES,
        papers.RULES,
        submission.RULES,
        procedure.RULES,
        duty.RULES,
        platform.RULES,
    )
)

"""What a rule is, and what it may say."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from workflows.codes import FilingType
from workflows.rules.facts import Facts, Source
from workflows.text import Text


class Stage(StrEnum):
    """When a rule is asked (docs/rules.md): the outcome of a roster row is that of its JUDGE rules."""

    JUDGE = "judge"  # the row, the register, the institution
    SUBMIT = "submit"  # consent, papers, outside sources
    REVIEW = "review"  # process, routing, people: asked at the act the rule speaks of
    DUTY = "duty"  # after approval
    ONBOARD = "onboard"  # institutions
    PLATFORM = "platform"


class Outcome(StrEnum):
    """Worst first. A machine proposes; only an officer refuses (个人信息保护法 24)."""

    REJECT = "reject"
    RETURN = "return"
    UNCHANGED = "unchanged"  # of a roster row that equals what stands already
    SENIOR = "senior"
    WARN = "warn"
    OK = "ok"
    NOT_EVALUATED = "not_evaluated"  # without weight


# Open findings of these outcomes stop `propose` and `approve`.
STOPPING = frozenset({Outcome.REJECT, Outcome.RETURN})
SEVERITY = {outcome: rank for rank, outcome in enumerate(Outcome)}


class Status(StrEnum):
    BUILT = "built"
    SOURCE_NOT_CONNECTED = "source_not_connected"
    NOT_BUILT = "not_built"


@dataclass(frozen=True)
class Remark:
    """What a rule found. Evidence is kept and shown: codes, dates and positions, never a person's number.

    `outcome` and `text` only where they differ from the rule's own, as when the facts do not suffice.
    """

    args: Mapping[str, object] = field(default_factory=dict)
    evidence: Mapping[str, object] = field(default_factory=dict)
    source: Source | None = None
    outcome: Outcome | None = None
    text: Text | None = None


@dataclass(frozen=True)
class Finding:
    """A remark under the authority's policy. `text` is a template for `args`; an argument may be a Text itself."""

    rule: str
    outcome: Outcome
    stage: Stage
    text: Text
    basis: str
    args: Mapping[str, object] = field(default_factory=dict)
    evidence: Mapping[str, object] = field(default_factory=dict)
    source: Source | None = None

    @property
    def message(self) -> Text:
        return self.text.filled(self.args)

    def row(self) -> dict[str, object]:
        """As it is kept: plain JSON values, the message in both languages as it read then."""
        return {
            "rule": self.rule,
            "outcome": str(self.outcome),
            "stage": str(self.stage),
            "message": self.message.both(),
            "basis": self.basis,
            "evidence": dict(self.evidence),
            "source": self.source.name if self.source else None,
            "source_at": self.source.at.isoformat() if self.source else None,
        }


Check = Callable[[Facts], Remark | None]

EVERY = frozenset(FilingType)
EXCEPT_FIRST = EVERY - {FilingType.FIRST_REG}
SITES = frozenset({FilingType.SITE_FILE, FilingType.XPROV_FILE})
TERMS = SITES | {FilingType.RENEW_SITE}


@dataclass(frozen=True)
class Rule:
    """One rule with its words. A built rule without `check` is a guard of the filing machine (R138, R139).

    `types`, `internet` and `needs_match` say in code what `when` says in words; outside them the rule is silent.
    `needs_match`: it reads the national register, so it is silent until R022 has passed.
    """

    id: str
    stage: Stage
    outcome: Outcome
    confidence: str  # A: basis read or check run; B: part-sourced; C: policy, unsettled
    when: str
    what: str
    basis: str
    text: Text
    default: bool = True  # on when an authority is set up
    status: Status = Status.NOT_BUILT
    types: Collection[FilingType] = EVERY
    internet: bool = False  # only where the institution is an internet hospital
    needs_match: bool = False
    check: Check | None = None

    def fits(self, facts: Facts) -> bool:
        if facts.type not in self.types or (self.internet and not facts.institution.internet):
            return False
        # A first registration has no entry to match yet (R022 does not speak of it).
        return not self.needs_match or facts.matched is not None or facts.type is FilingType.FIRST_REG


class Section:
    """Rules of one subject, in the order they are written."""

    def __init__(self, zh: str, en: str) -> None:
        self.title = Text(zh, en)
        self.rules: list[Rule] = []

    def rule(
        self,
        id_: str,
        stage: Stage,
        outcome: Outcome,
        confidence: str,
        *,
        when: str,
        what: str,
        basis: str,
        zh: str,
        en: str,
        default: bool = True,
        types: Collection[FilingType] = EVERY,
        internet: bool = False,
        needs_match: bool = False,
    ) -> Callable[[Check], Check]:
        """Puts the function below it into the book under these words."""

        def built(check: Check) -> Check:
            text = Text(zh, en)
            scope = (types, internet, needs_match, check)
            self.rules.append(
                Rule(id_, stage, outcome, confidence, when, what, basis, text, default, Status.BUILT, *scope)
            )
            return check

        return built

    def note(
        self,
        id_: str,
        stage: Stage,
        outcome: Outcome,
        confidence: str,
        *,
        when: str,
        what: str,
        basis: str,
        zh: str,
        en: str,
        default: bool = True,
        types: Collection[FilingType] = EVERY,
        internet: bool = False,
        status: Status = Status.NOT_BUILT,
    ) -> None:
        """A rule of the book that no function here judges, with the honest reason in `status`."""
        text = Text(zh, en)
        self.rules.append(
            Rule(id_, stage, outcome, confidence, when, what, basis, text, default, status, types, internet)
        )

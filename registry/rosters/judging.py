"""Judging rows by the very rules of single filings: facts of a chunk by a few queries, then the pure rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from registry.context import Context
from registry.filings.evaluating import gathered_for
from registry.filings.facts import Application, Gathered
from registry.institutions.tables import Institution
from registry.rosters.rows import Entry, Reading
from workflows.rules.engine import judge
from workflows.rules.facts import Papers
from workflows.rules.rule import Outcome, Stage

GOES = (Outcome.OK, Outcome.WARN, Outcome.SENIOR)  # what `file` files; return and reject stay behind


@dataclass(frozen=True)
class Verdict:
    """What was found of one row; `gathered` are the facts it was judged by, None where it could not be read."""

    outcome: Outcome
    findings: list[dict[str, Any]] = field(default_factory=list)
    gathered: Gathered | None = None

    @property
    def rules(self) -> list[str]:
        return [found["rule"] for found in self.findings]


def judge_rows(context: Context, institution: Institution, rows: Sequence[tuple[Reading, int | None]]) -> list[Verdict]:
    """A verdict for each row, in order. With a row comes the number of an earlier row of the same person and term."""
    entries = [(reading.entry, earlier) for reading, earlier in rows if reading.entry]
    applications = [_application(entry, institution.registration_no, earlier) for entry, earlier in entries if entry]
    gathered = iter(gathered_for(context, applications, [institution]) if applications else ())
    return [_judged(next(gathered)) if reading.entry else _unread(reading) for reading, _ in rows]


def _judged(gathered: Gathered) -> Verdict:
    judgement = judge(gathered.facts, (Stage.JUDGE,))
    return Verdict(
        judgement.outcome(unchanged=True),
        [found.row() for found in judgement.findings if found.outcome is not Outcome.NOT_EVALUATED],
        replace(gathered, judgement=judgement),
    )


def _unread(reading: Reading) -> Verdict:
    return Verdict(Outcome.RETURN, list(reading.findings))


def _application(entry: Entry, institution: str, earlier: int | None) -> Application:
    return Application(
        person=entry.person,
        institution=institution,
        category=entry.category,
        scopes=entry.scopes,
        valid_from=entry.valid_from,
        valid_to=entry.valid_to,
        papers=Papers(institution_confirmed=True),
        level=entry.level,
        activity=entry.activity,
        reason=entry.reason,
        duplicate_of=None if earlier is None else str(earlier),
    )

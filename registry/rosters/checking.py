"""Judging a file without filing it: the reader and the rules of an upload, nothing written."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import islice

from registry.context import Context
from registry.institutions.tables import Institution
from registry.rosters.headings import PRACTISING, VALID_FROM, VALID_TO
from registry.rosters.judging import judge_rows
from registry.rosters.queries import OUTCOMES
from registry.rosters.report import Line
from registry.rosters.rows import Reader, day_or_none
from registry.tabular import Row, Table
from workflows.numbers import normalised
from workflows.text import Text

CHUNK = 1_000


@dataclass
class Example:
    """A rule that spoke: how often, with which outcome, and what it said the first time."""

    row: int
    outcome: str
    message: Text
    rows: int = 0


@dataclass
class Tally:
    """What a file came to, counted as it is judged."""

    rows: int = 0
    outcomes: Counter[str] = field(default_factory=lambda: Counter({str(outcome): 0 for outcome in OUTCOMES}))
    rules: dict[str, Example] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        """Nothing is returned, nothing rejected."""
        return not (self.outcomes["return"] or self.outcomes["reject"])

    def count(self, line: Line) -> None:
        self.rows += 1
        self.outcomes[line.outcome or ""] += 1
        for finding in line.findings:
            example = Example(self.rows, finding["outcome"], Text(**finding["message"]))
            self.rules.setdefault(finding["rule"], example).rows += 1


def check(context: Context, institution: Institution, table: Table, tally: Tally) -> Iterator[Line]:
    """Every row judged as an upload for `institution` would be, in file order, and counted in `tally`.

    Raises `registry.tabular.Unreadable` where the file breaks off.
    """
    reader, seen, rows = Reader(context.codes, institution.registration_no), _Seen(), iter(table)
    while chunk := list(islice(rows, CHUNK)):
        read = [(reader.read(row.line, row.values, row.rounded), seen.earlier(row)) for row in chunk]
        for row, verdict in zip(chunk, judge_rows(context, institution, read), strict=True):
            line = Line(row.cells, str(verdict.outcome), verdict.findings)
            tally.count(line)
            yield line


class _Seen:
    """The rows so far by person: what `working` asks the database of an upload (R057)."""

    def __init__(self) -> None:
        self._terms: dict[str, list[tuple[int, date | None, date | None]]] = defaultdict(list)
        self._rows = 0

    def earlier(self, row: Row) -> int | None:
        """The first row of the same person whose term overlaps; a missing day overlaps with all."""
        self._rows += 1
        code = normalised(row.values[PRACTISING])
        if not code:
            return None
        first, last = day_or_none(row.values[VALID_FROM]), day_or_none(row.values[VALID_TO])
        terms = self._terms[code]
        found = next((n for n, begun, ended in terms if _in_order(begun, last) and _in_order(first, ended)), None)
        terms.append((self._rows, first, last))
        return found


def _in_order(one: date | None, other: date | None) -> bool:
    return one is None or other is None or one <= other

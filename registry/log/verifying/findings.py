"""What a verification says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

_AT_ONCE = 5_000  # rows read together


class Finding(NamedTuple):
    """Something that does not fit; `at` is when the record says it was made."""

    record: str
    field: str
    at: datetime | None
    text: str

    def __str__(self) -> str:
        when = f" ({self.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ})" if self.at else ""
        return f"{self.record}{when}: {self.field}: {self.text}"


@dataclass
class Report:
    """What was looked at, and what was found."""

    leaves: int = 0
    checkpoints: int = 0
    findings: list[Finding] = field(default_factory=list)

    def found(self, record: str, field_: str, at: datetime | None, text: str) -> None:
        self.findings.append(Finding(record, field_, at, text))


def streamed(connection: Connection, statement: sa.TextClause, **parameters: object) -> Iterator[Any]:
    """The rows of a large answer, a few thousand at a time."""
    options = {"stream_results": True, "yield_per": _AT_ONCE}
    yield from connection.execute(statement, parameters, execution_options=options)

"""From the cells of a row to what a filer would have typed. What cannot be read is a finding of the file (F001 …)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from registry.rosters import headings as h
from registry.tabular.dates import parse_date
from workflows import numbers
from workflows.codes import CodeTables
from workflows.names import check_name, name_key
from workflows.rules.facts import Person
from workflows.rules.file import ANOTHER_INSTITUTION, EMPTY, ROUNDED, UNREADABLE, FileReason
from workflows.text import Text

RESIDENT_ID = "01"
_BETWEEN_SCOPES = re.compile(r"[、，,;；/\n]+")


@dataclass(frozen=True)
class Entry:
    """What one row asks for, read and normalised."""

    person: Person
    category: str
    scopes: frozenset[str]
    valid_from: date | None
    valid_to: date | None
    level: str | None
    activity: str | None
    reason: str | None


@dataclass(frozen=True)
class Reading:
    """A row as it was read: an entry to be judged, or the findings that stand in the way."""

    entry: Entry | None
    findings: tuple[dict[str, Any], ...]


class Reader:
    """Reads the rows of one roster; `institution` is the registration number the file was uploaded for."""

    def __init__(self, codes: CodeTables, institution: str) -> None:
        self._codes, self._institution = codes, institution

    def read(self, line: int, values: Mapping[str, str], rounded: Sequence[str]) -> Reading:
        found: list[dict[str, Any]] = [_finding(ROUNDED, line, field) for field in rounded]
        named = values[h.INSTITUTION]
        if named and h.INSTITUTION not in rounded and numbers.registration_number(named) != self._institution:
            found.append(_finding(ANOTHER_INSTITUTION, line, h.INSTITUTION))
        name = values[h.NAME]
        if not name:
            found.append(_finding(EMPTY, line, h.NAME))
        elif check_name(name):
            found.append(_finding(UNREADABLE, line, h.NAME))
        category = self._code("practice_category", values[h.CATEGORY], line, h.CATEGORY, found)
        scopes = [
            self._code("practice_scope", text.strip(), line, h.SCOPES, found)
            for text in _BETWEEN_SCOPES.split(values[h.SCOPES])
            if text.strip()
        ]
        if not scopes:
            found.append(_finding(EMPTY, line, h.SCOPES))
        id_type = self._code("identity_document", values[h.ID_TYPE] or RESIDENT_ID, line, h.ID_TYPE, found)
        if id_type in numbers.NOT_ACCEPTED:
            found.append(_finding(UNREADABLE, line, h.ID_TYPE))
        first = _day(values[h.VALID_FROM], line, h.VALID_FROM, found)
        last = _day(values[h.VALID_TO], line, h.VALID_TO, found)
        if found:
            return Reading(None, tuple(found))
        activity = self._codes.find("exempt_activity", values[h.ACTIVITY]) if values[h.ACTIVITY] else None
        level = self._codes.find("physician_level", values[h.LEVEL]) if values[h.LEVEL] else None
        return Reading(
            Entry(
                person=Person(
                    name=name,
                    name_key=name_key(name),
                    id_type=id_type,
                    id_number=numbers.normalised(values[h.ID_NUMBER]),
                    practising_code=numbers.normalised(values[h.PRACTISING]),
                    qualification_code=numbers.normalised(values[h.QUALIFICATION]),
                    phone=numbers.normalised(values[h.PHONE]) or None,
                ),
                category=category,
                scopes=frozenset(scopes),
                valid_from=first,
                valid_to=last,
                level=level.code if level else None,
                activity=activity.code if activity else values[h.ACTIVITY] or None,
                reason=values[h.REASON] or None,
            ),
            (),
        )

    def _code(self, table: str, text: str, line: int, field: str, found: list[dict[str, Any]]) -> str:
        if not text:
            found.append(_finding(EMPTY, line, field))
            return ""
        code = self._codes.find(table, text)
        if code is None:
            found.append(_finding(UNREADABLE, line, field))
            return ""
        return code.code


def _day(text: str, line: int, field: str, found: list[dict[str, Any]]) -> date | None:
    """An empty day is the rules' to judge (R100); one that cannot be read is the file's."""
    if not text:
        return None
    try:
        return parse_date(text)
    except ValueError:
        found.append(_finding(UNREADABLE, line, field))
        return None


def day_or_none(text: str) -> date | None:
    """The day, where one can be read: by it rows of one person are compared before they are judged."""
    try:
        return parse_date(text)
    except ValueError:
        return None


def _finding(reason: FileReason, line: int, field: str) -> dict[str, Any]:
    """As findings of rules are kept (workflows.rules.rule.Finding.row)."""
    message: Text = reason.text.filled({"field": field, "line": line})
    return {
        "rule": reason.code,
        "outcome": "return",
        "stage": "judge",
        "message": message.both(),
        "basis": reason.basis,
        "evidence": {"line": line, "field": field},
        "source": None,
        "source_at": None,
    }

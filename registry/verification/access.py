"""Who asked about whom, and why: one record for each answer, durable before the answer leaves, by group commit."""

from __future__ import annotations

import asyncio
import json
from datetime import date, datetime
from typing import NamedTuple

from registry.verification.groups import Group, Line
from workflows.text import Text

_GONE = Text(
    "查验记录暂时无法保存，因此不能答复，请稍后重试。",
    "The access record cannot be kept just now, so no answer is given; try again.",
)

_INSERT = """
insert into access_record (id, at, asked_by, organisation, purpose, physician_id, practising_code, institution, scope,
  valid_on, answer, receipt_jti)
select (r->>0)::uuid, (r->>1)::timestamptz, r->>2, r->>3, r->>4, (r->>5)::uuid, r->>6, r->>7, r->>8, (r->>9)::date,
  r->>10, r->>11
from json_array_elements($1::json) r
"""


class Access(NamedTuple):
    """One verification, as `AccessRecord` keeps it."""

    id: str
    at: datetime
    asked_by: str
    organisation: str | None
    purpose: str
    physician_id: str | None
    practising_code: str
    institution: str | None
    scope: str | None
    valid_on: date
    answer: str
    receipt_jti: str


class AccessLog:
    """Writes records on a connection of its own, all that wait in one transaction."""

    def __init__(self, url: str, options: str) -> None:
        self._line = Line(url, options, "registry-access")
        self._group: Group[Access, None] = Group(self._write, "access records", _GONE)

    def open(self) -> None:
        self._group.open()

    async def close(self) -> None:
        """Whoever still waits is told that the record was not kept."""
        await self._group.close()
        await self._line.close()

    def keep(self, record: Access) -> asyncio.Future[None]:
        """Done once the record is committed; fails with `Unavailable` when it may not be. The answer waits for it.

        A record too many, of an answer that was never given, is harmless; an answer without its record is not.
        """
        return self._group.ask(record)

    async def _write(self, records: list[Access]) -> list[None]:
        await self._line.execute(_INSERT, (json.dumps(records, default=str),))
        return [None] * len(records)

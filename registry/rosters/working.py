"""The worker's side of rosters: one chunk, one transaction, then the roster that has waited longest.

What has been done is in the tables, so a worker that is killed loses nothing and does nothing twice: rows have their
number, verdicts theirs, and a filing is unique for its roster and row. A chunk holds the roster's row locked; a second
worker takes another roster.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable, Mapping
from threading import Event

import sqlalchemy as sa
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from auth.actor import SYSTEM
from registry.bulk import array, copy_rows, cursor_of
from registry.context import Context
from registry.keys import Sealing, open_keys
from registry.node import Node
from registry.rosters.commands import move
from registry.rosters.filing import attest_chunk, file_chunk, withdraw_chunk
from registry.rosters.reading import OpenFile, keep_rows
from registry.rosters.stored import rows_after, verdicts_of
from registry.rosters.tables import Roster
from registry.tabular import Unreadable
from registry.transaction import transaction
from workflows.roster import Act, State
from workflows.text import Text

log = logging.getLogger("registry")

READ, JUDGED = 5_000, 1_000  # rows of a chunk: well under a second of a lock
_IDLE_SECONDS = 0.3
# A workbook is opened inside a chunk's transaction, and its reader has a minute.
_PATIENCE = "set local statement_timeout = '120s'; set local idle_in_transaction_session_timeout = '120s'"

_TOO_LONG = Text(
    "文件超过 {most} 行的上限，请拆分后分别上传。", "The file has more than {most} rows; split it and upload the parts."
)
_OUR_FAULT = Text(
    "处理该文件时系统发生错误，未作任何申报。请重新上传；仍不成功请联系平台运维。",
    "Something went wrong on our side with this file, and nothing was filed; upload it again, or tell the operator.",
)
_NO_ROWS = Text("文件中没有数据行，请检查工作表。", "The file has no rows of data; check the sheet.")


def work(node: Node, stop: Event) -> None:
    """Work on rosters until told to stop. A database that is away is waited for."""
    worker = Worker(node)
    while not stop.is_set():
        try:
            idle = not worker.step()
        except sa.exc.DBAPIError as error:
            log.warning("rosters: the database refused, %s; going on in a moment", type(error.orig).__name__)
            idle = True
        if idle:
            stop.wait(_IDLE_SECONDS)
    worker.close()


class Worker:
    """One process's work on rosters. `step` does one chunk of one roster."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._seal = Sealing(open_keys(node.settings, node.clock()))
        self._readers: dict[uuid.UUID, OpenFile] = {}
        self._at: uuid.UUID | None = None

    def close(self) -> None:
        for reader in self._readers.values():
            reader.close()
        self._readers.clear()

    def step(self) -> bool:
        """Whether there was something to do. A roster that cannot be worked on stands in no other's way."""
        self._at = None
        try:
            return self._chunk()
        except Exception as error:
            if self._at is None:
                raise
            log.error("roster %s: %s", self._at, type(getattr(error, "orig", error)).__name__)  # noqa: TRY400  the text may hold cells
            self._set_aside(self._at, error)
            return False

    def _set_aside(self, roster_id: uuid.UUID, error: Exception) -> None:
        """Behind all others, to be tried again; before its filing begins, what is no passing trouble ends it."""
        if file := self._readers.pop(roster_id, None):
            file.close()
        with transaction(self._node.database) as session:
            roster = session.exec(select(Roster).where(Roster.id == roster_id).with_for_update()).one()
            roster.worked_at = self._node.clock()
            passing = isinstance(error, sa.exc.DBAPIError) and not isinstance(error, sa.exc.DataError)
            if not passing and State(roster.state) in _READ_AND_JUDGED:
                context = Context.of(session, SYSTEM, self._node.clock(), self._seal(), self._node.settings)
                move(context, roster, Act.FAIL, fault={"code": "internal", **_OUR_FAULT.both()})

    def _chunk(self) -> bool:
        with transaction(self._node.database) as session:
            roster = session.exec(_next()).first()
            if roster is None:
                self.close()  # what rests keeps no file open
                return False
            self._at = roster.id
            session.execute(sa.text(_PATIENCE))
            context = Context.of(session, SYSTEM, self._node.clock(), self._seal(), self._node.settings)
            roster.worked_at = context.now
            _STAGES[State(roster.state)](self, context, roster)
            return True

    # -- reading ------------------------------------------------------------------------------------------------------

    def _begin(self, context: Context, roster: Roster) -> None:
        move(context, roster, Act.PARSE)

    def _read(self, context: Context, roster: Roster) -> None:
        try:
            file = self._opened(context, roster)
            rows = file.take(READ, roster.rows)
        except Unreadable as error:
            self._fail(context, roster, error.code, error.text)
            return
        if file.table.columns and not roster.columns:
            roster.columns, roster.places = list(file.table.columns), dict(file.table.places)
        if roster.rows + len(rows) > file.most:
            self._fail(context, roster, "too_many_rows", _TOO_LONG.filled({"most": f"{file.most:,}"}))
        elif rows:
            keep_rows(context, roster, rows)
        elif roster.rows == 0:
            self._fail(context, roster, "no_rows", _NO_ROWS)
        else:
            self._readers.pop(roster.id).close()
            move(context, roster, Act.MAP)
            roster.judged_on = context.today
            move(context, roster, Act.JUDGE)

    def _opened(self, context: Context, roster: Roster) -> OpenFile:
        file = self._readers.pop(roster.id, None)
        if file and file.taken > roster.rows:  # a chunk was rolled back: begin again behind what is stored
            file.close()
            file = None
        self._readers[roster.id] = file or OpenFile(context.session, context.seal, roster)
        return self._readers[roster.id]

    def _fail(self, context: Context, roster: Roster, code: str, text: Text) -> None:
        if file := self._readers.pop(roster.id, None):
            file.close()
        move(context, roster, Act.FAIL, fault={"code": code, **text.both()})

    def _map(self, context: Context, roster: Roster) -> None:
        move(context, roster, Act.JUDGE)

    # -- judging ------------------------------------------------------------------------------------------------------

    def _judge(self, context: Context, roster: Roster) -> None:
        rows = rows_after(context.session, roster, JUDGED)
        if not rows:
            move(context, roster, Act.FINISH_JUDGING)
            return
        verdicts = verdicts_of(context, roster, rows)
        copy_rows(
            cursor_of(context.session),
            "roster_verdict",
            ("roster_id", "row", "outcome", "rules", "findings"),
            (
                (roster.id, row.row, str(verdict.outcome), array(verdict.rules), json.dumps(verdict.findings))
                for row, verdict in zip(rows, verdicts, strict=True)
            ),
        )
        roster.cursor = rows[-1].row


_READ_AND_JUDGED = frozenset({State.RECEIVED, State.PARSING, State.MAPPING, State.JUDGING})
_STAGES: Mapping[State, Callable[[Worker, Context, Roster], None]] = {
    State.RECEIVED: Worker._begin,  # noqa: SLF001
    State.PARSING: Worker._read,  # noqa: SLF001
    State.MAPPING: Worker._map,  # noqa: SLF001
    State.JUDGING: Worker._judge,  # noqa: SLF001
    State.FILING: lambda _, context, roster: file_chunk(context, roster),
    State.FILED: lambda _, context, roster: attest_chunk(context, roster),
    State.CANCELLED: lambda _, context, roster: withdraw_chunk(context, roster),
    State.FAILED: lambda _, context, roster: withdraw_chunk(context, roster),
}


def _next() -> SelectOfScalar[Roster]:
    """The roster at work that has waited longest and that no other worker holds."""
    return (
        select(Roster)
        .where(
            sa.text(
                "state in ('received', 'parsing', 'mapping', 'judging', 'filing')"
                " or not drafts_done and (state = 'filed' and attested_by is not null"
                " or state in ('cancelled', 'failed') and filed_by is not null)"
            )
        )
        .order_by(col(Roster.worked_at).nulls_first(), col(Roster.id))
        .limit(1)
        .with_for_update(skip_locked=True)
    )

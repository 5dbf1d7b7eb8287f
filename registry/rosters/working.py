"""The worker's side of rosters: one chunk, one transaction, then the roster that has waited longest.

What has been done is in the tables, so a worker that is killed loses nothing and does nothing twice: rows have their
number, verdicts theirs, and a filing is unique for its roster and row. A chunk holds the roster's row locked; a second
worker takes another roster.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from threading import Event

import sqlalchemy as sa
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from auth.actor import SYSTEM, Actor, ActorKind, Grant
from auth.roles import Role
from registry.bulk import array, copy_rows, cursor_of
from registry.context import Context
from registry.filings import commands as filings
from registry.filings.applying import written
from registry.filings.casefile import CaseFile
from registry.filings.tables import Filing
from registry.institutions.tables import Institution
from registry.keys import Sealing, open_keys
from registry.node import Node
from registry.rosters import spool
from registry.rosters.cells import opened_cells, sealed_cells
from registry.rosters.commands import move
from registry.rosters.headings import HEADINGS, PRACTISING, VALID_FROM, VALID_TO, headings_with
from registry.rosters.judging import GOES, Verdict, judge_rows
from registry.rosters.rows import Reader, Reading, day_or_none
from registry.rosters.tables import Roster, RosterRow, RosterVerdict
from registry.sealed import Seal
from registry.tabular import Row, Table, Unreadable, open_table
from registry.tabular.table import values_at
from registry.transaction import transaction
from workflows.filing import Act as FilingAct
from workflows.filing import Author
from workflows.filing import State as FilingState
from workflows.numbers import normalised
from workflows.roster import Act, State
from workflows.text import Text

log = logging.getLogger("registry")

READ, JUDGED, FILED = 5_000, 1_000, 500  # rows of a chunk, by stage: each well under a second of a lock
MOST_ROWS_TEXT, MOST_ROWS_SHEET = 1_000_000, 400_000
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
        self._readers: dict[uuid.UUID, _OpenFile] = {}
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
            _keep_rows(context, roster, rows)
        elif roster.rows == 0:
            self._fail(context, roster, "no_rows", _NO_ROWS)
        else:
            self._readers.pop(roster.id).close()
            move(context, roster, Act.MAP)
            roster.judged_on = context.today
            move(context, roster, Act.JUDGE)

    def _opened(self, context: Context, roster: Roster) -> _OpenFile:
        file = self._readers.pop(roster.id, None)
        if file and file.taken > roster.rows:  # a chunk was rolled back: begin again behind what is stored
            file.close()
            file = None
        self._readers[roster.id] = file or _OpenFile(context.session, context.seal, roster)
        return self._readers[roster.id]

    def _fail(self, context: Context, roster: Roster, code: str, text: Text) -> None:
        if file := self._readers.pop(roster.id, None):
            file.close()
        move(context, roster, Act.FAIL, fault={"code": code, **text.both()})

    def _map(self, context: Context, roster: Roster) -> None:
        move(context, roster, Act.JUDGE)

    # -- judging ------------------------------------------------------------------------------------------------------

    def _judge(self, context: Context, roster: Roster) -> None:
        rows = _rows_after(context.session, roster, JUDGED)
        if not rows:
            move(context, roster, Act.FINISH_JUDGING)
            return
        verdicts = _verdicts(context, roster, rows)
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

    # -- filing -------------------------------------------------------------------------------------------------------

    def _file(self, context: Context, roster: Roster) -> None:
        rows = _rows_after(context.session, roster, FILED, going=True)
        if not rows:
            move(context, roster, Act.FINISH_FILING)
            return
        # Judged again by the facts of now: what has changed since stays behind with its reasons.
        verdicts = _verdicts(context, roster, rows)
        institution = context.session.get_one(Institution, roster.institution_id)
        filer = _acting(context, roster.filed_by or "", Role.FILER, institution)
        going = [(row, v) for row, v in zip(rows, verdicts, strict=True) if v.outcome in GOES and v.gathered]
        cases = [
            CaseFile(_draft(filer, institution, roster, row, number, verdict), institution)
            for (row, verdict), number in zip(going, filings.numbers(filer, len(going)), strict=True)
        ]
        if cases:
            filings.keep_drafts(filer, cases, [v.gathered for _, v in going if v.gathered])
        _keep_changed(context.session, roster, rows, verdicts)
        roster.cursor = rows[-1].row

    def _attest(self, context: Context, roster: Roster) -> None:
        institution = context.session.get_one(Institution, roster.institution_id)
        manager = _acting(context, roster.attested_by or "", Role.MANAGER, institution)
        drafts = context.session.exec(
            select(Filing)
            .where(Filing.roster_id == roster.id, Filing.state == FilingState.DRAFT)
            .where(col(Filing.roster_row) > roster.cursor)
            .order_by(col(Filing.roster_row))
            .limit(FILED)
            .with_for_update(of=Filing)
        ).all()
        if drafts:
            filings.move(manager, drafts, FilingAct.ATTEST, refused_stay=True)
            roster.cursor = drafts[-1].roster_row or 0
            return
        roster.attestation_done = True
        left = context.session.exec(
            select(Filing.id).where(Filing.roster_id == roster.id, Filing.state == FilingState.DRAFT).limit(1)
        ).first()
        if left is None:
            move(context, roster, Act.SUBMIT)


_READ_AND_JUDGED = frozenset({State.RECEIVED, State.PARSING, State.MAPPING, State.JUDGING})
_STAGES = {
    State.RECEIVED: Worker._begin,  # noqa: SLF001
    State.PARSING: Worker._read,  # noqa: SLF001
    State.MAPPING: Worker._map,  # noqa: SLF001
    State.JUDGING: Worker._judge,  # noqa: SLF001
    State.FILING: Worker._file,  # noqa: SLF001
    State.FILED: Worker._attest,  # noqa: SLF001
}


def _next() -> SelectOfScalar[Roster]:
    """The roster at work that has waited longest and that no other worker holds."""
    return (
        select(Roster)
        .where(
            sa.text(
                "state in ('received', 'parsing', 'mapping', 'judging', 'filing')"
                " or (state = 'filed' and attested_by is not null and not attestation_done)"
            )
        )
        .order_by(col(Roster.worked_at).nulls_first(), col(Roster.id))
        .limit(1)
        .with_for_update(skip_locked=True)
    )


class _OpenFile:
    """A roster's file being read, kept open from chunk to chunk."""

    def __init__(self, session: Session, seal: Seal, roster: Roster) -> None:
        """Raises `Unreadable`."""
        self._open = ExitStack()
        try:
            path = self._open.enter_context(spool.opened(session, seal, roster.upload_id))
            with path.open("rb") as file:
                sheet = file.read(2) == b"PK"
            self.most = MOST_ROWS_SHEET if sheet else MOST_ROWS_TEXT
            self.table: Table = self._open.enter_context(open_table(path, headings_with(roster.mapping)))
        except BaseException:
            self._open.close()
            raise
        self._rows: Iterator[Row] = iter(self.table)
        self.taken = 0

    def take(self, count: int, already: int) -> list[Row]:
        """The next rows after the first `already`, which were stored before. Raises `Unreadable`."""
        for _ in islice(self._rows, already - self.taken):
            self.taken += 1
        rows = list(islice(self._rows, count))
        self.taken += len(rows)
        return rows

    def close(self) -> None:
        self._open.close()


def _keep_rows(context: Context, roster: Roster, rows: Sequence[Row]) -> None:
    seal, first = context.seal, roster.rows + 1

    def stored(number: int, row: Row) -> tuple[object, ...]:
        code = normalised(row.values[PRACTISING])
        return (
            roster.id,
            number,
            row.line,
            sealed_cells(seal, roster.id, number, row.cells, row.rounded),
            seal.index("practising_code", code) if code else None,
            day_or_none(row.values[VALID_FROM]),
            day_or_none(row.values[VALID_TO]),
        )

    columns = ("roster_id", "row", "line", "cells_sealed", "person_index", "valid_from", "valid_to")
    kept = (stored(number, row) for number, row in enumerate(rows, first))
    copy_rows(cursor_of(context.session), "roster_row", columns, kept)
    roster.rows += len(rows)


def _rows_after(session: Session, roster: Roster, count: int, *, going: bool = False) -> Sequence[RosterRow]:
    query = (
        select(RosterRow)
        .where(RosterRow.roster_id == roster.id, col(RosterRow.row) > roster.cursor)
        .order_by(col(RosterRow.row))
        .limit(count)
    )
    if going:
        query = query.join(
            RosterVerdict,
            sa.and_(
                col(RosterVerdict.roster_id) == col(RosterRow.roster_id), col(RosterVerdict.row) == col(RosterRow.row)
            ),
        ).where(col(RosterVerdict.outcome).in_([str(outcome) for outcome in GOES]))
    return session.exec(query).all()


def _verdicts(context: Context, roster: Roster, rows: Sequence[RosterRow]) -> list[Verdict]:
    institution = context.session.get_one(Institution, roster.institution_id)
    reader = Reader(context.codes, institution.registration_no)
    earlier = _earlier(context.session, roster, rows)

    def read(row: RosterRow) -> Reading:
        cells, rounded = opened_cells(context.seal, roster.id, row.row, row.cells_sealed)
        values = dict.fromkeys((h.name for h in HEADINGS), "") | values_at(cells, roster.places)
        return reader.read(row.line, values, rounded)

    return judge_rows(context, institution, [(read(row), earlier.get(row.row)) for row in rows])


# Of two rows of one person whose terms overlap the first counts (lifecycle.md, R057). A missing day overlaps with all.
_EARLIER = sa.text(
    """
    select r.row, min(e.row) from roster_row r
    join roster_row e on e.roster_id = r.roster_id and e.person_index = r.person_index and e.row < r.row
     and coalesce(e.valid_from <= r.valid_to and r.valid_from <= e.valid_to, true)
    where r.roster_id = :roster and r.row between :first and :last group by r.row
    """
)


def _earlier(session: Session, roster: Roster, rows: Sequence[RosterRow]) -> dict[int, int]:
    found = session.execute(_EARLIER, {"roster": roster.id, "first": rows[0].row, "last": rows[-1].row})
    return {row: first for row, first in found}  # noqa: C416  rows are not pairs to mypy


def _draft(
    context: Context, institution: Institution, roster: Roster, row: RosterRow, number: str, verdict: Verdict
) -> Filing:
    assert verdict.gathered
    filing = filings.draft(context, institution, Author.INSTITUTION, number)
    written(context, filing, verdict.gathered.facts)
    filing.roster_id, filing.roster_row = roster.id, row.row
    return filing


def _keep_changed(session: Session, roster: Roster, rows: Sequence[RosterRow], verdicts: Sequence[Verdict]) -> None:
    for row, verdict in zip(rows, verdicts, strict=True):
        if verdict.outcome not in GOES:
            kept = session.get_one(RosterVerdict, (roster.id, row.row))
            kept.outcome, kept.rules, kept.findings = str(verdict.outcome), verdict.rules, verdict.findings


def _acting(context: Context, account_id: str, role: Role, institution: Institution) -> Context:
    """The context in which the worker does what somebody of the hospital has asked for."""
    actor = Actor(ActorKind.ACCOUNT, account_id, "", frozenset({Grant(role, institution.registration_no)}))
    return Context(context.session, actor, context.now, context.seal, context.codes, context.province, context.demo)

"""Stored rows, opened again and judged."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlmodel import Session, col, select

from registry.context import Context
from registry.institutions.tables import Institution
from registry.rosters.cells import opened_cells
from registry.rosters.headings import HEADINGS
from registry.rosters.judging import GOES, Verdict, judge_rows
from registry.rosters.rows import Reader, Reading
from registry.rosters.tables import Roster, RosterRow, RosterVerdict
from registry.tabular.table import values_at


def rows_after(session: Session, roster: Roster, count: int, *, going: bool = False) -> Sequence[RosterRow]:
    """The next rows behind the roster's cursor; with `going` those whose verdict lets them be filed."""
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


def verdicts_of(context: Context, roster: Roster, rows: Sequence[RosterRow]) -> list[Verdict]:
    """What the rules say of each row now, in order."""
    institution = context.session.get_one(Institution, roster.institution_id)
    reader = Reader(context.codes, institution.registration_no)
    earlier = _earlier(context.session, roster, rows)

    def read(row: RosterRow) -> Reading:
        cells, rounded = opened_cells(context.seal, roster.id, row.row, row.cells_sealed)
        values = dict.fromkeys((h.name for h in HEADINGS), "") | values_at(cells, roster.places)
        return reader.read(row.line, values, rounded)

    return judge_rows(context, institution, [(read(row), earlier.get(row.row)) for row in rows])


# Of two rows of one person whose terms overlap the first counts (R057). A missing day overlaps with all.
# One by one and no further than the first: a file may hold one person in every row.
_EARLIER = sa.text(
    """
    select r.row, earlier.row from roster_row r
    cross join lateral (
        select e.row from roster_row e
        where e.roster_id = r.roster_id and e.person_index = r.person_index and e.row < r.row
          and coalesce(e.valid_from <= r.valid_to and r.valid_from <= e.valid_to, true)
        order by e.row limit 1
    ) earlier
    where r.roster_id = :roster and r.row between :first and :last
    """
)


def _earlier(session: Session, roster: Roster, rows: Sequence[RosterRow]) -> dict[int, int]:
    found = session.execute(_EARLIER, {"roster": roster.id, "first": rows[0].row, "last": rows[-1].row})
    return {row: first for row, first in found}  # noqa: C416  rows are not pairs to mypy

"""Sites follow the registration they rest on, in the transaction that changes it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from auth.actor import SYSTEM
from registry.bulk import Cursor
from registry.log.bulk import Event, record_all
from registry.log.events import canonical
from workflows.rules.facts import RegistrationStatus
from workflows.site import FOLLOWING, REGISTER, State, cause_of, follow

# Every current row of a site is cut where its registration's status moves it; the days between keep their state. A row
# that is cut is closed and its days are inserted again, so that what was known before stays known.
_FOLLOW = """
with move (state, by_register, status, next, cause) as (
    select * from unnest(%(state)s::text[], %(by_register)s::bool[], %(status)s::text[], %(next)s::text[], %(cause)s::text[])
), cut as (
    select s.id, m.status, m.next, m.cause, unnest(range_agg(s.valid * r.valid)) as days
    from site s
    join registration r
      on r.physician_id = s.physician_id and r.place = s.place and upper_inf(r.recorded) and r.valid && s.valid
    join move m
      on m.state = s.state and m.status = r.status and m.by_register = coalesce(starts_with(s.cause, %(register)s), false)
    where s.physician_id = any(%(physicians)s) and upper_inf(s.recorded)
    group by s.id, m.status, m.next, m.cause
), closed as (
    update site set recorded = tstzrange(lower(recorded), greatest(lower(recorded), %(now)s))
    where id in (select id from cut)
    returning site.*
), piece as (
    select closed.id, cut.next as state, cut.cause, cut.days from closed join cut using (id)
    union all
    select id, state, cause, unnest(datemultirange(valid) - (select range_agg(days) from cut where cut.id = closed.id))
    from closed
), inserted as (
    insert into site
        (id, site_id, filing_id, physician_id, institution_id, place, category, scopes, state, cause, valid, recorded)
    select uuid7(), site_id, filing_id, physician_id, institution_id, place, category, scopes,
           piece.state, piece.cause, piece.days, tstzrange(%(now)s, null)
    from closed join piece using (id)
)
select closed.site_id, cut.status, cut.next, lower(cut.days), upper(cut.days),
       (select count(*) from site known where known.site_id = closed.site_id)
         + row_number() over (partition by closed.site_id order by cut.days)
from closed join cut using (id)
order by closed.site_id, cut.days
"""


def _moves() -> dict[str, list[Any]]:
    """Every move the table of the site has for the register, as columns (workflows.site.follow decides)."""
    moves: dict[str, list[Any]] = {name: [] for name in ("state", "by_register", "status", "next", "cause")}
    for state in State:
        for by_register in (False, True):
            for status in RegistrationStatus:
                after = follow(state, f"{REGISTER}:" if by_register else None, status)
                if after is not state:
                    row = (str(state), by_register, str(status), str(after), cause_of(status))
                    for column, value in zip(moves.values(), row, strict=True):
                        column.append(value)
    return moves


_MOVES = _moves()


def follow_registrations(cursor: Cursor, physicians: Sequence[uuid.UUID], *, now: datetime) -> int:
    """Move the sites of these physicians where their registrations say so, on the days they say; how many moves.

    Each move is one audit event (`site.suspend`, `site.restore`, `site.lapse`). The caller holds the rows of the
    physicians locked, so that no site is created meanwhile. Doing it twice changes nothing more.
    """
    parameters = {"physicians": list(physicians), "now": now, "register": f"{REGISTER}:", **_MOVES}
    moved = cursor.execute(_FOLLOW, parameters).fetchall()
    events = (
        Event(
            f"site.{FOLLOWING[RegistrationStatus(status)]}",
            "site",
            site_id,
            version,
            canonical(
                {
                    "from": first.isoformat(),
                    "registration": status,
                    "state": state,
                    "until": end.isoformat() if end else None,
                }
            ),
        )
        for site_id, status, state, first, end, version in moved
    )
    if moved:
        record_all(cursor, SYSTEM, events, now=now)
    return len(moved)

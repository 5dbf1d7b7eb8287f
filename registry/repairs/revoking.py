"""Days of a site are taken away as the register takes them: the row is closed, its days are inserted again, nothing is lost."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, timedelta

from registry.bulk import Cursor, cursor_of
from registry.context import Context
from registry.log.bulk import Event, record_all
from registry.log.events import canonical

Days = tuple[date | None, date | None]  # half open; None is for ever

# As `registry.sites.following` cuts: the days between keep their state.
_REVOKE = """
with cut as (
    select id, unnest(datemultirange(valid) * %(days)s::datemultirange) as days from site
    where filing_id = %(filing)s and upper_inf(recorded) and state in ('EFFECTIVE', 'SUSPENDED')
), closed as (
    update site set recorded = tstzrange(lower(recorded), greatest(lower(recorded), %(now)s))
    where id in (select id from cut)
    returning site.*
), piece as (
    select id, 'REVOKED' as state, %(cause)s as cause, days from cut
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
select closed.site_id, lower(cut.days), upper(cut.days),
       (select count(*) from site known where known.site_id = closed.site_id)
         + row_number() over (partition by closed.site_id order by cut.days)
from closed join cut using (id) order by closed.site_id, cut.days
"""


def revoke_days(context: Context, filing_id: uuid.UUID, days: Sequence[Days], cause: str) -> int:
    """Take these days from the filing's site, each stretch one event; how many. The physician's row is locked by the caller."""
    cursor: Cursor = cursor_of(context.session)
    parameters = {"filing": filing_id, "days": multirange(days), "cause": cause, "now": context.now}
    rows = cursor.execute(_REVOKE, parameters).fetchall()
    events = [
        Event("site.revoke", "site", site_id, version, canonical(_told(first, until, cause)))
        for site_id, first, until, version in rows
    ]
    record_all(cursor, context.actor, events, now=context.now)
    return len(rows)


def outside(first: date, last: date | None) -> list[Days]:
    """Every day that is not from `first` to `last`, both included."""
    return [(None, first), *([(last + timedelta(days=1), None)] if last else [])]


def multirange(days: Sequence[Days]) -> str:
    """A datemultirange as PostgreSQL reads it."""
    return "{" + ",".join(f"[{first or ''},{until or ''})" for first, until in days) + "}"


def _told(first: date, until: date | None, cause: str) -> dict[str, object]:
    return {
        "cause": cause,
        "from": first.isoformat(),
        "state": "REVOKED",
        "until": until.isoformat() if until else None,
    }

"""An approval becomes a place of practice, in the transaction of the approval."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy.dialects.postgresql import Range
from sqlmodel import col, select

from registry.bulk import cursor_of
from registry.context import Context
from registry.database import new_id
from registry.errors import Refusal
from registry.filings.tables import Filing
from registry.log.bulk import Event, record_all
from registry.log.events import canonical
from registry.physicians.tables import Physician
from registry.sites.following import follow_registrations
from registry.sites.tables import Site
from registry.spans import days, last_day
from workflows.site import SITE
from workflows.text import Text

_OVER = Text("备案期限已届满，请退回更正期限。", "The term is over already; return the filing to correct it.")


def create_sites(context: Context, filings: Sequence[Filing]) -> list[uuid.UUID]:
    """The sites of approved filings: never before the day of approval, to the end of the term. Raises `Refusal`."""
    physicians = sorted({filing.physician_id for filing in filings if filing.physician_id})
    # An import that changes their registrations waits for us, or we for it: either way the site follows what it says.
    context.session.execute(
        select(Physician.id).where(col(Physician.id).in_(physicians)).order_by(col(Physician.id)).with_for_update()
    )
    sites = [_site(context, filing) for filing in filings]
    context.session.add_all(sites)
    context.session.flush()
    record_all(
        cursor_of(context.session),
        context.actor,
        [Event("site.create", "site", site.site_id, 1, canonical(_told(site))) for site in sites],
        now=context.now,
    )
    follow_registrations(cursor_of(context.session), physicians, now=context.now)
    return [site.site_id for site in sites]


def _site(context: Context, filing: Filing) -> Site:
    first = max(filing.valid_from or context.today, context.today)
    if filing.valid_to is not None and filing.valid_to < first:
        raise Refusal(_OVER)
    assert filing.physician_id and filing.place, "the rules let no unmatched filing be approved (R022)"
    return Site(
        site_id=new_id(),
        filing_id=filing.id,
        physician_id=filing.physician_id,
        institution_id=filing.institution_id,
        place=filing.place,
        category=filing.category,
        scopes=list(filing.scopes),
        state=str(SITE.initial),
        valid=days(first, filing.valid_to),
        recorded=Range(context.now, None),
    )


def _told(site: Site) -> dict[str, object]:
    last = last_day(site.valid)
    return {
        "category": site.category,
        "filing": str(site.filing_id),
        "from": site.valid.lower.isoformat(),
        "institution": str(site.institution_id),
        "physician": str(site.physician_id),
        "place": site.place,
        "scopes": list(site.scopes),
        "to": last.isoformat() if last else None,
    }

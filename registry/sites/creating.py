"""An approval becomes a place of practice, in the transaction of the approval."""

from __future__ import annotations

import uuid

from sqlalchemy.dialects.postgresql import Range

from registry.context import Context
from registry.database import new_id
from registry.errors import Refusal
from registry.filings.tables import Filing
from registry.log.events import record
from registry.sites.tables import Site
from registry.spans import days
from workflows.site import SITE
from workflows.text import Text

_OVER = Text("备案期限已届满，请退回更正期限。", "The term is over already; return the filing to correct it.")


def create_site(context: Context, filing: Filing) -> uuid.UUID:
    """The site of an approved filing: never before the day of approval, to the end of the term. Raises `Refusal`."""
    first = max(filing.valid_from or context.today, context.today)
    if filing.valid_to is not None and filing.valid_to < first:
        raise Refusal(_OVER)
    assert filing.physician_id and filing.place, "the rules let no unmatched filing be approved (R022)"
    site = Site(
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
    context.session.add(site)
    context.session.flush()
    record(
        context.session,
        context.actor,
        "site.create",
        ("site", site.site_id),
        1,
        {
            "filing": str(filing.id),
            "from": first.isoformat(),
            "institution": str(filing.institution_id),
            "physician": str(filing.physician_id),
            "scopes": list(filing.scopes),
            "to": filing.valid_to.isoformat() if filing.valid_to else None,
        },
        now=context.now,
    )
    return site.site_id

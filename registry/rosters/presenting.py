"""A roster as its hospital sees it: where it stands, what was found, how fast it goes and how long it will take."""

from __future__ import annotations

from typing import Any

from registry.context import Context
from registry.institutions.tables import Institution
from registry.language import Language
from registry.rosters.commands import offers
from registry.rosters.queries import Counts, counts
from registry.rosters.tables import Roster
from workflows.roster import State
from workflows.text import Text


def presented(context: Context, roster: Roster, speak: Language) -> dict[str, Any]:
    """The object of `GET /rosters/{id}` and of its events; every number is read back from the tables."""
    found = counts(context.session, roster.id)
    institution = context.session.get_one(Institution, roster.institution_id)
    return {
        "id": str(roster.id),
        "state": str(state_of(roster, found)),
        "institution": institution.registration_no,
        "institution_name": institution.name,
        "file_name": roster.file_name,
        "file_sha256": roster.file_sha256,
        "uploaded_at": roster.uploaded_at.isoformat(),
        "judged_on": roster.judged_on.isoformat() if roster.judged_on else None,
        "columns": roster.columns,
        "rows": roster.rows,
        "counts": found.outcomes,
        "filed": found.filed,
        "submitted": found.submitted,
        "decided": found.decided,
        "progress": _progress(context, roster, found),
        "fault": _fault(roster, speak),
        "offers": [
            {"act": o["act"], "allowed": o["allowed"], "why_not": speak(o["why_not"]) if o["why_not"] else None}
            for o in offers(context, roster)
        ],
    }


def state_of(roster: Roster, found: Counts) -> State:
    """The roster's state; `submitted` also when each physician has consented for themself."""
    state = State(roster.state)
    if state is State.FILED and found.filed and found.submitted == found.filed:
        return State.SUBMITTED
    return state


def _progress(context: Context, roster: Roster, found: Counts) -> dict[str, Any]:
    """What the present stage has done of what it has to do, in rows; rate and time left since it began or was taken up."""
    match State(roster.resting or roster.state):
        case State.RECEIVED | State.PARSING:
            done, total = roster.rows, None
        case State.MAPPING | State.JUDGING | State.JUDGED:
            done, total = sum(found.outcomes.values()), roster.rows
        case State.FILING:
            done, total = found.filed, found.goes
        case _:
            done, total = found.submitted, found.filed
    seconds = (context.now - roster.stage_began).total_seconds() if roster.stage_began else 0.0
    per_second = round((done - roster.stage_base) / seconds, 1) if seconds > 0 and done > roster.stage_base else None
    eta = round((total - done) / per_second, 1) if per_second and total is not None else None
    return {"done": done, "total": total, "per_second": per_second, "eta": eta}


def _fault(roster: Roster, speak: Language) -> dict[str, str] | None:
    """Why the file as a whole could not be read, in the reader's words."""
    if roster.fault is None:
        return None
    return {"code": roster.fault["code"], "message": speak(Text(roster.fault["zh"], roster.fault["en"]))}

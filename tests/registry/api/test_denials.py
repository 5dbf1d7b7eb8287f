"""Whoever is told "never yours to do" has left an event, at the door and behind it (invariant I10)."""

from __future__ import annotations

import sqlalchemy as sa

from tests.stories import reviewed, submitted
from tests.world import AUTHORITY, Caller, World


def denials(world: World, caller: Caller) -> list[str]:
    query = sa.text(
        "select p.payload::json ->> 'door' from audit_event e join audit_payload p using (seq) join account a "
        "on a.id = e.subject_id where e.type = 'access.denied' and a.name = :name order by seq"
    )
    with world.database.engine.connect() as connection:
        return list(connection.execute(query, {"name": caller.name}).scalars())


def test_a_denied_knock_and_a_denied_act_leave_an_event_each_and_a_refused_act_none(world: World) -> None:
    reviewer = world.account("reviewer", AUTHORITY)
    filing, doctor = submitted(world, world.account("filer", world.internet["登记号"]), world.physician())
    assert doctor.get("/filings/not-an-id")[0] == 422
    assert reviewer.post("/filings", {})[0] == 403
    assert denials(world, reviewer) == ["POST /api/v1/filings"]
    filing = reviewed(reviewer, filing)
    status, answer = reviewer.act(filing, "refuse", reasons=[{"code": "CONDITIONS_NOT_MET"}])
    assert (status, answer["code"]) == (403, "forbidden")
    assert reviewer.act(filing, "claim")[0] == 409
    assert denials(world, reviewer) == ["POST /api/v1/filings", "POST /api/v1/filings/{filing_id}/acts"]

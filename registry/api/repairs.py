"""Repairs: proposed by a senior, decided by a lead."""

from __future__ import annotations

import json
import uuid
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import Field

from registry.api.body import Day, In, Line
from registry.api.context import Cursor, Here, Key, Limit, OptionalKey
from registry.api.door import Door
from registry.idempotency import digest, once
from registry.repairs import commands
from registry.repairs.tables import Repair
from workflows.repair import REPAIR, Act, Kind, State

router = APIRouter(prefix="/api/v1", route_class=Door, tags=["repairs"])


class RepairIn(In):
    """`reverse` takes the site away from `valid_from` on, or from its first day; `redate` leaves it only the days given."""

    filing: Annotated[uuid.UUID, Field(strict=False)]
    kind: Literal["reverse", "redate"]
    valid_from: Day | None = None
    valid_to: Day | None = None
    reason: Line


class RepairAct(In):
    act: Literal["sign", "decline", "withdraw"]


@router.post("/repairs", status_code=201)
def propose_repair(here: Here, body: RepairIn, key: Key) -> Response:
    """A proposal; nothing changes until a lead, who is somebody else, has signed."""

    def effect() -> tuple[int, bytes]:
        made = commands.propose(here, body.filing, Kind(body.kind), body.valid_from, body.valid_to, body.reason)
        return 201, _json(made)

    asked = digest("POST", "/repairs", body.model_dump_json(exclude_unset=True).encode())
    status, answer = once(here.session, here.seal, here.actor.id, key, asked, effect)
    return Response(answer, status, media_type="application/json")


@router.get("/repairs")
def list_repairs(here: Here, after: Cursor, state: State | None = None, limit: Limit = 50) -> dict[str, Any]:
    rows = commands.page(here, limit=limit + 1, after=after, state=state)
    following = str(rows[limit - 1].id) if len(rows) > limit else None
    return {"items": [_out(row) for row in rows[:limit]], "next": following}


@router.get("/repairs/{repair_id}")
def get_repair(here: Here, repair_id: uuid.UUID) -> dict[str, Any]:
    return _out(commands.get(here, repair_id))


@router.post("/repairs/{repair_id}/acts")
def act_on_repair(here: Here, repair_id: uuid.UUID, body: RepairAct, key: OptionalKey) -> Response:
    """Sign, decline or withdraw it."""

    def effect() -> tuple[int, bytes]:
        return 200, _json(commands.act(here, repair_id, Act(body.act)))

    if key is None:
        status, answer = effect()
    else:
        asked = digest("POST", f"/repairs/{repair_id}/acts", body.act.encode())
        status, answer = once(here.session, here.seal, here.actor.id, key, asked, effect)
    return Response(answer, status, media_type="application/json")


def _out(row: Repair) -> dict[str, Any]:
    state = REPAIR.states[State(row.state)]
    return {
        "id": str(row.id),
        "filing": str(row.filing_id),
        "authority": row.authority,
        "kind": row.kind,
        "valid_from": row.valid_from and row.valid_from.isoformat(),
        "valid_to": row.valid_to and row.valid_to.isoformat(),
        "reason": row.reason,
        "state": row.state,
        "state_text": {"zh": state.zh, "en": state.en},
        "proposed_by": row.proposed_by,
        "proposed_at": row.proposed_at.isoformat(),
        "decided_by": row.decided_by,
        "decided_at": row.decided_at and row.decided_at.isoformat(),
    }


def _json(row: Repair) -> bytes:
    return json.dumps(_out(row), ensure_ascii=False).encode()

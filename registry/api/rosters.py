"""Rosters: upload, look, act, follow."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import IO, Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from registry.api.body import In, strict_json
from registry.api.context import Cursor, Here, Key, Limit, OptionalKey, Speak, opened
from registry.api.door import Door
from registry.api.openapi import UPLOAD_BODY
from registry.api.upload import Upload, receive
from registry.errors import FieldError, Invalid
from registry.idempotency import digest, once
from registry.institutions.filing_for import filing_institution
from registry.language import Language, language
from registry.rosters import commands, queries, report
from registry.rosters.headings import HEADINGS
from registry.rosters.presenting import presented
from registry.rosters.queries import OUTCOMES
from registry.rosters.spool import Spool
from registry.verification.question import has_control
from workflows.roster import ROSTER, Act, State
from workflows.text import Text

router = APIRouter(prefix="/api/v1", route_class=Door, tags=["rosters"])

MULTIPART_AROUND = 64 * 1024  # boundaries, headers and fields beside the file
_EVERY = 1.0  # seconds between two events
_FOLLOWED_FOR = timedelta(hours=1)  # then the client asks again, with a token of that time

_FILE = Text("请选择要上传的名册文件。", "Choose the roster file to upload.")
_MISSING = Text("缺少此项，请填写。", "This field is missing; give it.")
_CHARACTERS = Text("含有不允许的字符，请重新输入。", "It holds characters that are not allowed; type it again.")
_UNKNOWN = Text("没有这个字段，请删除。", "There is no such field; remove it.")
_MAPPING = Text(
    "mapping 应为 JSON 对象：文件的列名 → 我们的列名。",
    "mapping is a JSON object: a column of the file → a heading of ours.",
)
_OUTCOME = Text("没有这种结论。", "There is no such outcome.")


@router.post("/rosters", status_code=202, max_body_size=1 << 40, openapi_extra=UPLOAD_BODY)
async def upload(request: Request, key: Key) -> Response:
    """Take a roster. Who may upload is settled before the first byte is read; the work is done by the worker."""
    state = request.app.state
    spool = await run_in_threadpool(Spool, state.database, state.seal())
    try:
        taken = await receive(request, spool, state.settings.roster_max_bytes)
        status, answer = await run_in_threadpool(_received, request, key, spool, taken)
    except BaseException:
        await run_in_threadpool(spool.abandon)
        raise
    return Response(answer, status, media_type="application/json")


def _received(request: Request, key: str, spool: Spool, taken: Upload) -> tuple[int, bytes]:
    institution_text, mapping = _fields(taken)
    with opened(request) as here:
        institution = filing_institution(here, institution_text)

        def effect() -> tuple[int, bytes]:
            roster = commands.receive(
                here,
                institution,
                upload_id=spool.upload_id,
                file_name=_short(taken.file_name or ""),
                file_sha256=taken.sha256,
                file_size=spool.size,
                mapping=mapping,
            )
            return 202, json.dumps({"id": str(roster.id), "state": roster.state}).encode()

        body = json.dumps([taken.sha256, mapping], sort_keys=True).encode()
        answer = once(
            here.session, here.seal, institution.registration_no, key, digest("POST", "/rosters", body), effect
        )
    if str(spool.upload_id) != _kept_upload(request, answer[1]):
        spool.abandon()  # a repeat: the first upload is the one that counts
    return answer


def _kept_upload(request: Request, answer: bytes) -> str:
    with opened(request) as here:
        return str(queries.get(here, uuid.UUID(json.loads(answer)["id"])).upload_id)


def _fields(taken: Upload) -> tuple[str, dict[str, str]]:
    faults = [
        FieldError(name[:60], "unknown", _UNKNOWN) for name in taken.fields if name not in ("institution", "mapping")
    ]
    if not taken.file_name:
        faults.append(FieldError("file", "missing", _FILE))
    if not taken.fields.get("institution"):
        faults.append(FieldError("institution", "missing", _MISSING))
    elif has_control(taken.fields["institution"]):
        faults.append(FieldError("institution", "characters", _CHARACTERS))
    mapping: Any = strict_json(taken.fields["mapping"].encode()) if taken.fields.get("mapping") else {}
    ours = [heading.name for heading in HEADINGS]
    if not isinstance(mapping, dict) or any(has_control(of) or to not in ours for of, to in mapping.items()):
        faults.append(FieldError("mapping", "mapping", _MAPPING))
    if faults:
        raise Invalid(errors=tuple(faults))
    return taken.fields["institution"], mapping


def _short(name: str) -> str:
    return "".join(c for c in name.replace("\\", "/").rpartition("/")[2] if c.isprintable())[-120:] or "file"


@router.get("/rosters")
def list_rosters(here: Here, speak: Speak, after: Cursor, limit: Limit = 50) -> dict[str, Any]:
    """Newest first."""
    rows = queries.page(here, limit=limit + 1, after=after)
    items = [
        {
            "id": str(row.id),
            "state": row.state,
            "file_name": row.file_name,
            "rows": row.rows,
            "uploaded_at": row.uploaded_at.isoformat(),
            "state_name": speak(ROSTER.states[State(row.state)]),
        }
        for row in rows[:limit]
    ]
    return {"items": items, "next": str(rows[limit - 1].id) if len(rows) > limit else None}


@router.get("/rosters/{roster_id}")
def get(here: Here, speak: Speak, roster_id: uuid.UUID) -> dict[str, Any]:
    return presented(here, queries.get(here, roster_id), speak)


@router.get("/rosters/{roster_id}/rows")
def list_rows(
    here: Here,
    speak: Speak,
    roster_id: uuid.UUID,
    outcome: Annotated[str | None, Query(max_length=20)] = None,
    cursor: Annotated[int | None, Query(ge=0, le=2**31 - 1)] = None,
    limit: Limit = 50,
) -> dict[str, Any]:
    """The judged rows in file order, with what was found of each and the filing it became."""
    if outcome is not None and outcome not in {str(found) for found in OUTCOMES}:
        raise Invalid(errors=(FieldError("outcome", "outcome", _OUTCOME),))
    roster = queries.get(here, roster_id)
    rows = queries.rows(here.session, roster.id, limit=limit + 1, after=cursor or 0, outcome=outcome)
    items = [
        {
            "row": row.row,
            "outcome": row.outcome,
            "filing": str(filing) if filing else None,
            "findings": [found | {"message": speak(Text(**found["message"]))} for found in row.findings],
        }
        for row, filing in rows[:limit]
    ]
    return {"items": items, "next": str(rows[limit - 1][0].row) if len(rows) > limit else None}


class RosterAct(In):
    act: Literal["file", "attest", "pause", "resume", "cancel"]
    agreements: Annotated[list[Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]], Field(max_length=1000)] | None = None


@router.post("/rosters/{roster_id}/acts")
def act(here: Here, speak: Speak, roster_id: uuid.UUID, body: RosterAct, key: OptionalKey) -> Response:
    """`file`, `attest` (a manager, not the filer), `pause`, `resume`, `cancel`."""
    roster = queries.locked(here, roster_id)

    def effect() -> tuple[int, bytes]:
        moved = commands.move(here, roster, Act(body.act), agreements=body.agreements)
        return 200, json.dumps(presented(here, moved, speak), ensure_ascii=False).encode()

    if key is None:
        status, answer = effect()
    else:
        scope = presented(here, roster, speak)["institution"]
        request = digest("POST", f"/rosters/{roster_id}/acts", body.model_dump_json(exclude_unset=True).encode())
        status, answer = once(here.session, here.seal, scope, key, request, effect)
    return Response(answer, status, media_type="application/json")


@router.get("/rosters/{roster_id}/report.csv")
def csv_report(request: Request, here: Here, speak: Speak, roster_id: uuid.UUID) -> Response:
    """The rows as they came, in order, each with its outcome, rules and explanation. Each download is an event."""
    roster = queries.get(here, roster_id)
    report.record_download(here, roster, "csv")
    state = request.app.state
    rows = report.lines(state.database, state.seal(), roster.id)
    return StreamingResponse(
        report.csv_report(list(roster.columns), rows, speak),
        media_type="text/csv; charset=utf-8",
        headers=_as_download(roster.file_name, "csv"),
    )


@router.get("/rosters/{roster_id}/report.xlsx")
def xlsx_report(request: Request, here: Here, speak: Speak, roster_id: uuid.UUID) -> Response:
    """The same as a workbook, the cells that need correction coloured and commented."""
    roster = queries.get(here, roster_id)
    report.record_download(here, roster, "xlsx")
    state = request.app.state
    rows = report.lines(state.database, state.seal(), roster.id)
    file = report.xlsx_report(list(roster.columns), dict(roster.places), rows, speak)
    return StreamingResponse(
        _blocks(file),
        media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        headers=_as_download(roster.file_name, "xlsx"),
    )


def _as_download(file_name: str, kind: str) -> dict[str, str]:
    name = f"{file_name.rpartition('.')[0] or file_name}-report.{kind}"
    return {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}"}


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        yield from iter(lambda: file.read(1 << 16), b"")


@router.get("/rosters/{roster_id}/events")
async def follow(request: Request, roster_id: uuid.UUID) -> Response:
    """Server-Sent Events with the object of `GET /rosters/{id}`: at once, at each change, and the last one at the end."""
    speak = language(request.headers.get("accept-language"))
    first = await run_in_threadpool(_snapshot, request, roster_id, speak)
    return StreamingResponse(
        _events(request, roster_id, speak, first),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _events(
    request: Request, roster_id: uuid.UUID, speak: Language, first: dict[str, Any]
) -> AsyncIterator[bytes]:
    last, before = first, ""
    until = request.app.state.clock() + _FOLLOWED_FOR
    while True:
        text = json.dumps(last, ensure_ascii=False)
        yield b": still here\n\n" if text == before else f"event: roster\ndata: {text}\n\n".encode()
        before = text
        at_rest = State(last["state"]) in (*ROSTER.final, State.JUDGED, State.FILED, State.PAUSED)
        if at_rest or request.app.state.clock() > until or await request.is_disconnected():
            return
        await asyncio.sleep(_EVERY)
        last = await run_in_threadpool(_snapshot, request, roster_id, speak)


def _snapshot(request: Request, roster_id: uuid.UUID, speak: Language) -> dict[str, Any]:
    with opened(request) as here:
        return presented(here, queries.get(here, roster_id), speak)

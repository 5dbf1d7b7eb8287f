"""Filings: create, list, read, act, attach. Each endpoint parses, calls one command or query, and returns."""

from __future__ import annotations

import uuid
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, File, Form, Query, Request, Response, UploadFile

from auth.roles import Role
from registry.api.context import Cursor, Here, Key, Limit, OptionalKey, Search, Speak
from registry.api.door import Door
from registry.api.opening import FilingLook
from registry.context import Context
from registry.documents.commands import MAX_BYTES
from registry.errors import FieldError, Invalid
from registry.filings import attaching, commands, queries
from registry.filings.casefile import case_files
from registry.filings.presenting import presented, summaries
from registry.filings.schemas import AnyAct, CreateFiling, FilingOut, FilingPage
from registry.filings.tables import Filing
from registry.idempotency import digest, once
from registry.language import Language
from workflows import numbers
from workflows.filing import State
from workflows.names import name_key
from workflows.rules.catalogue import REASONS
from workflows.text import Text

router = APIRouter(prefix="/api/v1", route_class=Door, tags=["filings"])

MULTIPART_AROUND = 64 * 1024  # boundaries, headers and fields beside the file

_STATE = Text("没有这个状态。", "There is no such state.")
_TWICE = Text("每项只能出现一次。", "Give each field once.")
_UNKNOWN = Text("没有这个字段，请删除。", "There is no such field; remove it.")


@router.post("/filings", status_code=201, response_model=FilingOut)
def create(here: Here, speak: Speak, body: CreateFiling, key: Key) -> Response:
    """A draft, judged by the rules at once. The same key and body give the same answer."""

    def effect() -> tuple[int, bytes]:
        return 201, _answer(here, commands.create(here, body), speak)

    filed_for = numbers.registration_number(body.institution)
    scope = filed_for if filed_for in here.actor.organisations(Role.FILER, Role.MANAGER) else here.actor.id
    return _once(here, scope, key, digest("POST", "/filings", _canonical(body)), effect)


@router.get("/filings", response_model=FilingPage)
def list_filings(
    here: Here,
    after: Cursor,
    state: Annotated[str | None, Query(max_length=20)] = None,
    institution: Annotated[str | None, Query(max_length=30)] = None,
    q: Search | None = None,
    overdue: bool | None = None,
    limit: Limit = 50,
) -> FilingPage:
    """Newest first. `q`: a filing's number, a practising code, or any part of a name."""
    if state is not None and state not in set(State):
        raise Invalid(errors=(FieldError("state", "state", _STATE),))
    rows, following = queries.page(
        here,
        limit=limit,
        after=after,
        state=state,
        institution=numbers.registration_number(institution) if institution else None,
        text=name_key(q) if q else None,
        overdue=overdue,
    )
    return FilingPage(items=summaries(here, rows), next=str(following) if following else None)


@router.get("/filings/{filing_id}", response_model=FilingOut)
def get(here: Here, speak: Speak, look: FilingLook, filing_id: uuid.UUID) -> FilingOut:
    filing = queries.get(here, filing_id)
    look.physician_id = filing.physician_id
    return presented(here, filing, speak)


@router.post("/filings/{filing_id}/acts", response_model=FilingOut)
def act(here: Here, speak: Speak, filing_id: uuid.UUID, body: AnyAct, key: OptionalKey) -> Response:
    """One act on a filing, at the revision the caller looked at. With a key, a repeat gets the first answer."""
    filing = queries.locked(here, filing_id)

    def effect() -> tuple[int, bytes]:
        return 200, _answer(here, commands.act(here, filing, body), speak)

    if key is None:
        return _json(*effect())
    return _once(
        here, _scope(here, filing), key, digest("POST", f"/filings/{filing_id}/acts", _canonical(body)), effect
    )


async def _each_field_once(request: Request) -> None:
    """The form holds `file` and `kind` and nothing twice: what nobody would read is refused, not dropped."""
    names = [name for name, _ in (await request.form()).multi_items()]
    faults = [
        FieldError(name[:60], "repeated", _TWICE)
        if name in ("file", "kind")
        else FieldError(name[:60], "unknown", _UNKNOWN)
        for name in dict.fromkeys(names)
        if name not in ("file", "kind") or names.count(name) > 1
    ]
    if faults:
        raise Invalid(errors=tuple(faults))


@router.post(
    "/filings/{filing_id}/attachments",
    status_code=201,
    max_body_size=MAX_BYTES + MULTIPART_AROUND,
    dependencies=[Depends(_each_field_once)],
)
def attach(
    here: Here,
    filing_id: uuid.UUID,
    file: Annotated[UploadFile, File()],
    key: Key,
    kind: Annotated[str, Form(max_length=40)] = "other",
) -> Response:
    """A PDF, JPEG or PNG as evidence; `kind` says of what (main_consent is the main institution's signed consent)."""
    content = file.file.read(MAX_BYTES + 1)
    filing = queries.locked(here, filing_id)

    def effect() -> tuple[int, bytes]:
        return 201, attaching.attach(here, filing, content, kind, file.filename or "").model_dump_json().encode()

    return _once(
        here,
        _scope(here, filing),
        key,
        digest("POST", f"/filings/{filing_id}/attachments/{kind}", content),
        effect,
    )


@router.get("/filings/{filing_id}/attachments/{sha256}")
def download(here: Here, look: FilingLook, filing_id: uuid.UUID, sha256: str) -> Response:
    """The file, always as a download: evidence is never run or shown inside our pages."""
    filing = queries.get(here, filing_id)
    look.physician_id = filing.physician_id
    name, media_type, content = attaching.content(here, filing, sha256)
    return Response(
        content,
        media_type=media_type,
        headers={"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}"},
    )


@router.get("/reasons")
def reasons() -> dict[str, Any]:
    """The catalogue that officers choose reasons from."""
    items = [{"code": r.code, "zh": r.text.zh, "en": r.text.en, "basis": r.basis} for r in REASONS.values()]
    return {"items": items, "next": None}


def _scope(here: Context, filing: Filing) -> str:
    """Whose key it is: the acting organisation's, or the physician's own."""
    return commands.acting_for(here, case_files(here, [filing])[0]) or here.actor.id


def _once(here: Context, scope: str, key: str, request: bytes, effect: Any) -> Response:
    return _json(*once(here.session, here.seal, scope, key, request, effect))


def _answer(here: Context, filing: Filing, speak: Language) -> bytes:
    here.session.flush()
    return presented(here, filing, speak).model_dump_json().encode()


def _json(status: int, content: bytes) -> Response:
    return Response(content, status, media_type="application/json")


def _canonical(body: CreateFiling | AnyAct) -> bytes:
    return body.model_dump_json(exclude_unset=True).encode()

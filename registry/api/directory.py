"""Who am I; institutions; physicians, with every number masked."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from registry.api.body import In, Line, Name, Number
from registry.api.context import Cursor, Here, Limit, Search
from registry.api.door import Door
from registry.api.opening import PhysicianLook
from registry.context import Context
from registry.institutions import queries as institutions
from registry.institutions.tables import Institution
from registry.log.reading import event_out
from registry.physicians import queries as physicians
from registry.physicians.tables import Physician, Registration
from registry.sealed import mask_id_number, mask_qualification
from registry.sites.queries import practices
from registry.verification.queries import who_looked
from workflows import numbers
from workflows.codes import CodeTables

router = APIRouter(prefix="/api/v1", route_class=Door, tags=["directory"])


@router.get("/me")
def me(here: Here) -> dict[str, Any]:
    """Who the caller is and what they hold, as of now."""
    actor = here.actor
    grants = sorted(actor.grants, key=lambda grant: (grant.role, grant.organisation))
    return {
        "account": {"id": actor.id, "name": actor.name, "kind": actor.kind, "scopes": sorted(actor.scopes)},
        "grants": [{"role": grant.role, "organisation": grant.organisation} for grant in grants],
    }


@router.get("/institutions")
def list_institutions(
    here: Here,
    after: Cursor,
    q: Search | None = None,
    province: Annotated[str | None, Query(max_length=20)] = None,
    internet: bool | None = None,
    limit: Limit = 50,
) -> dict[str, Any]:
    rows = institutions.page(
        here.session, limit=limit + 1, after=after, text=q, province=_province(here.codes, province), internet=internet
    )
    return _page(
        [_institution(here.codes, row) for row in rows[:limit]], rows[limit - 1].id if len(rows) > limit else None
    )


@router.get("/institutions/{registration_no}")
def get_institution(here: Here, registration_no: str) -> dict[str, Any]:
    return _institution(here.codes, institutions.get(here.session, numbers.registration_number(registration_no)))


@router.get("/physicians")
def list_physicians(
    here: Here,
    after: Cursor,
    practising_code: Search | None = None,
    name: Search | None = None,
    q: Search | None = None,
    limit: Limit = 50,
) -> dict[str, Any]:
    return _physicians(here, after, practising_code, name, q, limit)


class PhysicianSearch(In):
    practising_code: Number | None = None
    name: Name | None = None
    q: Line | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[uuid.UUID, Field(strict=False)] | None = None


@router.post("/physicians/search")
def search_physicians(here: Here, body: PhysicianSearch) -> dict[str, Any]:
    """The same search with nothing in the address. It creates nothing, so it takes no Idempotency-Key."""
    return _physicians(here, body.cursor, body.practising_code, body.name, body.q, body.limit)


def _physicians(
    here: Context, after: uuid.UUID | None, code: str | None, name: str | None, text: str | None, limit: int
) -> dict[str, Any]:
    rows = physicians.page(
        here,
        limit=limit + 1,
        after=after,
        practising_code=numbers.normalised(code) if code else None,
        name=name,
        text=text,
    )
    return _page(_many(here, rows[:limit]), rows[limit - 1].id if len(rows) > limit else None)


@router.get("/physicians/{physician_id}")
def get_physician(here: Here, _look: PhysicianLook, physician_id: uuid.UUID) -> dict[str, Any]:
    return _many(here, [physicians.get(here, physician_id)])[0]


@router.get("/physicians/{physician_id}/sites")
def list_sites(here: Here, _look: PhysicianLook, physician_id: uuid.UUID) -> dict[str, Any]:
    """Every place of practice, past and to come, the main institutions with `main` true."""
    person = physicians.get(here, physician_id)
    items = [
        {
            "id": str(site.id),
            "institution": site.institution,
            "registration_no": site.registration_no,
            "scopes": [here.codes.label("practice_scope", code) for code in site.scopes],
            "from": site.valid_from.isoformat(),
            "to": site.valid_to and site.valid_to.isoformat(),
            "state": site.state,
            "main": site.main,
        }
        for site in practices(here.session, person.id)
    ]
    return _page(items, None)


@router.get("/physicians/{physician_id}/timeline")
def physician_timeline(
    here: Here,
    _look: PhysicianLook,
    physician_id: uuid.UUID,
    cursor: Annotated[int | None, Query(ge=1)] = None,
    limit: Limit = 50,
) -> dict[str, Any]:
    person = physicians.get(here, physician_id)
    rows = physicians.timeline(here.session, person.id, limit=limit + 1, before=cursor)
    return _page([event_out(*row) for row in rows[:limit]], rows[limit - 1][0].seq if len(rows) > limit else None)


@router.get("/physicians/{physician_id}/access")
def physician_access(here: Here, physician_id: uuid.UUID, after: Cursor, limit: Limit = 50) -> dict[str, Any]:
    """Who verified this physician or opened their record or a filing of theirs, when, for whom and for what purpose."""
    person = physicians.get(here, physician_id)
    rows = who_looked(here.session, person.id, limit=limit + 1, before=after)
    items = [
        {
            "at": row.at.isoformat(),
            "what": row.what,
            "asked_by": row.by,
            "organisation": row.organisation,
            "purpose": row.purpose,
            "filing": row.filing_id and str(row.filing_id),
            "institution": row.institution,
            "scope": row.scope,
            "on": row.on and row.on.isoformat(),
            "answer": row.answer,
        }
        for row in rows[:limit]
    ]
    return _page(items, rows[limit - 1].id if len(rows) > limit else None)


def _page(items: list[dict[str, Any]], following: object) -> dict[str, Any]:
    return {"items": items, "next": None if following is None else str(following)}


def _province(codes: CodeTables, text: str | None) -> str | None:
    if text is None:
        return None
    found = codes.find("province", text)
    return found.code if found else text


def _institution(codes: CodeTables, row: Institution) -> dict[str, Any]:
    return {
        "registration_no": row.registration_no,
        "name": row.name,
        "uscc": row.uscc,
        "division": row.division,
        "province": codes.label("province", row.province),
        "category": codes.label("institution_category", row.category),
        "management": row.management,
        "internet": row.internet,
        "subjects": [codes.label("clinical_subject", code) for code in row.subjects],
        "licence_until": row.licence_until and row.licence_until.isoformat(),
        "status": row.status,
        "authority": row.authority,
        "authority_name": row.authority_name,
        "source": row.source,
        "source_at": row.source_at.isoformat(),
    }


def _many(here: Context, rows: list[Physician] | Any) -> list[dict[str, Any]]:
    found = physicians.registrations(here.session, [row.id for row in rows], here.today)
    return [_physician(here, row, found.get(row.id, [])) for row in rows]


def _physician(here: Context, row: Physician, registrations: list[Registration]) -> dict[str, Any]:
    codes = here.codes
    number = row.id_number_sealed and here.seal.open("physician.id_number", row.id, row.id_number_sealed)
    qualification = row.qualification_sealed and here.seal.open(
        "physician.qualification", row.id, row.qualification_sealed
    )
    return {
        "id": str(row.id),
        "name": row.name,
        "practising_code": row.practising_code,
        "id_type": codes.label("identity_document", row.id_type),
        "id_number": mask_id_number(number) if number else None,
        "qualification_code": mask_qualification(qualification) if qualification else None,
        "sex": row.sex,
        "level": codes.label("physician_level", row.level),
        "title": row.title,
        "first_registered": row.first_registered and row.first_registered.isoformat(),
        "registrations": [_registration(codes, found) for found in registrations],
        "source": row.source,
        "source_at": row.source_at.isoformat(),
    }


def _registration(codes: CodeTables, row: Registration) -> dict[str, Any]:
    return {
        "place": row.place,
        "province": codes.label("province", row.province),
        "main_institution": row.main_name,
        "main_registration_no": row.main_registration_no,
        "level": codes.label("physician_level", row.level),
        "category": codes.label("practice_category", row.category),
        "scopes": [codes.label("practice_scope", code) for code in row.scopes],
        "status": row.status,
        "status_from": row.status_from and row.status_from.isoformat(),
        "status_to": row.status_to and row.status_to.isoformat(),
        "registered_on": row.registered_on and row.registered_on.isoformat(),
        "source": row.source,
        "source_at": row.source_at.isoformat(),
    }

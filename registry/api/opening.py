"""Whoever opens the record of somebody else leaves one of their own, before they see it."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from auth.roles import Role
from registry.database import new_id
from registry.verification.access import Opening
from registry.verification.routes import UNSTATED, stated_purpose


@dataclass
class Look:
    """What is opened, and about whom; the endpoint says whose a filing is."""

    subject_type: str
    subject_id: uuid.UUID
    physician_id: uuid.UUID | None = None


async def looks_at_physician(request: Request, physician_id: uuid.UUID) -> AsyncIterator[Look]:
    async with _kept(request, Look("physician", physician_id, physician_id)) as look:
        yield look


async def looks_at_filing(request: Request, filing_id: uuid.UUID) -> AsyncIterator[Look]:
    async with _kept(request, Look("filing", filing_id)) as look:
        yield look


@asynccontextmanager
async def _kept(request: Request, look: Look) -> AsyncIterator[Look]:
    """The header `Purpose` says what for, as in verification. What was not shown leaves no record, and nor does one's own."""
    purpose = stated_purpose(request.headers.get("purpose"))
    yield look
    state, actor = request.app.state, request.state.actor
    if actor.roles() <= {Role.PHYSICIAN}:
        return
    opening = Opening(
        id=str(new_id()),
        at=state.clock(),
        opened_by=actor.id,
        organisation=min(actor.organisations(), default=None),
        purpose=purpose or UNSTATED,
        subject_type=look.subject_type,
        subject_id=str(look.subject_id),
        physician_id=str(look.physician_id) if look.physician_id else None,
    )
    await state.desk.log.keep(opening)


PhysicianLook = Annotated[Look, Depends(looks_at_physician, scope="function")]
FilingLook = Annotated[Look, Depends(looks_at_filing, scope="function")]

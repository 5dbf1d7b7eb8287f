"""Where a physician practises, as known now: the main institutions, read from the registrations, and the filed sites."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlmodel import Session, col, select

from registry.institutions.tables import Institution
from registry.physicians.tables import Registration
from registry.sites.tables import Site
from registry.spans import last_day


@dataclass(frozen=True)
class Practice:
    """One stretch of days at one institution with one state."""

    id: uuid.UUID
    institution: str
    registration_no: str | None
    scopes: tuple[str, ...]
    valid_from: date
    valid_to: date | None
    state: str
    main: bool


def practices(session: Session, physician_id: uuid.UUID) -> Sequence[Practice]:
    """All stretches, past and to come, main institutions first."""
    main = session.exec(
        select(Registration, col(Institution.name))
        .join(Institution, col(Institution.registration_no) == col(Registration.main_registration_no), isouter=True)
        .where(col(Registration.physician_id) == physician_id, sa.func.upper_inf(col(Registration.recorded)))
        .order_by(col(Registration.valid), col(Registration.place))
    )
    filed = session.exec(
        select(Site, Institution)
        .join(Institution, col(Institution.id) == col(Site.institution_id))
        .where(col(Site.physician_id) == physician_id, sa.func.upper_inf(col(Site.recorded)))
        .order_by(col(Site.valid), col(Site.site_id))
    )
    return [
        *(
            Practice(
                id=row.id,
                institution=name or row.main_name,
                registration_no=row.main_registration_no,
                scopes=tuple(row.scopes),
                valid_from=row.valid.lower,
                valid_to=last_day(row.valid),
                state="EFFECTIVE" if row.status == "ACTIVE" else row.status,
                main=True,
            )
            for row, name in main
        ),
        *(
            Practice(
                id=row.site_id,
                institution=institution.name,
                registration_no=institution.registration_no,
                scopes=tuple(row.scopes),
                valid_from=row.valid.lower,
                valid_to=last_day(row.valid),
                state=row.state,
                main=False,
            )
            for row, institution in filed
        ),
    ]

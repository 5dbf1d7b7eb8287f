"""The one statement of a verification: who asks and what is recorded, in one round trip and so in one snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from auth.actor import ActorKind
from auth.actors import ACTOR_SQL
from registry.verification.answer import (
    REGISTER_MAX_AGE_DAYS,
    Facts,
    Registration,
    SiteState,
    Span,
    Stretch,
)
from workflows.rules.facts import RegistrationStatus

# Rows of every day are read, not only of the day asked about: a site that ended or has not begun is a reason. Arrays
# instead of objects, since the statement runs for each question. PostgreSQL keeps spans half open; here both ends count.
_FACTS = """
select json_build_array(p.id, p.name, p.name_key, p.level,
 (select json_agg(json_build_array(r.place, r.main_registration_no, coalesce(i.name, r.main_name), r.level, r.category,
   r.scopes, r.status, r.status_from, lower(r.valid), upper(r.valid) - 1, extract(epoch from r.source_at)::float8)
   order by lower(r.valid), r.place)
  from registration r left join institution i on i.registration_no = r.main_registration_no
  where r.physician_id = p.id and r.recorded @> %(known)s::timestamptz),
 (select json_agg(json_build_array(s.site_id, i.registration_no, i.name, s.place, s.scopes, s.state, lower(s.valid),
   upper(s.valid) - 1) order by lower(s.valid), i.registration_no)
  from site s join institution i on i.id = s.institution_id
  where s.physician_id = p.id and s.recorded @> %(known)s::timestamptz),
 (select json_object_agg(c.place, extract(epoch from c.source_at)::float8)
  from register_confirmation c where c.physician_id = p.id),
 (select a.value from authority_setting a where a.authority in (%(authority)s, '000000') and a.at <= %(known)s
   and a.key = 'register_max_age_days' order by a.authority desc, a.id desc limit 1))
from physician p where p.practising_code = %(code)s
"""

# Driver's style of parameters: known, authority, code, and those of `auth.actors.parameters`. Five columns of the actor,
# then the facts or null. No row when the token no longer counts, so nothing is read for whoever may not ask.
ASKED_SQL: Mapping[ActorKind, str] = {
    kind: f"select actor.*, ({_FACTS}) from ({actor}) actor"  # noqa: S608  (two constants)
    for kind, actor in ACTOR_SQL.items()
}

RegistrationRow = list[Any]
StretchRow = list[Any]


def facts(found: list[Any] | None) -> Facts | None:
    """The facts in the array of the last column; None when the code is not known."""
    if found is None:
        return None
    physician_id, name, name_key, level, registrations, stretches, confirmed, max_age = found
    return Facts(
        physician_id,
        name,
        name_key,
        level,
        tuple(map(_registration, registrations or ())),
        tuple(map(_stretch, stretches or ())),
        {place: _instant(at) for place, at in (confirmed or {}).items()},
        int(max_age) if max_age is not None else REGISTER_MAX_AGE_DAYS,
    )


def _registration(row: RegistrationRow) -> Registration:
    place, registration_no, institution, level, category, scopes, status, status_from, first, last, source_at = row
    return Registration(
        place,
        registration_no,
        institution,
        level,
        category,
        tuple(scopes),
        RegistrationStatus(status),
        _day(status_from),
        Span(_day(first), _day(last)),
        _instant(source_at),
    )


def _stretch(row: StretchRow) -> Stretch:
    site_id, registration_no, institution, place, scopes, state, first, last = row
    return Stretch(
        site_id,
        registration_no,
        institution,
        place,
        tuple(scopes),
        SiteState(state),
        Span(_day(first), _day(last)),
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _instant(epoch: float) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)

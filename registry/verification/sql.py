"""The one statement of verification: who asks and what is recorded, for all who wait, in one snapshot."""

from __future__ import annotations

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
FACTS_SQL = """
select json_build_array(p.id, p.name, p.name_key, p.level,
 (select json_agg(json_build_array(r.place, r.main_registration_no, coalesce(i.name, r.main_name), r.level, r.category,
   r.scopes, r.status, r.status_from, lower(r.valid), upper(r.valid) - 1, extract(epoch from r.source_at)::float8)
   order by lower(r.valid), r.place)
  from registration r left join institution i on i.registration_no = r.main_registration_no
  where r.physician_id = p.id and r.recorded @> q.known),
 (select json_agg(json_build_array(s.site_id, i.registration_no, i.name, s.place, s.scopes, s.state, lower(s.valid),
   upper(s.valid) - 1) order by lower(s.valid), i.registration_no)
  from site s join institution i on i.id = s.institution_id
  where s.physician_id = p.id and s.recorded @> q.known),
 (select json_object_agg(c.place, extract(epoch from c.source_at)::float8)
  from register_confirmation c where c.physician_id = p.id),
 (select a.value from authority_setting a where a.authority in (q.authority, '000000') and a.at <= q.known
   and a.key = 'register_max_age_days' order by a.authority desc, a.id desc limit 1))
from physician p where p.practising_code = q.code
"""


def _actor(kind: ActorKind) -> str:
    """`ACTOR_SQL` with the columns of a question for its parameters."""
    return ACTOR_SQL[kind] % {"subject": "q.subject", "sign_in": "q.sign_in", "jti": "q.jti"}


# $1: a JSON array of questions [kind, subject, sign-in, jti, time of knowledge, authority, code]. One row for each, in
# order: five columns of the actor, all null when the token no longer counts, then the facts, null when there are none or
# nobody who may ask for them.
ASKED_SQL = f"""
with q as materialized (
  select n, e->>0 as kind, (e->>1)::uuid as subject, (e->>2)::uuid as sign_in, e->>3 as jti,
    (e->>4)::timestamptz as known, e->>5 as authority, e->>6 as code
  from json_array_elements($1::json) with ordinality as question (e, n))
select actor.*, case when actor.name is not null then ({FACTS_SQL}) end
from q left join lateral (
  select * from ({_actor(ActorKind.ACCOUNT)}) person where q.kind = '{ActorKind.ACCOUNT}'
  union all
  select * from ({_actor(ActorKind.CLIENT)}) machine where q.kind = '{ActorKind.CLIENT}'
) actor on true
order by q.n
"""  # noqa: S608  (constants)

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

"""The SQL of the register import. Positional parameters in the order of the text."""

from __future__ import annotations

KNOWN = """
select p.practising_code, p.id, p.version, c.place, c.digest, c.source, c.source_at
from physician p left join register_confirmation c on c.physician_id = p.id
where p.practising_code = any(%s)
"""

DIVISIONS = "select registration_no, division from institution where registration_no = any(%s)"

# Locked in one order, so that two writers cannot wait for each other.
LOCK = """
select id, id_number_sealed, qualification_sealed, name, name_key, id_type, sex, birth_date, level, title, first_registered
from physician where id = any(%s) order by id for update
"""

STRETCHES = """
select id, physician_id, place, lower(valid), upper(valid), source_at, digest, main_registration_no, main_name, level,
       category, scopes, registered_on, status, status_from, status_to, status_cause
from registration where physician_id = any(%s) and upper_inf(recorded) order by physician_id, place, valid
"""

PHYSICIAN = (
    "id", "practising_code", "name", "name_key", "name_parts", "id_type", "id_number_sealed", "id_number_index",
    "qualification_sealed", "sex", "birth_date", "level", "title", "first_registered", "source", "source_at", "version",
)  # fmt: skip

PHYSICIAN_STAGE = """
create temporary table if not exists physician_stage (like physician) on commit delete rows;
delete from physician_stage
"""

ALTER_PHYSICIANS = f"""
update physician set ({", ".join(PHYSICIAN[2:])}) = ({", ".join(f"told.{name}" for name in PHYSICIAN[2:])})
from physician_stage told where told.id = physician.id
"""  # noqa: S608  (constants)

# Closed, not deleted: what was known until now can still be asked for.
CLOSE = """
update registration set recorded = tstzrange(lower(recorded), greatest(lower(recorded), %s)) where id = any(%s)
"""

REGISTRATION = (
    "id", "physician_id", "place", "province", "main_registration_no", "main_name", "level", "category", "scopes",
    "status", "status_from", "status_to", "status_cause", "registered_on", "valid", "recorded", "source", "source_at",
    "digest",
)  # fmt: skip

CONFIRM = """
update register_confirmation known set source = %s, source_at = greatest(known.source_at, %s)
from unnest(%s::uuid[], %s::text[]) as told (physician_id, place)
where known.physician_id = told.physician_id and known.place = told.place
"""

CONFIRMATION = ("physician_id", "place", "digest", "source", "source_at")

CONFIRMATION_STAGE = """
create temporary table if not exists confirmation_stage (like register_confirmation) on commit delete rows;
delete from confirmation_stage
"""

CONFIRM_TOLD = """
insert into register_confirmation as known (physician_id, place, digest, source, source_at)
select physician_id, place, digest, source, source_at from confirmation_stage
on conflict (physician_id, place) do update
set digest = excluded.digest, source = excluded.source, source_at = excluded.source_at
"""

ASSESSMENT = ("physician_id", "assessed_on", "result", "source", "source_at", "recorded_at")

# A day without a date is the same day again, or each import would add one more.
ASSESS = """
with told as (
    select physician_id, assessed_on, result, %s::text as source, %s::timestamptz as source_at, %s::timestamptz as at
    from unnest(%s::uuid[], %s::date[], %s::text[]) as told (physician_id, assessed_on, result)
), undated as (
    update assessment known set result = told.result, source = told.source, source_at = told.source_at
    from told
    where known.physician_id = told.physician_id and known.assessed_on is null and told.assessed_on is null
    returning known.physician_id
)
insert into assessment as known (physician_id, assessed_on, result, source, source_at, recorded_at)
select physician_id, assessed_on, result, source, source_at, at from told
where assessed_on is not null or physician_id not in (select physician_id from undated)
on conflict (physician_id, assessed_on) do update
set result = excluded.result, source = excluded.source, source_at = excluded.source_at
where known.result <> excluded.result
"""

BAR = """
insert into disqualification as known (physician_id, code, since, until, source, source_at, recorded_at)
select physician_id, code, since, until, told.source, told.source_at, told.at
from (select %s::text as source, %s::timestamptz as source_at, %s::timestamptz as at) told,
     unnest(%s::uuid[], %s::text[], %s::date[], %s::date[]) as ground (physician_id, code, since, until)
on conflict (physician_id, code, since) do update
set until = excluded.until, source = excluded.source, source_at = excluded.source_at
where known.until is distinct from excluded.until
"""

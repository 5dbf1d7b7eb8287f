from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from auth.actor import OPERATOR
from registry.authorities.commands import set_by_operator, set_setting
from registry.authorities.queries import calendar, policy
from registry.errors import Invalid, NotFound, Refusal
from workflows.clock import add_working_days

GUANGDONG = "440000"


def test_the_demo_province_takes_cross_province_filings_on_its_own_announcement(
    session: Session, now: datetime
) -> None:
    held = policy(session, "460000", now, province="46")
    assert (held.cross_province_mode, held.attested_consent) == ("LOCAL_FILE", True)
    assert held.cross_province_basis is not None
    assert "2019" in held.cross_province_basis


def test_an_authority_without_settings_follows_national_law(session: Session, now: datetime) -> None:
    held = policy(session, GUANGDONG, now, province="44")
    assert (held.cross_province_mode, held.cross_province_basis, held.attested_consent) == ("ADD_REG", None, False)


def test_a_city_follows_its_province_until_it_sets_its_own(session: Session, now: datetime) -> None:
    set_setting(session, OPERATOR, "460000", "max_sites", "3", "a notice", now=now)
    assert policy(session, "460105", now, province="46").max_sites == 3
    set_setting(session, OPERATOR, "460105", "max_sites", "2", "its own notice", now=now)
    assert policy(session, "460105", now, province="46").max_sites == 2
    assert policy(session, "460106", now, province="46").max_sites == 3


def test_the_newest_setting_holds_from_its_moment_on(session: Session, now: datetime) -> None:
    later = now + timedelta(days=1)
    set_setting(session, OPERATOR, GUANGDONG, "rule.R036", "on", "first", now=now)
    set_setting(session, OPERATOR, GUANGDONG, "rule.R036", "senior", "second", now=later)
    before, after = (policy(session, GUANGDONG, at, province="44") for at in (now, later))
    assert (before.switches, after.switches) == ({"R036": "on"}, {"R036": "senior"})
    assert before.version != after.version


@pytest.mark.parametrize(
    ("key", "value", "basis"),
    [
        ("cross_province_mode", "LOCAL_FILE", " "),
        ("cross_province_mode", "local", "a notice"),
        ("attested_consent", "yes", "a notice"),
        ("max_sites", "0", "a notice"),
        ("max_term", "three years", "a notice"),
        ("rule.R36", "on", "a notice"),
        ("rule.R036", "maybe", "a notice"),
        ("unknown", "1", "a notice"),
    ],
)
def test_a_setting_must_be_known_fit_and_have_a_basis(
    session: Session, now: datetime, key: str, value: str, basis: str
) -> None:
    with pytest.raises(Invalid) as refused:
        set_setting(session, OPERATOR, GUANGDONG, key, value, basis, now=now)
    assert refused.value.errors[0].field in (key, "basis")


def test_a_setting_is_recorded_in_the_audit(session: Session, now: datetime) -> None:
    set_setting(session, OPERATOR, GUANGDONG, "max_sites", "3", "a notice", now=now)
    newest = sa.text(
        "select type, actor, organisation, subject_version, payload from audit_event join audit_payload using (seq)"
        " order by seq desc limit 1"
    )
    event = session.execute(newest).one()
    assert tuple(event)[:4] == ("authority.set", "operator", GUANGDONG, 1)
    assert event.payload == '{"authority":"440000","basis":"a notice","key":"max_sites","value":"3"}'


def test_no_setting_for_an_authority_that_is_not_there(session: Session, now: datetime) -> None:
    with pytest.raises(NotFound):
        set_by_operator(session, OPERATOR, "999999", "max_sites", "3", "a notice", now=now, demo=True)


def test_in_production_the_operator_ends_where_the_authority_governs_itself(session: Session, now: datetime) -> None:
    set_by_operator(session, OPERATOR, GUANGDONG, "max_sites", "3", "a notice", now=now, demo=False)
    grant(session, "lead")
    set_by_operator(session, OPERATOR, GUANGDONG, "max_sites", "4", "a notice", now=now, demo=False)
    grant(session, "secadmin")
    with pytest.raises(Refusal):
        set_by_operator(session, OPERATOR, GUANGDONG, "max_sites", "5", "a notice", now=now, demo=False)
    set_by_operator(session, OPERATOR, GUANGDONG, "max_sites", "6", "a notice", now=now, demo=True)


def grant(session: Session, role: str) -> None:
    account = uuid.uuid4()
    session.execute(
        sa.text("insert into account (id, name, name_key) values (:id, :name, :name)"),
        {"id": account, "name": str(account)},
    )
    session.execute(
        sa.text("insert into account_grant (account_id, role, organisation) values (:id, :role, :organisation)"),
        {"id": account, "role": role, "organisation": GUANGDONG},
    )


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        (date(2026, 9, 21), 5, date(2026, 9, 29)),
        (date(2026, 2, 6), 20, date(2026, 3, 12)),
        (date(2025, 9, 26), 20, date(2025, 10, 30)),
    ],
)
def test_the_loaded_calendar_counts_as_the_notices_say(session: Session, start: date, days: int, due: date) -> None:
    assert add_working_days(start, days, calendar(session, "460000")) == due


def test_a_local_festival_is_off_there_and_below_only(session: Session) -> None:
    festival = date(2026, 4, 20)
    session.execute(
        sa.text("insert into calendar_day values ('460200', :day, false, 'a notice of the city')"), {"day": festival}
    )
    assert not calendar(session, "460200").is_working(festival)
    assert not calendar(session, "460202").is_working(festival)
    assert calendar(session, "460100").is_working(festival)

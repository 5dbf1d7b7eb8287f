from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy.dialects.postgresql import Range
from sqlmodel import Session, col, select

from registry.bulk import cursor_of
from registry.database import new_id
from registry.demo.generate import Record
from registry.filings.tables import Filing
from registry.institutions.tables import Institution
from registry.physicians.tables import Physician
from registry.sites.following import follow_registrations
from registry.sites.tables import Site
from registry.transaction import transaction
from tests.registry.extracts import Extracts, people

DAY = timedelta(days=1)

STRETCHES = """
select lower(valid)::text, upper(valid)::text, state from site
where recorded @> cast(:known as timestamptz) order by lower(valid)
"""


@pytest.fixture
def rows(extracts: Extracts) -> list[Record]:
    found = people(1)
    extracts.load(found)
    return found


def settle(
    extracts: Extracts,
    rows: list[Record],
    *,
    first: date = date(2026, 6, 1),
    end: date = date(2028, 6, 1),
    state: str = "EFFECTIVE",
    cause: str | None = None,
) -> None:
    """Give the physician an additional site in Hainan, as an approval would."""
    with transaction(extracts.database) as session:
        physician = session.exec(
            select(Physician).where(col(Physician.practising_code) == rows[0]["执业证书编码"])
        ).one()
        institution = session.exec(select(Institution).where(col(Institution.internet)).limit(1)).one()
        filing = Filing(
            number="1",
            type="SITE_FILE",
            state="APPROVED",
            name=physician.name,
            name_key=physician.name_key,
            id_type="01",
            id_number_sealed=b"",
            id_number_index=b"",
            practising_code=physician.practising_code,
            qualification_sealed=b"",
            physician_id=physician.id,
            institution_id=institution.id,
            category="1",
            author="institution",
            filed_by="a",
            created_at=extracts.now,
        )
        session.add(filing)
        session.flush()
        session.add(
            Site(
                site_id=new_id(),
                filing_id=filing.id,
                physician_id=physician.id,
                institution_id=institution.id,
                place="46",
                category="1",
                scopes=["11"],
                state=state,
                cause=cause,
                valid=Range(first, end),
                recorded=Range(extracts.now, None),
            )
        )


def told(extracts: Extracts, rows: list[Record], at: datetime, **standing: str) -> None:
    rows[0] |= {"状态起": "", "状态止": ""} | standing
    assert extracts.load(rows, now=at).changed == 1


def events(extracts: Extracts) -> list[str]:
    return [row[0] for row in extracts.read("select type from audit_event where subject_type = 'site' order by seq")]


def test_a_suspended_registration_suspends_the_sites_over_the_same_days(
    extracts: Extracts, rows: list[Record], now: datetime
) -> None:
    settle(extracts, rows)
    told(extracts, rows, now + DAY, 状态="暂停", 状态起="2026-11-01", 状态止="2026-12-31")
    assert extracts.read(STRETCHES, known=now + 2 * DAY) == [
        ("2026-06-01", "2026-11-01", "EFFECTIVE"),
        ("2026-11-01", "2027-01-01", "SUSPENDED"),
        ("2027-01-01", "2028-06-01", "EFFECTIVE"),
    ]
    assert extracts.read(STRETCHES, known=now + DAY / 2) == [("2026-06-01", "2028-06-01", "EFFECTIVE")]
    assert events(extracts) == ["site.suspend"]


def test_sites_follow_in_the_very_transaction_of_the_registration(
    extracts: Extracts, rows: list[Record], now: datetime
) -> None:
    settle(extracts, rows)
    told(extracts, rows, now + DAY, 状态="暂停", 状态起="2026-11-01")
    moments = "select xmin::text from {} where upper_inf(recorded) and {} = 'SUSPENDED'"
    assert extracts.read(moments.format("site", "state")) == extracts.read(moments.format("registration", "status"))


def test_a_restored_registration_restores_the_sites_from_that_day(
    extracts: Extracts, rows: list[Record], now: datetime
) -> None:
    settle(extracts, rows)
    told(extracts, rows, now + DAY, 状态="暂停", 状态起="2026-11-01")
    told(extracts, rows, now + 3 * DAY, 状态="有效")
    assert extracts.read(STRETCHES, known=now + 4 * DAY) == [
        ("2026-06-01", "2026-11-01", "EFFECTIVE"),
        ("2026-11-01", "2026-11-24", "SUSPENDED"),
        ("2026-11-24", "2028-06-01", "EFFECTIVE"),
    ]
    assert events(extracts) == ["site.suspend", "site.restore"]


@pytest.mark.parametrize("status", ["注销", "吊销", "撤销"])
def test_a_lost_registration_ends_the_sites_from_its_day(
    extracts: Extracts, rows: list[Record], now: datetime, status: str
) -> None:
    settle(extracts, rows)
    told(extracts, rows, now + DAY, 状态=status, 状态起="2026-10-01")
    assert extracts.read(STRETCHES, known=now + 2 * DAY) == [
        ("2026-06-01", "2026-10-01", "EFFECTIVE"),
        ("2026-10-01", "2028-06-01", "LAPSED"),
    ]
    assert events(extracts) == ["site.lapse"]


def test_a_site_that_somebody_else_suspended_is_not_restored_by_the_register(
    extracts: Extracts, rows: list[Record], now: datetime
) -> None:
    told(extracts, rows, now + DAY, 状态="暂停", 状态起="2026-11-01")
    settle(extracts, rows, state="SUSPENDED", cause="sanction")
    told(extracts, rows, now + 2 * DAY, 状态="有效")
    assert {row[2] for row in extracts.read(STRETCHES, known=now + 3 * DAY)} == {"SUSPENDED"}


def test_a_site_outside_the_days_is_left_alone(extracts: Extracts, rows: list[Record], now: datetime) -> None:
    settle(extracts, rows, first=date(2026, 1, 1), end=date(2026, 10, 1))
    told(extracts, rows, now + DAY, 状态="暂停", 状态起="2026-11-01")
    assert extracts.read(STRETCHES, known=now + 2 * DAY) == [("2026-01-01", "2026-10-01", "EFFECTIVE")]
    assert events(extracts) == []


def test_following_again_changes_nothing(extracts: Extracts, rows: list[Record], now: datetime) -> None:
    settle(extracts, rows)
    told(extracts, rows, now + DAY, 状态="暂停", 状态起="2026-11-01", 状态止="2026-12-31")
    held = extracts.read("select * from site order by id")
    with Session(extracts.database.engine) as session:
        ids = [row[0] for row in extracts.read("select id from physician")]
        assert follow_registrations(cursor_of(session), ids, now=now + 2 * DAY) == 0
        session.commit()
    assert extracts.read("select * from site order by id") == held


def test_an_import_that_changes_no_standing_moves_no_site(
    extracts: Extracts, rows: list[Record], now: datetime
) -> None:
    settle(extracts, rows)
    rows[0]["职称"] = "教授"
    extracts.load(rows, now=now + DAY)
    assert extracts.one("select count(*) from site") == 1

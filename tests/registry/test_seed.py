from __future__ import annotations

from datetime import datetime

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from registry.codes.load import code_tables, packaged_tables
from registry.seed import seed
from registry.transaction import Database


def counts(session: Session) -> list[int]:
    names = ("code", "authority", "calendar_day", "calendar_year", "authority_setting", "audit_event")
    return [session.scalar(sa.text(f"select count(*) from {name}")) or 0 for name in names]


def test_seeding_again_changes_nothing(session: Session, now: datetime) -> None:
    before, tables = counts(session), code_tables(session.connection())
    seed(session, now, demo=True)
    assert counts(session) == before
    assert code_tables(session.connection()) is tables


def test_an_edited_row_is_kept_and_a_packaged_one_renewed(session: Session, now: datetime) -> None:
    session.execute(sa.text("update code set zh = '旧', edited = (code = '11') where \"table\" = 'practice_scope'"))
    seed(session, now, demo=False)
    tables = code_tables(session.connection())
    assert tables.get("practice_scope", "11").zh == "旧"
    assert tables.get("practice_scope", "12").zh == "外科专业"


def test_a_change_of_one_row_is_seen_at_once(session: Session) -> None:
    assert code_tables(session.connection()).get("province", "46").en == "Hainan"
    session.execute(sa.text("update code set en = 'Qiong' where \"table\" = 'province' and code = '46'"))
    assert code_tables(session.connection()).get("province", "46").en == "Qiong"


def test_every_other_province_has_one_authority_and_hainan_its_tree(session: Session) -> None:
    rows = {code: (name, parent) for code, name, parent in session.execute(sa.text("select * from authority"))}
    assert rows["440000"] == ("广东省卫生健康委员会", "000000")
    assert rows["460000"] == ("海南省卫生健康委员会", "000000")
    assert rows["460100"] == ("海口市卫生健康委员会", "460000")
    assert rows["460105"] == ("秀英区卫生健康委员会", "460100")
    assert rows["469007"] == ("东方市卫生健康委员会", "460000")
    assert [code for code in rows if not code.endswith("0000") and not code.startswith("46")] == []


def test_without_demo_an_authority_has_no_settings(empty_database: Database, now: datetime) -> None:
    with Session(empty_database.owner_engine) as session:
        seed(session, now, demo=False)
        assert session.scalar(sa.text("select count(*) from authority_setting")) == 0


@pytest.mark.parametrize(
    ("table", "text", "code"),
    [
        ("practice_category", "clinical", "1"),
        ("practice_category", "口腔", "2"),
        ("physician_level", "执业助理医师", "2"),
        ("practice_scope", "内科专业", "11"),
        ("practice_scope", "内科", "11"),
        ("identity_document", "居民身份证", "01"),
        ("province", "海南省", "46"),
        ("province", "琼", "46"),
        ("clinical_subject", "急诊医学科", "20"),
    ],
)
def test_codes_are_found_as_people_write_them(table: str, text: str, code: str) -> None:
    found = packaged_tables().find(table, text)
    assert found is not None
    assert found.code == code


def test_no_name_means_two_codes_of_one_table() -> None:
    for name, rows in packaged_tables().tables.items():
        written = [row.zh for row in rows.values()]
        assert len(written) == len(set(written)), name


def test_scopes_point_to_categories_and_subjects_that_exist() -> None:
    tables = packaged_tables().tables
    assert {row.attributes["category"] for row in tables["practice_scope"].values() if row.attributes} == set("1234")
    for row in tables["scope_to_subject"].values():
        assert row.code in tables["practice_scope"]
        assert row.attributes is not None
        wanted = row.attributes["primary"], row.attributes["with_review"]
        assert all(
            set(subjects) <= set(tables["clinical_subject"]) for subjects in wanted if isinstance(subjects, list)
        )

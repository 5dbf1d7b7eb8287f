"""The second wall: what the application's role cannot do, whatever the application asks (docs/adr/0003)."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError

from registry.schema import APPEND_ONLY, metadata
from registry.transaction import LIMITS


def refused(engine: sa.Engine, statement: str) -> bool:
    with engine.connect() as connection, pytest.raises(ProgrammingError) as error:
        connection.execute(sa.text(statement))
    return getattr(error.value.orig, "sqlstate", None) == "42501"  # insufficient_privilege


@pytest.mark.parametrize("table", sorted(APPEND_ONLY))
def test_the_application_only_adds_rows(engine: sa.Engine, table: str) -> None:
    column = next(iter(metadata.tables[table].columns)).name
    assert refused(engine, f'update {table} set "{column}" = "{column}"')
    assert refused(engine, f"delete from {table}")
    assert refused(engine, f"truncate {table} cascade")


@pytest.mark.parametrize("table", sorted(set(metadata.tables) - APPEND_ONLY))
def test_the_application_works_with_ordinary_tables_and_truncates_none(engine: sa.Engine, table: str) -> None:
    with engine.connect() as connection:
        for power in ("SELECT", "INSERT", "UPDATE", "DELETE"):
            assert connection.scalar(sa.select(sa.func.has_table_privilege(table, power)))
    assert refused(engine, f"truncate {table} cascade")


@pytest.mark.parametrize(
    "statement",
    [
        "create table mine (id int)",
        "drop table audit_event",
        "alter table audit_event disable trigger all",
        "drop trigger audit_event_is_append_only on audit_event",
        "create function mine() returns int language sql as 'select 1'",
        "update alembic_version set version_num = ''",
    ],
)
def test_the_application_changes_no_structure(engine: sa.Engine, statement: str) -> None:
    assert refused(engine, statement)


def test_the_application_owns_nothing(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        owned = sa.text("select relname from pg_class where pg_get_userbyid(relowner) = current_user")
        assert connection.execute(owned).all() == []
        assert connection.scalar(sa.text("select current_user")) == "registry_app"


@pytest.mark.parametrize(
    "statement",
    [
        "update audit_event set type = ''",
        "delete from audit_event",
        "truncate audit_event cascade",
        "update audit_payload set salt = ''",
    ],
)
def test_not_even_the_owner_rewrites_the_audit(owner_engine: sa.Engine, statement: str) -> None:
    assert refused(owner_engine, statement)


def test_the_owner_may_erase_a_payload(owner_engine: sa.Engine) -> None:
    with owner_engine.connect() as connection:
        assert connection.execute(sa.text("delete from audit_payload where false")).rowcount == 0


def test_the_application_waits_only_so_long(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        for name, limit in LIMITS.items():
            assert connection.scalar(sa.select(sa.func.current_setting(name))) == limit


def test_the_queue_is_the_application_s_to_use(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        tables = sa.text("select tablename from pg_tables where tablename like 'procrastinate%'")
        names = connection.execute(tables).scalars().all()
        assert len(names) == 4
        for name in names:
            assert connection.scalar(sa.select(sa.func.has_table_privilege(name, "SELECT, INSERT, UPDATE, DELETE")))

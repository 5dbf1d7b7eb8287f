from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import alembic
import sqlalchemy as sa
from sqlmodel import Session

from registry import migrate
from registry.database import new_id
from registry.transaction import Database

if TYPE_CHECKING:
    from tests.conftest import EmptyDatabases


def test_alembic_is_the_library_and_not_our_folder() -> None:
    assert "site-packages" in str(alembic.__file__)


def test_tables_of_code_and_migrations_are_the_same(database: Database) -> None:
    migrate.check(database.owner_engine)


def test_down_and_up_again(empty_databases: EmptyDatabases) -> None:
    database = empty_databases.make()
    migrate.upgrade(database.owner_engine)
    migrate.downgrade(database.owner_engine, "base")
    with database.owner_engine.connect() as connection:
        assert sa.inspect(connection).get_table_names() == ["alembic_version"]
        left = connection.scalar(
            sa.text(
                "select count(*) from pg_proc p where pronamespace = 'public'::regnamespace and not exists"
                " (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')"
            )
        )
        assert left == 0
    migrate.upgrade(database.owner_engine)
    migrate.check(database.owner_engine)


def test_migrators_that_start_together_migrate_once(empty_databases: EmptyDatabases) -> None:
    database = empty_databases.make()
    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(migrate.upgrade, database.owner_engine) for _ in range(3)]:
            done.result()
    migrate.check(database.owner_engine)


def test_readiness_sees_a_database_behind_the_code(empty_databases: EmptyDatabases, database: Database) -> None:
    behind = empty_databases.make()
    migrate.upgrade(behind.owner_engine, "20261121a")
    with behind.engine.connect() as connection:
        assert not migrate.is_current(connection)
    with database.engine.connect() as connection:
        assert migrate.is_current(connection)


def test_ids_made_here_and_in_the_database_are_version_7_and_in_order(session: Session) -> None:
    before = new_id()
    row = session.execute(sa.text("select uuid7(), uuid7() from pg_sleep(0.002)")).one()
    assert {made.version for made in (before, *row)} == {7}
    assert {made.variant for made in row} == {before.variant}
    assert row[0] > before


def test_chinese_names_have_trigrams(session: Session) -> None:
    assert session.scalar(sa.text("select similarity('张三丰', '张三')")) > 0.3

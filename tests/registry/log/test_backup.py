"""A copy brings the whole database back, and a log that lost leaves on the way does not go on."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError

from registry import backup
from registry.cli import main
from registry.errors import Conflict, Refusal
from registry.log import recovery
from registry.node import Node
from registry.transaction import Database
from tests.conftest import EmptyDatabases
from tests.registry.log.conftest import Book


@pytest.fixture
def other(empty_databases: EmptyDatabases) -> Database:
    """Where copies are restored: nothing in it, not even tables."""
    return empty_databases.make()


def restored(book: Book, database: Database, folder: Path) -> Book:
    """The same node, keys and mirror, with what the copy holds for its database."""
    backup.restore(database, folder)
    return Book(Node(book.node.settings, database, book.node.clock))


def test_a_copy_brings_everything_back(book: Book, other: Database, tmp_path: Path) -> None:
    book.write(300)
    book.sequence()
    manifest = backup.back_up(book.node.database, tmp_path / "copy", book.node.clock())
    again = restored(book, other, tmp_path / "copy")
    assert manifest.leaves == book.count("log_leaf") == again.count("log_leaf")
    assert manifest.checkpoint == str(book.published()) == str(again.published())
    for table in ("audit_event", "audit_payload", "code", "institution", "log_tile", "authority_setting"):
        assert again.count(table) == book.count(table)
    again.write(3)
    assert again.sequence() == 3


def test_a_restored_database_is_guarded_as_before(book: Book, other: Database, tmp_path: Path) -> None:
    backup.back_up(book.node.database, tmp_path / "copy", book.node.clock())
    again = restored(book, other, tmp_path / "copy")
    for engine in (again.node.database.engine, again.node.database.owner_engine):
        with engine.connect() as connection, pytest.raises(ProgrammingError, match=r"refused|denied"):
            connection.execute(sa.text("delete from audit_event"))


def test_a_restored_log_that_lost_leaves_does_not_go_on(book: Book, other: Database, tmp_path: Path) -> None:
    book.write(10)
    book.sequence()
    backup.back_up(book.node.database, tmp_path / "copy", book.node.clock())
    book.write(5)
    book.sequence()
    published = book.checkpoint
    again = restored(book, other, tmp_path / "copy")
    again.write(5)  # as many, and others: a fork, if it were signed
    with pytest.raises(Refusal) as refusal:
        again.sequence()
    assert refusal.value.code == "log_behind"
    assert again.count("log_leaf") == published.size - 5
    recovery.recover(again.node)
    again.sequence()
    assert again.leaves()[: published.size] == book.leaves()


def test_the_command_says_that_the_log_is_behind(
    book: Book, other: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REGISTRY_ENV", "demo")
    monkeypatch.setenv("REGISTRY_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("REGISTRY_KEY_DIR", str(tmp_path / "keys"))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.chdir(tmp_path)

    def use(database: Database) -> None:
        monkeypatch.setenv("REGISTRY_DATABASE_URL", database.app_url)
        monkeypatch.setenv("REGISTRY_OWNER_DATABASE_URL", database.owner_url)

    use(book.node.database)
    book.write(1)
    book.sequence()
    assert main(["backup", "copy"]) == 0
    book.write(1)
    book.sequence()
    use(other)
    assert main(["restore", "copy"]) == 1
    assert "it has been rolled back" in capsys.readouterr().err
    assert main(["restore", "copy"]) == 1
    assert "not empty" in capsys.readouterr().err


def test_a_copy_is_for_its_owner_alone_and_holds_no_key(book: Book, tmp_path: Path) -> None:
    book.sequence()  # makes the keys
    folder = tmp_path / "copy"
    backup.back_up(book.node.database, folder, book.node.clock())
    assert {path.name for path in folder.iterdir()} == {backup.DUMP, backup.MANIFEST}
    for path in (folder, folder / backup.DUMP):
        assert not path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)


def test_a_copy_does_not_overwrite_another(book: Book, tmp_path: Path) -> None:
    (tmp_path / "something").touch()
    with pytest.raises(Conflict):
        backup.back_up(book.node.database, tmp_path, book.node.clock())


def test_an_altered_copy_is_refused(book: Book, other: Database, tmp_path: Path) -> None:
    backup.back_up(book.node.database, tmp_path / "copy", book.node.clock())
    with (tmp_path / "copy" / backup.DUMP).open("r+b") as file:
        file.seek(1000)
        file.write(b"\x00\x01")
    with pytest.raises(Refusal):
        backup.restore(other, tmp_path / "copy")


def test_half_a_copy_is_refused(book: Book, other: Database, tmp_path: Path) -> None:
    backup.back_up(book.node.database, tmp_path / "copy", book.node.clock())
    (tmp_path / "copy" / backup.MANIFEST).unlink()
    with pytest.raises(Refusal):
        backup.restore(other, tmp_path / "copy")


def test_nothing_is_restored_over_a_database_in_use(book: Book, tmp_path: Path) -> None:
    backup.back_up(book.node.database, tmp_path / "copy", book.node.clock())
    before = book.count("audit_event")
    with pytest.raises(Conflict):
        backup.restore(book.node.database, tmp_path / "copy")
    assert book.count("audit_event") == before

"""One clear line and an exit code for each failure, and nothing else."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from auth.keys import Purpose
from registry import migrate
from registry.cli import main
from registry.time import system_clock
from registry.transaction import Database

if TYPE_CHECKING:
    from tests.conftest import EmptyDatabases

PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module")
def prepared(empty_databases: EmptyDatabases) -> Database:
    database = empty_databases.make()
    migrate.prepare(database, system_clock(), demo=False)
    return database


@pytest.fixture
def node(prepared: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Database:
    """The environment of a production node on a migrated database; account and authority commands change it for good."""
    use(prepared, monkeypatch, tmp_path)
    return prepared


def use(database: Database, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    for name in [name for name in os.environ if name.startswith("REGISTRY_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("REGISTRY_DATABASE_URL", database.app_url)
    monkeypatch.setenv("REGISTRY_OWNER_DATABASE_URL", database.owner_url)
    monkeypatch.setenv("REGISTRY_KEY_DIR", str(folder / "keys"))
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.chdir(folder)


def typed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def failure(capsys: pytest.CaptureFixture[str]) -> str:
    told = capsys.readouterr()
    (line,) = told.err.splitlines()
    assert told.out == ""
    return line


def test_migrating_again_is_no_change(node: Database, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate"]) == 0
    assert capsys.readouterr().out == "the database is up to date\n"


def test_an_authority_is_set_with_its_basis(node: Database, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["authority", "set", "350000", "max_sites=3", "--basis", "a notice"]) == 0
    with node.engine.connect() as connection:
        row = connection.execute(
            sa.text("select key, value, basis, set_by from authority_setting where authority = '350000'")
        )
        assert row.one() == ("max_sites", "3", "a notice", "operator")


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["authority", "set", "350000", "cross_province_mode=LOCAL_FILE"], 1, "basis"),
        (["authority", "set", "350000", "max_sites=many", "--basis", "x"], 1, "max_sites: it takes 1 to 99"),
        (["authority", "set", "350000", "colour=red", "--basis", "x"], 1, "colour: no such setting"),
        (["authority", "set", "350000", "max_sites", "--basis", "x"], 2, "write KEY=VALUE"),
        (["authority", "set", "999999", "max_sites=3", "--basis", "x"], 1, "no authority with the code 999999"),
        (["client", "add", "c", "--org", "350000", "--scope", "verify", "--public-key", "absent.pem"], 1, "absent.pem"),
        (["client", "add", "a b", "--org", "350000", "--scope", "verify"], 1, "A client's name"),
        (["import", "register", "absent.csv"], 2, "REGISTRY_KEY_DIR: no key"),
        (["serve"], 2, "REGISTRY_PUBLIC_URL"),
        (["stop"], 1, "REGISTRY_DATABASE_URL is set"),
    ],
)
def test_a_failure_is_one_line_with_its_code(
    node: Database, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, line: str
) -> None:
    assert main(arguments) == code
    assert line in failure(capsys)


@pytest.mark.parametrize(
    "arguments", [[], ["fly"], ["account"], ["serve", "--port", "x"], ["account", "add", "a", "--role", "king"]]
)
def test_wrong_usage_ends_with_2(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: registry" in capsys.readouterr().err


def test_an_account_is_added_and_nothing_secret_printed(
    node: Database, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(monkeypatch, PASSWORD + "\n")
    assert main(["account", "add", "reviewer-1", "--role", "reviewer", "--org", "350000"]) == 0
    told = capsys.readouterr()
    assert told.out == "account reviewer-1: reviewer in 350000\n"
    assert PASSWORD not in told.out + told.err
    with node.engine.connect() as connection:
        event = connection.execute(
            sa.text("select actor, payload from audit_event join audit_payload using (seq) where type = 'account.add'")
        ).one()
    assert tuple(event) == ("operator", '{"organisation":"350000","role":"reviewer"}')


@pytest.mark.parametrize(
    ("arguments", "password", "line"),
    [
        (["--role", "reviewer", "--org", "350000"], "short", "password"),
        (["--role", "reviewer", "--org", "999999"], PASSWORD, "no authority"),
        (["--role", "reviewer", "--org", "44490745543011111G1001"], PASSWORD, "held in an authority"),
        (["--role", "filer", "--org", "350000"], PASSWORD, "held in an institution"),
        (["--role", "filer", "--org", "44490745543011111G1001"], PASSWORD, "no authority or institution"),
        (["--role", "reviewer", "--org", "350000", "--physician", "110350000000001"], PASSWORD, "--physician"),
    ],
)
def test_an_account_that_cannot_be_is_refused(
    node: Database,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    password: str,
    line: str,
) -> None:
    typed(monkeypatch, password + "\n")
    assert main(["account", "add", "somebody", *arguments]) == 1
    assert line in failure(capsys)


def test_the_operator_ends_where_the_authority_has_its_own_people(
    node: Database, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for role in ("lead", "secadmin"):
        typed(monkeypatch, PASSWORD + "\n")
        assert main(["account", "add", role, "--role", role, "--org", "360000"]) == 0
    capsys.readouterr()
    typed(monkeypatch, PASSWORD + "\n")
    assert main(["account", "add", "third", "--role", "reviewer", "--org", "360000"]) == 1
    assert "its own lead and secadmin" in failure(capsys)
    assert main(["authority", "set", "360000", "max_sites=3", "--basis", "x"]) == 1


def test_a_client_s_secret_is_printed_once(node: Database, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["client", "add", "his", "--org", "350000", "--scope", "verify"]) == 0
    secret = capsys.readouterr().out.splitlines()[1].partition(": ")[2]
    assert len(secret) >= 43
    assert main(["client", "add", "his", "--org", "350000", "--scope", "verify"]) == 1
    assert "already" in failure(capsys)


def test_keys_are_made_listed_and_rotated(node: Database, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys", "new"]) == 0
    assert main(["keys", "rotate", "token"]) == 0
    capsys.readouterr()
    assert main(["keys", "list"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    in_use = [line[0] for line in lines if "use" in line]
    assert sorted(in_use) == sorted(Purpose)  # one of each
    assert [line[0] for line in lines if "use" not in line] == ["token"]  # not until every reader has seen it


def test_an_import_prints_five_numbers_alone(
    node: Database, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    main(["keys", "new"])
    capsys.readouterr()
    headings = "机构名称,统一社会信用代码,登记号,行政区划,省份,机构类别,经营性质,是否互联网医院,诊疗科目,许可证有效期止,状态,发证机关"
    (tmp_path / "institutions.csv").write_text(headings + "\n", "utf-8")
    assert main(["import", "institutions", "institutions.csv", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"read": 0, "added": 0, "changed": 0, "unchanged": 0, "refused": 0}
    assert main(["import", "institutions", "absent.csv"]) == 1
    assert "absent.csv" in failure(capsys)
    assert main(["import", "institutions", "institutions.csv", "--source-time", "2999-01-01"]) == 2


def test_the_terminal_s_language_is_spoken(
    node: Database, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    main(["authority", "set", "999999", "max_sites=3", "--basis", "x"])
    assert "没有代码为 999999 的机关" in failure(capsys)


def test_a_database_that_is_not_there_is_said_without_its_password(
    node: Database, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGISTRY_DATABASE_URL", "postgresql://registry:hunter2@127.0.0.1:1/registry")
    assert main(["authority", "set", "350000", "max_sites=3", "--basis", "x"]) == 3
    line = failure(capsys)
    assert "does not answer" in line
    assert "hunter2" not in line


def test_a_database_not_migrated_is_said(
    empty_databases: EmptyDatabases, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use(empty_databases.make(), monkeypatch, tmp_path)
    assert main(["authority", "set", "350000", "max_sites=3", "--basis", "x"]) == 3
    assert "run: registry migrate" in failure(capsys)


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_worker_ends_on_sigterm(node: Database) -> None:
    assert main(["keys", "new"]) == 0
    environment = {**os.environ, "PYTHONPATH": str(Path(migrate.__file__).parents[1])}
    worker = subprocess.Popen(
        [sys.executable, "-m", "registry.cli", "worker"], stderr=subprocess.PIPE, text=True, env=environment
    )
    with worker:
        assert worker.stderr is not None
        assert "the worker is running" in worker.stderr.readline()
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0

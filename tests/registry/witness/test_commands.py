"""`registry witness …` and what the node says of its own witnesses."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from sqlmodel import Session

from registry.cli import main
from registry.log.note import COSIGNATURE, VerifierKey
from registry.node import Node
from registry.settings import Environment, Settings, SettingsError
from registry.time import system_clock
from registry.transaction import Database
from registry.witness.asking import standing, witnesses_of
from registry.witness.tables import Cosigner
from tests.registry.witness.conftest import Log, Watcher
from tests.registry.witness.test_neighbours import CO


@pytest.fixture
def used(own_database: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Database:
    monkeypatch.setenv("REGISTRY_ENV", "demo")
    monkeypatch.setenv("REGISTRY_DATABASE_URL", own_database.app_url)
    monkeypatch.setenv("REGISTRY_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("REGISTRY_WITNESS_NAME", "witness.example")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.chdir(tmp_path)
    return own_database


def test_the_key_to_hand_out_is_a_witness_s_and_stays(used: Database, capsys: pytest.CaptureFixture[str]) -> None:
    said = []
    for _ in range(2):
        assert main(["witness", "key"]) == 0
        said.append(capsys.readouterr().out)
    key = VerifierKey.parse(said[0])
    assert (key.name, key.type) == ("witness.example", COSIGNATURE)
    assert said[0] == said[1]


def test_a_log_is_watched_listed_and_its_fork_written_out(
    used: Database, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    log, watcher = Log().grown(10), Watcher(used)
    assert main(["witness", "watch", log.vkey]) == 0
    watcher.told(log.submission(0))
    watcher.told(Log(leaves=[b"another past", *log.leaves[1:]]).submission(10))
    capsys.readouterr()
    assert main(["witness", "list"]) == 0
    assert capsys.readouterr().out == "log.example: 10 leaves at 2026-11-21T04:00:00Z, 1 refused\n"
    assert main(["witness", "evidence", str(tmp_path / "forks")]) == 0
    assert sorted(path.suffix for path in (tmp_path / "forks").iterdir()) == [".refused", ".seen"]


def test_what_is_no_key_is_refused_in_one_line(used: Database, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["witness", "watch", "log.example"]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_quorum_is_not_larger_than_the_witnesses_are(database: Database, settings: Settings, tmp_path: Path) -> None:
    assert witnesses_of(Node(settings, database, system_clock)) is None
    (tmp_path / "witnesses").write_text(f"one https://witness.example {CO}\n")
    settings = settings.model_copy(update={"log_witnesses": tmp_path / "witnesses", "log_quorum": 2})
    with pytest.raises(SettingsError, match="REGISTRY_LOG_QUORUM"):
        witnesses_of(Node(settings, database, system_clock))


def test_names_of_a_witness_bear_no_space() -> None:
    with pytest.raises(ValueError, match="witness_name"):
        Settings(_env_file=None, env=Environment.DEMO, witness_name="two words")


def test_readiness_names_the_witnesses_that_are_late(session: Session, now: datetime) -> None:
    assert standing(session, None) == {"late": [], "quorum": True}
    session.add(Cosigner(name="north", size=5, at=now))
    session.add(Cosigner(name="south", late_since=now, failure="no answer in time"))
    session.flush()
    assert standing(session, None) == {"late": ["south"], "quorum": False}
    assert standing(session, 1) == {"late": ["south"], "quorum": True}

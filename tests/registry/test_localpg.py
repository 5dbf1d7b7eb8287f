"""The embedded cluster survives what happens to processes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from registry.localpg import Cluster, LocalPgError, find_binaries

SETTINGS = {"fsync": "off", "full_page_writes": "off"}
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="signals and /proc of Linux")
ROOT = pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root may not run the server itself")


@pytest.fixture
def folder() -> Iterator[Path]:
    # Not tmp_path: that is closed to the account which runs the server for root.
    made = Path(tempfile.mkdtemp(prefix="registry-"))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def cluster(folder: Path) -> Iterator[Cluster]:
    cluster = Cluster(folder, settings=SETTINGS, die_with_parent=True).start()
    yield cluster
    cluster.stop()


def pid_of(cluster: Cluster) -> int:
    return int((cluster.data / "postmaster.pid").read_text().split("\n")[0])


def ask(url: str, statement: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(statement.encode()).fetchone()
        assert row is not None
        return row[0]


def wait_until(fact: Callable[[], bool]) -> bool:
    end = time.monotonic() + 20
    while not fact() and time.monotonic() < end:
        time.sleep(0.02)
    return fact()


def start_elsewhere(folder: Path, *, die_with_parent: bool = False, then: str = "") -> subprocess.Popen[str]:
    script = (
        "import sys; from pathlib import Path; from registry.localpg import Cluster\n"
        f"cluster = Cluster(Path(sys.argv[1]), settings={SETTINGS!r}, die_with_parent={die_with_parent}).start()\n"
        f"print((cluster.data / 'postmaster.pid').read_text().split()[0], flush=True)\n{then}"
    )
    return subprocess.Popen([sys.executable, "-c", script, str(folder)], stdout=subprocess.PIPE, text=True, env=here())


def here() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(Path.cwd()), os.environ.get("PYTHONPATH")]))}


def test_it_has_checksums_unicode_and_two_powers(cluster: Cluster) -> None:
    assert ask(cluster.owner_url(), "show data_checksums") == "on"
    assert ask(cluster.owner_url(), "select datctype from pg_database where datname = 'registry'") in (
        "C.UTF-8",
        "UTF-8",
    )
    assert ask(cluster.owner_url(), "select rolsuper from pg_roles where rolname = current_user") is True
    assert (
        ask(
            cluster.app_url(),
            "select rolsuper or rolcreaterole or rolcreatedb from pg_roles where rolname = current_user",
        )
        is False
    )


def test_secrets_are_their_owner_s_and_a_wrong_one_is_refused(cluster: Cluster) -> None:
    secrets = [cluster.root / "secret", cluster.root / "secret-app"]
    assert [path.stat().st_mode & 0o777 for path in secrets] == [0o600, 0o600]
    owner, app = (path.read_text().strip() for path in secrets)
    assert owner != app
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(cluster.owner_url().replace(owner, app))


def test_a_second_start_adopts_the_running_server(cluster: Cluster) -> None:
    other = Cluster(cluster.root).start()
    assert other.process is None
    assert other.running()


def test_what_was_committed_survives_the_kill_of_the_server(cluster: Cluster) -> None:
    with psycopg.connect(cluster.owner_url()) as connection:
        connection.execute("create table kept as select 42 as answer")
    killed = pid_of(cluster)
    os.kill(killed, signal.SIGKILL)
    cluster.start()
    assert pid_of(cluster) != killed
    assert ask(cluster.owner_url(), "select answer from kept") == 42


@LINUX
def test_a_reused_process_id_does_not_keep_it_from_starting(cluster: Cluster) -> None:
    lines = (cluster.data / "postmaster.pid").read_text().split("\n")
    os.kill(pid_of(cluster), signal.SIGKILL)
    (cluster.data / "postmaster.pid").write_text("\n".join([str(os.getpid()), *lines[1:]]))
    assert cluster.start().running()


@LINUX
def test_another_cluster_under_the_old_process_id_is_left_alone(cluster: Cluster) -> None:
    other_folder = Path(tempfile.mkdtemp(prefix="registry-"))
    other = Cluster(other_folder, settings=SETTINGS, die_with_parent=True).start()
    try:
        lines = (cluster.data / "postmaster.pid").read_text().split("\n")
        os.kill(pid_of(cluster), signal.SIGKILL)
        (cluster.data / "postmaster.pid").write_text("\n".join([str(pid_of(other)), *lines[1:]]))
        assert cluster.start().running()
        assert other.running()
    finally:
        other.stop()
        shutil.rmtree(other_folder, ignore_errors=True)


def test_four_starts_at_once_make_one_server(folder: Path) -> None:
    starts = [start_elsewhere(folder) for _ in range(4)]
    told = [start.communicate(timeout=60)[0].strip() for start in starts]
    cluster = Cluster(folder)
    try:
        assert [start.returncode for start in starts] == [0, 0, 0, 0]
        assert set(told) == {str(pid_of(cluster))}
        assert cluster.running()  # it outlives those who started it
    finally:
        assert cluster.stop()
    assert not cluster.running()
    assert not cluster.stop()


@LINUX
def test_a_test_s_server_dies_with_its_parent_however_that_dies(folder: Path) -> None:
    parent = start_elsewhere(folder, die_with_parent=True, then="sys.stdin.read()")
    assert parent.stdout is not None
    server = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert wait_until(lambda: not Path(f"/proc/{server}").exists())
    assert not Cluster(folder).running()


def test_a_path_too_long_for_a_socket_is_served_over_the_loopback(folder: Path) -> None:
    deep = folder / ("d" * 60) / ("e" * 60)
    if os.name != "nt":
        deep.mkdir(parents=True)
        for path in (folder, deep.parent, deep):
            path.chmod(0o755)
    cluster = Cluster(deep, settings=SETTINGS, die_with_parent=True).start()
    try:
        assert "host=127.0.0.1" in cluster.app_url()
        assert ask(cluster.app_url(), "select 1") == 1
    finally:
        cluster.stop()


@ROOT
def test_under_a_closed_folder_it_goes_elsewhere_and_says_where(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.chmod(0o700)
    cluster = Cluster(folder / "var" / "postgres", settings=SETTINGS, die_with_parent=True).start()
    try:
        assert cluster.root.parent == Path("/var/lib/registry")
        (line,) = capsys.readouterr().err.splitlines()
        assert str(cluster.root) in line
        assert folder.stat().st_mode & 0o777 == 0o700
        assert Cluster(folder / "var" / "postgres").root == cluster.root
    finally:
        cluster.stop()
        shutil.rmtree(cluster.root)


def test_a_server_that_cannot_start_says_why(folder: Path) -> None:
    with pytest.raises(LocalPgError, match="unrecognized configuration parameter"):
        Cluster(folder, settings={"no_such_setting": "1"}, die_with_parent=True).start()


def test_programs_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    found = find_binaries()
    monkeypatch.setenv("REGISTRY_PG_BINDIR", str(found))
    assert find_binaries() == found

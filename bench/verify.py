"""What does a verified answer cost, in units of the SELECT behind it?

Serves the application and a bare ASGI app with the same SELECT (bench/floor.py) side by side, one uvicorn worker each, on
one scratch PostgreSQL with a million made-up physicians, and loads them in turns. Prints a table; `--write` puts it into
docs/performance.md. Commits are durable (fsync on): each answer waits for its access record.

    .venv/bin/python bench/verify.py [--physicians 1000000] [--rounds 5] [--seconds 5] [--connections 32] [--write]
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import psycopg

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from auth import tokens  # noqa: E402
from auth.actor import ActorKind  # noqa: E402
from auth.actors import ACTOR_SQL  # noqa: E402
from auth.keys import KeyStore, Purpose  # noqa: E402
from registry import migrate  # noqa: E402
from registry.localpg import Cluster  # noqa: E402
from registry.transaction import Database  # noqa: E402
from registry.verification.sql import FACTS_SQL  # noqa: E402

SECTION = "## Verification\n"
ISSUER = "http://127.0.0.1"

# Ten institutions a thousand physicians; each physician one registration, one in ten with a past stretch as well.
GENERATE = """
insert into institution (registration_no, name, name_key, name_parts, uscc, division, province, category, management, internet,
  subjects, licence_until, status, authority_name, source, source_at, digest)
select lpad(n::text, 9, '0') || '11010011A1001', '医院' || n, '医院' || n, '{}', '', '110100', '11', 'A100', '1', false, '{}', null,
  'ACTIVE', '', 'bench', now(), '' from generate_series(1, greatest(1, {physicians} / 100)) n;
alter table registration drop constraint ex_registration_one_truth;
drop index ix_physician_name_parts;
insert into physician (id, practising_code, name, name_key, name_parts, id_type, level, source, source_at)
select md5('p' || n)::uuid, '110440' || lpad(n::text, 9, '0'), '王伟', '王伟', '{}', '01', '1', 'bench', now()
from generate_series(1, {physicians}) n;
insert into registration (id, physician_id, place, province, main_registration_no, main_name, level, category, scopes, status,
  valid, recorded, source, source_at, digest)
select md5('r' || n || span)::uuid, md5('p' || n)::uuid, '11', '11',
  lpad((1 + n % greatest(1, {physicians} / 100))::text, 9, '0') || '11010011A1001', '医院', '1', 'clinical', '{}', 'ACTIVE',
  case span when 1 then daterange('2015-01-01', null) else daterange('2010-01-01', '2015-01-01') end,
  tstzrange('2020-01-01', null), 'bench', now(), ''
from generate_series(1, {physicians}) n, generate_series(1, case when n % 10 = 0 then 2 else 1 end) span;
insert into register_confirmation (physician_id, place, digest, source, source_at)
select md5('p' || n)::uuid, '11', '', 'bench', now() from generate_series(1, {physicians}) n;
insert into client (id, name, organisation, scopes, secret_sha256)
values (md5('client')::uuid, 'bench', '460000', '{verify}', sha256('bench'))
"""


class Side(NamedTuple):
    """One server under load."""

    name: str
    port: int
    pid: int


class Result(NamedTuple):
    """One round: requests a second, percentiles in milliseconds, CPU of the server in microseconds a request."""

    rps: float
    p50: float
    p99: float
    cpu: float


def main() -> None:
    arguments = read_arguments()
    root = Path(tempfile.mkdtemp(prefix="registry-bench-"))
    cluster = Cluster(root, settings={"shared_buffers": "512MB"}, die_with_parent=True).start()
    try:
        database = Database(cluster.owner_url(), cluster.app_url())
        migrate.prepare(database, datetime.now(UTC), demo=False)
        say(f"generating {arguments.physicians:,} physicians")
        client = generate(database, arguments.physicians)
        keys = KeyStore(root / "keys")
        keys.make_missing(datetime.now(UTC), generated=True)
        with serving(database, root, client) as sides:
            results = compare(sides, keys, client, arguments)
        table = as_table(results, arguments)
        print(table)
        if arguments.write:
            write(table)
    finally:
        cluster.stop()
        shutil.rmtree(root, ignore_errors=True)


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--physicians", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    return parser.parse_args()


def generate(database: Database, physicians: int) -> uuid.UUID:
    """The register; the id of the client that asks."""
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        for statement in GENERATE.split(";\n"):
            connection.execute(statement.replace("{physicians}", str(physicians)))
        connection.execute("vacuum analyze")
        connection.execute("checkpoint")
        row = connection.execute("select id from client").fetchone()
        assert row
        found: uuid.UUID = row[0]
        return found


@contextmanager
def serving(database: Database, root: Path, client: uuid.UUID) -> Iterator[list[Side]]:
    """Both servers, ready."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "REGISTRY_ENV": "demo",  # keys made here, plain HTTP
        "REGISTRY_DATABASE_URL": database.app_url,
        "REGISTRY_KEY_DIR": str(root / "keys"),
        "REGISTRY_PUBLIC_URL": ISSUER,
        "FLOOR_URL": database.app_url,
        "FLOOR_SQL": single_select(),
        "FLOOR_SUBJECT": str(client),
    }
    started = []
    try:
        for name, target in (
            ("bare SELECT", ["bench.floor:app"]),
            ("verify", ["--factory", "registry.app:create_app"]),
        ):
            port = free_port()
            command = [sys.executable, "-m", "uvicorn", *target, "--port", str(port)]
            command += ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
            process = subprocess.Popen(command, cwd=ROOT, env=environment)  # noqa: S603
            started.append((Side(name, port, process.pid), process))
        for side, _ in started:
            wait_for(side.port)
        yield [side for side, _ in started]
    finally:
        for _, process in started:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


def single_select() -> str:
    """What verification asks for many, for one question and with plain parameters: as fast as it can be asked."""
    facts = FACTS_SQL
    for column, parameter in {"known": "$1::timestamptz", "authority": "$2", "code": "$3"}.items():
        facts = facts.replace(f"q.{column}", parameter)
    actor = ACTOR_SQL[ActorKind.CLIENT] % {"subject": "$4", "jti": "$5"}
    return f"select actor.*, ({facts}) from ({actor}) actor"


def compare(
    sides: list[Side], keys: KeyStore, client: uuid.UUID, arguments: argparse.Namespace
) -> dict[str, list[Result]]:
    """Rounds in turns, after one that only warms; a failed request stops the comparison."""
    results: dict[str, list[Result]] = {side.name: [] for side in sides}
    for number in range(arguments.rounds + 1):
        for side in sides:
            result = load(side, token(keys, client), arguments)
            if number:
                results[side.name].append(result)
            say(f"round {number} {side.name}: {result.rps:,.0f}/s, p99 {result.p99:.1f} ms, {result.cpu:.0f} µs")
    return results


def load(side: Side, bearer: str, arguments: argparse.Namespace) -> Result:
    before = cpu_seconds(side.pid)
    numbers = [side.port, arguments.physicians, arguments.seconds, arguments.connections]
    command = [sys.executable, str(ROOT / "bench" / "load.py"), "127.0.0.1", *map(str, numbers), bearer]
    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)  # noqa: S603
    if found["failed"]:
        raise SystemExit(f"{side.name}: {found['failed']} requests failed")
    served = found["rps"] * arguments.seconds
    return Result(found["rps"], found["p50_ms"], found["p99_ms"], (cpu_seconds(side.pid) - before) / served * 1e6)


def token(keys: KeyStore, client: uuid.UUID) -> str:
    now = datetime.now(UTC)
    claims = tokens.Claims(
        kind=ActorKind.CLIENT,
        subject=client,
        client_id="bench",
        jti=tokens.new_jti(),
        issued_at=now,
        expires_at=now + tokens.LIFETIME,
        scopes=frozenset({"verify"}),
    )
    return tokens.issue(claims, tokens.Realm(ISSUER), keys.signer(Purpose.TOKEN, now))


def as_table(results: dict[str, list[Result]], arguments: argparse.Namespace) -> str:
    """Medians of the rounds, and the ratio of the two."""
    floor, verify = (
        Result(*(statistics.median(column) for column in zip(*rounds, strict=True))) for rounds in results.values()
    )
    lines = [
        f"| 1 worker, {arguments.connections} connections, {arguments.physicians:,} physicians | requests/s | p50 ms | p99 ms | server CPU µs/request |",
        "|---|---|---|---|---|",
    ]
    for name, result in zip(results, (floor, verify), strict=True):
        lines.append(f"| {name} | {result.rps:,.0f} | {result.p50:.1f} | {result.p99:.1f} | {result.cpu:.0f} |")
    lines.append(f"| **ratio** | **{verify.rps / floor.rps:.2f}** | | | {floor.cpu / verify.cpu:.2f} |")
    return "\n".join(lines)


def write(table: str) -> None:
    """Replaces the table of our section; the words around it stay."""
    page = ROOT / "docs" / "performance.md"
    head, section, rest = page.read_text("utf-8").partition(SECTION)
    page.write_text(head + section + re.sub(r"\|.*\|", lambda _: table, rest, count=1, flags=re.DOTALL), "utf-8")


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait_for(port: int) -> None:
    for _ in range(200):
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("a server did not start")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

"""How fast is a roster, stage by stage, in units of a raw COPY?

One hospital's file is read, judged, filed and attested by a worker of this process on a scratch PostgreSQL (durable
commits); in the same run the very rows that each stage wrote are copied into empty tables with the same indexes and
constraints. `--profile` says where the time of each stage goes; `--write` puts the table into docs/performance.md.

    .venv/bin/python bench/roster.py [--rows 30000] [--errors 0.03] [--xlsx] [--profile] [--write]
"""

from __future__ import annotations

import argparse
import cProfile
import pstats
import re
import resource
import secrets
import shutil
import sys
import tempfile
import time
import uuid
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from auth.actor import Actor, ActorKind, Grant  # noqa: E402
from auth.roles import Role  # noqa: E402
from registry import accounts, migrate  # noqa: E402
from registry.codes.load import packaged_tables  # noqa: E402
from registry.context import Context  # noqa: E402
from registry.demo import generate, rosters  # noqa: E402
from registry.institutions import imports as institutions  # noqa: E402
from registry.institutions.filing_for import filing_institution  # noqa: E402
from registry.keys import open_keys  # noqa: E402
from registry.localpg import Cluster  # noqa: E402
from registry.node import Node  # noqa: E402
from registry.physicians import imports as register  # noqa: E402
from registry.rosters import commands, queries  # noqa: E402
from registry.rosters.spool import PART, Spool  # noqa: E402
from registry.rosters.tables import Roster  # noqa: E402
from registry.rosters.working import Worker  # noqa: E402
from registry.sealed import Seal  # noqa: E402
from registry.settings import Environment, Settings  # noqa: E402
from registry.transaction import Database, transaction  # noqa: E402
from workflows.roster import Act  # noqa: E402

SECTION = "## Rosters\n"
NOW = datetime(2026, 11, 21, 1, tzinfo=UTC)

# Stage → the rows it writes: table, and which of its rows.
WRITTEN = {
    "read": (("roster_row", "true"),),
    "judge": (("roster_verdict", "true"),),
    "file": (
        ("filing", "true"),
        ("evaluation", "act = 'create'"),
        ("audit_event", "type = 'filing.create'"),
        ("audit_payload", "seq in (select seq from audit_event where type = 'filing.create')"),
    ),
    "attest": (
        ("filing", "true"),  # every filing's next version
        ("evaluation", "act = 'attest'"),
        ("audit_event", "type = 'filing.attest'"),
        ("audit_payload", "seq in (select seq from audit_event where type = 'filing.attest')"),
    ),
}
STAGE_OF = {
    "received": "read",
    "parsing": "read",
    "mapping": "read",
    "judging": "judge",
    "filing": "file",
    "filed": "attest",
}


def main() -> None:
    arguments = read_arguments()
    root = Path(tempfile.mkdtemp(prefix="registry-bench-"))
    cluster = Cluster(root / "postgres", settings={"shared_buffers": "512MB"}, die_with_parent=True).start()
    try:
        hospital = Hospital(cluster, root, arguments)
        say("uploading, working")
        seconds = hospital.work()
        say("copying the rows it made")
        floor = {stage: raw_copy(hospital.database, parts, root) for stage, parts in WRITTEN.items()}
        table = as_table(seconds, floor, arguments.rows, hospital.counts())
        print(table)
        if arguments.write:
            write(table)
        hospital.database.dispose()
    finally:
        cluster.stop()
        shutil.rmtree(root, ignore_errors=True)


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=30_000)
    parser.add_argument("--errors", type=float, default=0.03)
    parser.add_argument("--xlsx", action="store_true", help="upload a workbook (CSV)")
    parser.add_argument("--profile", action="store_true", help="cProfile of each stage, the dearest functions first")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    return parser.parse_args()


@dataclass
class Took:
    """Seconds by the clock, and of this process's CPU (what other programs on the machine do not change)."""

    seconds: float = 0.0
    cpu: float = 0.0

    def __enter__(self) -> None:
        self._began = time.perf_counter(), time.process_time()

    def __exit__(self, *_: object) -> None:
        self.seconds += time.perf_counter() - self._began[0]
        self.cpu += time.process_time() - self._began[1]


class Hospital:
    """A province with its register, and one internet hospital that uploads a roster."""

    def __init__(self, cluster: Cluster, root: Path, arguments: argparse.Namespace) -> None:
        hospitals = generate.institutions(packaged_tables())
        self._target = hospitals[-2]["登记号"]
        say(f"generating and importing {arguments.rows:,} physicians")
        made = rosters.roster(hospitals[:-2], hospitals[-2], arguments.rows, NOW.date(), errors=arguments.errors)
        settings = Settings(_env_file=None, env=Environment.DEMO, data_dir=root, key_dir=root / "keys")
        self.database = a_database(cluster)
        self._node = Node(settings, self.database, lambda: NOW)
        self._seal = Seal(open_keys(settings, NOW).masters())
        self._profile = arguments.profile
        for name, run, headings, rows in (
            ("institutions", institutions.run, generate.INSTITUTION, hospitals),
            ("register", register.run, generate.REGISTER, made.register),
        ):
            path = generate.write_csv(root / f"{name}.csv", headings, rows)
            run(self.database, path, self._seal, source_at=NOW, now=NOW)
        self._people = {role: self._account(role) for role in (Role.FILER, Role.MANAGER)}
        with psycopg.connect(self.database.owner_url, autocommit=True) as connection:
            connection.execute("analyze")  # what autovacuum has done for a register that has been there a while
        if arguments.xlsx:
            self._file = rosters.write_xlsx(root / "roster.xlsx", made.roster)
        else:
            self._file = generate.write_csv(root / "roster.csv", rosters.ROSTER, made.roster)

    def _account(self, role: Role) -> Actor:
        with transaction(self.database) as session:
            password = secrets.token_urlsafe()
            account = accounts.add_account(session, role, role, self._target, password, demo=True, now=NOW)
            return Actor(ActorKind.ACCOUNT, str(account.id), role, frozenset({Grant(role, self._target)}))

    def work(self) -> dict[str, Took]:
        """What each stage took, from the upload to the attestation."""
        took: dict[str, Took] = defaultdict(Took)
        with took["upload"]:
            self._roster = self._upload()
        profiles: dict[str, cProfile.Profile] = defaultdict(lambda: cProfile.Profile(time.process_time))
        worker = Worker(self._node)
        for act, role in ((None, None), (Act.FILE, Role.FILER), (Act.ATTEST, Role.MANAGER)):
            if act and role:
                with self._context(role) as context:
                    commands.move(context, queries.locked(context, self._roster), act)
            while (stage := STAGE_OF.get(self._state())) is not None:
                with took[stage]:
                    worked = profiles[stage].runcall(worker.step) if self._profile else worker.step()
                if not worked:
                    break
        worker.close()
        for stage, profile in profiles.items():
            say(f"--- {stage}")
            pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(22)
        return took

    def counts(self) -> queries.Counts:
        with transaction(self.database) as session:
            return queries.counts(session, self._roster)

    def _upload(self) -> uuid.UUID:
        spool = Spool(self.database, self._seal)
        with self._file.open("rb") as file:
            while block := file.read(PART):
                spool.write(block)
        digest = spool.finish()
        with self._context(Role.FILER) as context:
            institution = filing_institution(context, self._target)
            about = {"upload_id": spool.upload_id, "file_sha256": digest, "file_size": spool.size}
            return commands.receive(context, institution, file_name=self._file.name, mapping={}, **about).id

    def _context(self, role: Role) -> _As:
        return _As(self._node, self._seal, self._people[role])

    def _state(self) -> str:
        with transaction(self.database) as session:
            return session.get_one(Roster, self._roster).state


class _As:
    """A transaction in which somebody acts."""

    def __init__(self, node: Node, seal: Seal, actor: Actor) -> None:
        self._node, self._seal, self._actor = node, seal, actor
        self._transaction = transaction(node.database)

    def __enter__(self) -> Context:
        session = self._transaction.__enter__()
        return Context.of(session, self._actor, NOW, self._seal, self._node.settings)

    def __exit__(self, *raised: object) -> None:
        self._transaction.__exit__(*raised)


def a_database(cluster: Cluster) -> Database:
    with psycopg.connect(cluster.owner_url("postgres"), autocommit=True) as connection:
        connection.execute("create database bench template template0")
    database = Database(cluster.owner_url("bench"), cluster.app_url("bench"))
    migrate.prepare(database, NOW, demo=True)
    return database


def raw_copy(database: Database, parts: tuple[tuple[str, str], ...], root: Path) -> float:
    """Seconds to COPY these rows into empty tables with equal indexes and constraints."""
    seconds = 0.0
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        for table, which in parts:
            content = root / "rows"
            connection.execute(f"create table copied (like {table} including all)")
            with (
                content.open("wb") as file,
                connection.cursor().copy(f"copy (select * from {table} where {which}) to stdout") as copy,
            ):
                for block in copy:
                    file.write(block)
            seconds += timed(lambda: copy_in(connection, content))  # noqa: B023
            connection.execute("drop table copied")
    return seconds


def copy_in(connection: psycopg.Connection, content: Path) -> None:
    with content.open("rb") as file, connection.cursor().copy("copy copied from stdin") as copy:
        while block := file.read(1 << 18):
            copy.write(block)


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def as_table(took: dict[str, Took], floor: dict[str, float], rows: int, counts: queries.Counts) -> str:
    lines = [f"| {rows:,} rows | s | rows/s | worker's CPU s | raw COPY s | ratio |", "|---|---|---|---|---|---|"]
    done = {"upload": rows, "read": rows, "judge": rows, "file": counts.filed, "attest": counts.submitted}
    for stage, count in done.items():
        lines.append(_line(stage, count, took[stage], floor.get(stage)))
    whole = Took(sum(t.seconds for t in took.values()), sum(t.cpu for t in took.values()))
    lines.append(_line("**all**", rows, whole, sum(floor.values())))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    say(
        f"{counts.outcomes}, filed {counts.filed:,}, submitted {counts.submitted:,}; {memory} MB with what was generated"
    )
    return "\n".join(lines)


def _line(stage: str, count: int, took: Took, least: float | None) -> str:
    against = f"{least:.2f} | {least / took.seconds:.2f}" if least else "– | –"
    return f"| {stage} | {took.seconds:.1f} | {count / took.seconds:,.0f} | {took.cpu:.1f} | {against} |"


def write(table: str) -> None:
    page = ROOT / "docs" / "performance.md"
    head, section, rest = page.read_text("utf-8").partition(SECTION)
    rows = table.splitlines()[0]
    level = re.escape(rows.split(" rows ")[0])
    page.write_text(
        head + section + re.sub(rf"{level} rows .*?(?=\n\n)", lambda _: table, rest, count=1, flags=re.DOTALL)
    )


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

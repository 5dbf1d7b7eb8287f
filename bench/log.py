"""What does the log cost the writers, how fast is the sequencer, and what is a proof?

Writers change a row and record it, one transaction each, on one scratch PostgreSQL (fsync on): with the log (the trigger, and a
sequencer at work beside them, as in production) and without (no trigger, no sequencer), in turns. Then the sequencer alone, and
proofs from trees of 10^4, 10^6 and, with `--large`, 10^7 leaves. Prints tables; `--write` puts them into docs/performance.md.

    .venv/bin/python bench/log.py [--rounds 5] [--seconds 5] [--large] [--write]
"""

from __future__ import annotations

import argparse
import multiprocessing
import re
import shutil
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import NamedTuple

import psycopg
from sqlmodel import Session

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from auth.actor import SYSTEM  # noqa: E402
from registry import migrate  # noqa: E402
from registry.localpg import Cluster  # noqa: E402
from registry.log import proofs  # noqa: E402
from registry.log.events import canonical, commitment  # noqa: E402
from registry.log.sequencer import BATCH, Sequencer, add_leaves, work  # noqa: E402
from registry.node import Node  # noqa: E402
from registry.settings import Environment, Settings  # noqa: E402
from registry.time import system_clock  # noqa: E402
from registry.transaction import Database  # noqa: E402

SECTION = "## Log\n"
WRITERS = (1, 8, 32)
PAYLOAD = canonical({"from": "SUBMITTED", "number": "46202600000001", "row": "0" * 64, "state": "REVIEW"})
SALT = bytes(32)

# A row of business, its event and its payload: the least that a recorded change is.
BUSINESS = "update bench_row set revision = revision + 1, changed = now() where id = %s"
EVENT = """
insert into audit_event (at, type, actor, organisation, subject_type, subject_id, subject_version, commitment)
values (now(), 'filing.claim', %s, '460000', 'filing', %s, 1, %s) returning seq
"""
PAYLOADS = "insert into audit_payload (seq, salt, payload) values (%s, %s, %s)"
MANY = """
with made as (
    insert into audit_event (at, type, actor, subject_type, subject_id, subject_version, commitment)
    select now(), 'filing.claim', 'system', 'filing', gen_random_uuid(), 1, sha256(n::text::bytea)
    from generate_series(1, {count}) n returning seq
) insert into audit_payload select seq, '\\x00', '{{}}' from made
"""


class Rate(NamedTuple):
    writers: int
    without: float
    with_: float
    ratio: float


def main() -> None:
    arguments = read_arguments()
    root = Path(tempfile.mkdtemp(prefix="registry-bench-"))
    cluster = Cluster(root, settings={"shared_buffers": "512MB"}, die_with_parent=True).start()
    try:
        database = Database(cluster.owner_url(), cluster.app_url())
        migrate.prepare(database, datetime.now(UTC), demo=False)
        settings = Settings(_env_file=None, env=Environment.DEMO, data_dir=root / "data", key_dir=root / "keys")
        node = Node(settings, database, system_clock)
        prepare(database)
        with Sequencer(node) as sequencer:
            sequencer.step()
        rates = [compare(node, writers, arguments) for writers in WRITERS]
        table = as_table(rates, sequenced(node), list(proved(node, large=arguments.large)))
        print(table)
        if arguments.write:
            write(table)
    finally:
        cluster.stop()
        shutil.rmtree(root, ignore_errors=True)


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--large", action="store_true", help="a tree of 10^7 leaves too")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/performance.md")
    return parser.parse_args()


def prepare(database: Database) -> None:
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        connection.execute("create table bench_row (id int primary key, revision int, changed timestamptz)")
        connection.execute("insert into bench_row select n, 1, now() from generate_series(1, 10000) n")


def compare(node: Node, writers: int, arguments: argparse.Namespace) -> Rate:
    """Medians of rounds in turns, after one that only warms. The ratio is that of neighbours, its median too."""
    pairs = []
    for number in range(arguments.rounds + 1):
        with without_log(node.database):
            without = throughput(node.database, writers, arguments.seconds)
        with sequencing(node):
            with_ = throughput(node.database, writers, arguments.seconds)
        say(f"{writers} writers, round {number}: {without:,.0f}/s without, {with_:,.0f}/s with, {with_ / without:.2f}")
        if number:
            pairs.append((without, with_))
    columns = [statistics.median(column) for column in zip(*pairs, strict=True)]
    return Rate(writers, columns[0], columns[1], statistics.median(with_ / without for without, with_ in pairs))


@contextmanager
def without_log(database: Database) -> Iterator[None]:
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        connection.execute("alter table audit_event disable trigger audit_event_awaits_leaf")
        yield
        connection.execute("alter table audit_event enable trigger audit_event_awaits_leaf")


@contextmanager
def sequencing(node: Node) -> Iterator[None]:
    stop = Flag()
    thread = Thread(target=work, args=(node, stop))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def throughput(database: Database, writers: int, seconds: float) -> float:
    """Transactions a second of so many connections, driven by two processes."""
    processes = min(2, writers)
    context = multiprocessing.get_context("spawn")
    with context.Pool(processes) as pool:
        shares = [writers // processes + (n < writers % processes) for n in range(processes)]
        begin = time.time() + 1.5
        counts = pool.starmap(drive, [(database.owner_url, share, begin, seconds) for share in shares])
    return sum(counts) / seconds


def drive(url: str, writers: int, begin: float, seconds: float) -> int:
    counts = [0] * writers
    connections = [psycopg.connect(url) for _ in range(writers)]
    threads = [Thread(target=one, args=(connections[n], counts, n, begin, seconds)) for n in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for connection in connections:
        connection.close()
    return sum(counts)


def one(connection: psycopg.Connection, counts: list[int], place: int, begin: float, seconds: float) -> None:
    subject, bound = uuid.uuid4(), commitment(SALT, PAYLOAD)
    row = 1 + uuid.uuid4().int % 10000
    time.sleep(max(0.0, begin - time.time()))
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        row = 1 + (row * 16807) % 10000
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute(BUSINESS, (row,))
            made = cursor.execute(EVENT, (SYSTEM.id, subject, bound)).fetchone()
            assert made
            cursor.execute(PAYLOADS, (made[0], SALT, PAYLOAD))
        counts[place] += 1


def sequenced(node: Node) -> float:
    """Leaves a second of the sequencer on a backlog, commits, tiles, checkpoint and mirror included."""
    rates = []
    for _ in range(3):
        with psycopg.connect(node.database.owner_url, autocommit=True) as connection:
            connection.execute(MANY.format(count=5 * BATCH))
        with Sequencer(node) as sequencer:
            began = time.perf_counter()
            added = sequencer.step()
        rates.append(added / (time.perf_counter() - began))
        say(f"sequencer: {rates[-1]:,.0f} leaves/s")
    return statistics.median(rates)


def proved(node: Node, *, large: bool) -> Iterator[tuple[int, float, int]]:
    """Size of the tree, milliseconds and bytes of a proof, for growing trees of made-up leaves."""
    with psycopg.connect(node.database.owner_url, autocommit=True) as connection:
        connection.execute("truncate log_pending")
        for table in ("log_leaf", "log_tile", "log_checkpoint"):
            connection.execute(f"alter table {table} disable trigger all")
            connection.execute(f"truncate {table}")
            connection.execute(f"alter table {table} enable trigger all")
        seqs = [row[0] for row in connection.execute("select seq from audit_event order by seq limit 1000")]
    shutil.rmtree(node.settings.mirror)
    size = 0
    for wanted in (10**4, 10**6, *([10**7] if large else [])):
        while size < wanted:
            count = min(BATCH, wanted - size)
            with node.database.engine.begin() as connection:
                at = {size + n * 10: seq for n, seq in enumerate(seqs)} if size == 0 else {}
                add_leaves(connection, [(at.get(size + n), b"%0330d" % (size + n)) for n in range(count)])
            size += count
        with Sequencer(node) as sequencer:
            sequencer.publish()
        with Session(node.database.engine) as session:
            times = []
            for seq in seqs[:200]:
                began = time.perf_counter()
                (proof,) = proofs.prove(session, [seq])
                times.append((time.perf_counter() - began) * 1000)
        say(f"{wanted:,} leaves: {statistics.median(times):.2f} ms, {len(str(proof)):,} bytes")
        yield wanted, statistics.median(times), len(str(proof))


def as_table(rates: list[Rate], leaves: float, sizes: list[tuple[int, float, int]]) -> str:
    lines = ["| writers | transactions/s without the log | with it | ratio, median |", "|---|---|---|---|"]
    lines += [f"| {r.writers} | {r.without:,.0f} | {r.with_:,.0f} | **{r.ratio:.2f}** |" for r in rates]
    lines += ["", "| sequencer | |", "|---|---|", f"| leaves/s, published and mirrored | {leaves:,.0f} |"]
    lines += [
        "",
        "| leaves in the tree | ms for a proof, median | bytes, leaf and checkpoint included |",
        "|---|---|---|",
    ]
    lines += [f"| {size:,} | {milliseconds:.2f} | {length:,} |" for size, milliseconds, length in sizes]
    return "\n".join(lines)


def write(table: str) -> None:
    """Replaces the tables of our section; the words around them stay."""
    page = ROOT / "docs" / "performance.md"
    head, section, rest = page.read_text("utf-8").partition(SECTION)
    ours, mark, after = rest.partition("\n## ")
    ours = re.sub(r"\|.*\|", lambda _: table, ours, count=1, flags=re.DOTALL)
    page.write_text(head + section + ours + mark + after, "utf-8")


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

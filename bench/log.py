"""What does the log cost the writers, how fast is the sequencer, and what is a proof?

Writers change a row and record it, one transaction each, on one scratch PostgreSQL (fsync on), and never stop; the log is switched
on (the trigger, and a sequencer at work, as in production) and off under them, in turns. Then the sequencer alone, and
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
from threading import Thread
from typing import Any, NamedTuple

import psycopg
from sqlmodel import Session

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from auth.actor import SYSTEM  # noqa: E402
from registry import migrate  # noqa: E402
from registry.localpg import Cluster  # noqa: E402
from registry.log import proofs  # noqa: E402
from registry.log.events import canonical, commitment  # noqa: E402
from registry.log.sequencer import BATCH, EVERY_SECONDS, Sequencer, add_leaves  # noqa: E402
from registry.node import Node  # noqa: E402
from registry.settings import Environment, Settings  # noqa: E402
from registry.time import system_clock  # noqa: E402
from registry.transaction import Database  # noqa: E402

SECTION = "## Log\n"
WRITERS = (1, 8, 32)
Counts = Any  # an array of shared memory, a number for each writer
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
    parser.add_argument("--rounds", type=int, default=5, help="pairs of phases, of which the median counts")
    parser.add_argument("--seconds", type=float, default=5, help="of one phase")
    parser.add_argument("--large", action="store_true", help="a tree of 10^7 leaves too")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/performance.md")
    return parser.parse_args()


def prepare(database: Database) -> None:
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        connection.execute("create table bench_row (id int primary key, revision int, changed timestamptz)")
        connection.execute("insert into bench_row select n, 1, now() from generate_series(1, 10000) n")


def compare(node: Node, writers: int, arguments: argparse.Namespace) -> Rate:
    """Writers that never stop, and the log switched on and off under them: whatever else the machine does meets both alike."""
    pairs = []
    with writing(node.database, writers) as counts:
        for number in range(arguments.rounds + 1):
            order = (False, True) if number % 2 else (True, False)
            found = {logged: phase(node, counts, arguments.seconds, logged=logged) for logged in order}
            say(f"{writers} writers, round {number}: {found[False]:,.0f}/s without, {found[True]:,.0f}/s with")
            if number:  # the first one only warms
                pairs.append((found[False], found[True]))
    without, with_ = (statistics.median(column) for column in zip(*pairs, strict=True))
    return Rate(writers, without, with_, statistics.median(b / a for a, b in pairs))


def phase(node: Node, counts: Counts, seconds: float, *, logged: bool) -> float:
    """Transactions a second of the writers while the log is on or off; on, the sequencer steps as in a worker."""
    switch = "enable" if logged else "disable"
    with psycopg.connect(node.database.owner_url, autocommit=True) as connection:
        connection.execute(f"alter table audit_event {switch} trigger audit_event_awaits_leaf")
    with Sequencer(node) as sequencer:
        before, began = sum(counts), time.monotonic()
        while (passed := time.monotonic() - began) < seconds:
            time.sleep(min(EVERY_SECONDS, seconds - passed))
            if logged:
                sequencer.step()
        return (sum(counts) - before) / (time.monotonic() - began)


@contextmanager
def writing(database: Database, writers: int) -> Iterator[Counts]:
    """So many connections at work, driven by at most two processes."""
    context = multiprocessing.get_context("spawn")
    counts: Counts = context.Array("Q", writers, lock=False)
    stop = context.Event()
    driven = [range(n, writers, 2) for n in range(min(2, writers))]
    processes = [context.Process(target=drive, args=(database.owner_url, places, counts, stop)) for places in driven]
    for process in processes:
        process.start()
    while not all(counts):
        time.sleep(0.1)
    try:
        yield counts
    finally:
        stop.set()
        for process in processes:
            process.join()


def drive(url: str, places: range, counts: Counts, stop: Any) -> None:
    threads = [Thread(target=one, args=(url, counts, place, stop)) for place in places]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def one(url: str, counts: Counts, place: int, stop: Any) -> None:
    """A writer: one change and its event after the other."""
    subject, bound = uuid.uuid4(), commitment(SALT, PAYLOAD)
    row = 1 + uuid.uuid4().int % 10000
    with psycopg.connect(url) as connection:
        while not stop.is_set():
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

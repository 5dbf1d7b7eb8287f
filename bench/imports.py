"""How fast is the register import, in units of a raw COPY?

Imports made-up register rows into a scratch PostgreSQL (durable commits) and, in the same run, copies the very rows it
made of them (physician, registration) into empty tables with the same indexes and constraints. Prints a table; `--write` puts
it into docs/performance.md.

    .venv/bin/python bench/imports.py [--rows 300000] [--rounds 3] [--xlsx] [--write]
"""

from __future__ import annotations

import argparse
import csv
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from registry import migrate  # noqa: E402
from registry.codes.load import packaged_tables  # noqa: E402
from registry.demo import generate  # noqa: E402
from registry.institutions import imports as institutions  # noqa: E402
from registry.localpg import Cluster  # noqa: E402
from registry.physicians import imports as register  # noqa: E402
from registry.sealed import Seal  # noqa: E402
from registry.transaction import Database  # noqa: E402

SECTION = "## Imports\n"
NOW = datetime(2026, 11, 21, 1, tzinfo=UTC)
TABLES = ("physician", "registration")


def main() -> None:
    arguments = read_arguments()
    root = Path(tempfile.mkdtemp(prefix="registry-bench-"))
    cluster = Cluster(root / "postgres", settings={"shared_buffers": "512MB"}, die_with_parent=True).start()
    try:
        files = make_files(root, arguments)
        results: dict[str, list[float]] = {}
        for round_ in range(arguments.rounds):
            say(f"round {round_ + 1} of {arguments.rounds}")
            database = a_database(cluster, f"bench{round_}")
            for name, seconds in one_round(database, files, root).items():
                results.setdefault(name, []).append(seconds)
            database.dispose()
        table = as_table(results, arguments.rows)
        print(table)
        if arguments.write:
            write(table)
    finally:
        cluster.stop()
        shutil.rmtree(root, ignore_errors=True)


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--xlsx", action="store_true", help="import the same rows from a workbook as well")
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    return parser.parse_args()


def make_files(root: Path, arguments: argparse.Namespace) -> dict[str, Path]:
    """The institutions, the register, and the register with every status changed."""
    say(f"generating {arguments.rows:,} physicians")
    hospitals = generate.institutions(packaged_tables())
    rows = list(generate.register(hospitals[:-2], arguments.rows, NOW.date()))
    files = {
        "institutions": generate.write_csv(root / "institutions.csv", generate.INSTITUTION, hospitals),
        "register": generate.write_csv(root / "register.csv", generate.REGISTER, rows),
    }
    if arguments.xlsx:
        files["workbook"] = as_workbook(files["register"])
    suspended = ({**row, "状态": "暂停", "状态起": "2026-10-01"} for row in rows)
    files["changed"] = generate.write_csv(root / "changed.csv", generate.REGISTER, suspended)
    return files


def as_workbook(path: Path) -> Path:
    import xlsxwriter  # noqa: PLC0415  (only asked for sometimes)

    with (
        path.open(encoding="utf-8", newline="") as file,
        xlsxwriter.Workbook(path.with_suffix(".xlsx"), {"constant_memory": True}) as book,
    ):
        sheet = book.add_worksheet()
        for line, row in enumerate(csv.reader(file)):
            for column, cell in enumerate(row):
                sheet.write_string(line, column, cell)
    return path.with_suffix(".xlsx")


def a_database(cluster: Cluster, name: str) -> Database:
    with psycopg.connect(cluster.owner_url("postgres"), autocommit=True) as connection:
        connection.execute(f"create database {name} template template0")
    database = Database(cluster.owner_url(name), cluster.app_url(name))
    migrate.prepare(database, NOW, demo=False)
    return database


def one_round(database: Database, files: dict[str, Path], root: Path) -> dict[str, float]:
    """Seconds of each import, and of the COPY of the rows it made."""
    seal = Seal({1: bytes(range(32))})
    days = iter(range(10))

    def importing(name: str, run: Callable[..., object] = register.run) -> float:
        at = NOW + timedelta(days=next(days))
        return timed(lambda: run(database, files[name], seal, source_at=at, now=at))

    importing("institutions", institutions.run)
    found = {"import, every row new": importing("register")}
    found["raw COPY of the rows it made"] = raw_copy(database, root)
    found["again, every row unchanged"] = importing("register")
    if "workbook" in files:
        found["the same from XLSX"] = importing("workbook")
    found["every row changed (suspended)"] = importing("changed")
    return found


def raw_copy(database: Database, root: Path) -> float:
    """Seconds to COPY the imported physicians and registrations into empty tables with equal indexes and constraints."""
    seconds = 0.0
    with psycopg.connect(database.owner_url, autocommit=True) as connection:
        connection.execute("create table copied_physician (like physician including all)")
        connection.execute("create table copied_registration (like registration including all)")
        connection.execute(
            "alter table copied_registration add foreign key (physician_id) references copied_physician, "
            "add exclude using gist (physician_id with =, place with =, valid with &&) where (upper_inf(recorded))"
        )
        for table in TABLES:
            content = root / "rows"
            with content.open("wb") as file, connection.cursor().copy(f"copy {table} to stdout") as copy:
                for block in copy:
                    file.write(block)
            seconds += timed(lambda: copy_in(connection, f"copied_{table}", content))  # noqa: B023
        connection.execute("drop table copied_registration, copied_physician")
    return seconds


def copy_in(connection: psycopg.Connection, table: str, content: Path) -> None:
    with content.open("rb") as file, connection.cursor().copy(f"copy {table} from stdin") as copy:
        while block := file.read(1 << 18):
            copy.write(block)


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def as_table(results: dict[str, list[float]], rows: int) -> str:
    floor = statistics.median(results["raw COPY of the rows it made"])
    lines = [f"| {rows:,} rows | s | rows/s | ratio |", "|---|---|---|---|"]
    for name, all_seconds in results.items():
        seconds = statistics.median(all_seconds)
        lines.append(f"| {name} | {seconds:.1f} | {rows / seconds:,.0f} | {floor / seconds:.2f} |")
    return "\n".join(lines)


def write(table: str) -> None:
    page = ROOT / "docs" / "performance.md"
    head, section, rest = page.read_text("utf-8").partition(SECTION)
    page.write_text(head + section + re.sub(r"\|.*\|", lambda _: table, rest, count=1, flags=re.DOTALL), "utf-8")


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

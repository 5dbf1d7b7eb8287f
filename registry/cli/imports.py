"""import: institutions and the national register, from files."""

from __future__ import annotations

import argparse
import json
import sys
import time
from datetime import datetime
from pathlib import Path

from registry.cli.failures import USAGE, Failure
from registry.cli.operation import Commands
from registry.imports import Report
from registry.institutions import imports as institutions
from registry.keys import open_keys
from registry.node import open_node
from registry.physicians import imports as register
from registry.sealed import Seal
from registry.time import CHINA

KINDS = {"institutions": institutions.run, "register": register.run}
BAR = 30


def add(commands: Commands) -> None:
    nouns = commands.add_parser("import", help="read an extract, CSV or XLSX").add_subparsers(
        required=True, metavar="KIND"
    )
    for kind in KINDS:
        importing = nouns.add_parser(kind, help=f"{kind} with the headings of the sample files")
        importing.add_argument("file", type=Path, metavar="FILE")
        importing.add_argument(
            "--json", action="store_true", help="print one object with the five counts, nothing else"
        )
        importing.add_argument(
            "--source-time",
            type=datetime.fromisoformat,
            metavar="TIME",
            help="when the source said it (RFC 3339; without offset in China's time; now when not given)",
        )
        importing.set_defaults(run=run_import, kind=kind)


def run_import(arguments: argparse.Namespace) -> int:
    with open_node() as node:
        now = node.clock()
        said_at = arguments.source_time or now
        if said_at.tzinfo is None:
            said_at = said_at.replace(tzinfo=CHINA)
        if said_at > now:
            return Failure("--source-time: it lies in the future", USAGE).print()
        seal = Seal(open_keys(node.settings, now).masters())
        bar = sys.stderr.isatty()
        report = KINDS[arguments.kind](
            node.database, arguments.file, seal, source_at=said_at, now=now, progress=Bar() if bar else None
        )
    if bar:
        print(file=sys.stderr)
    tell(report, as_json=arguments.json)
    return 0


class Bar:
    """A progress bar on standard error, drawn over itself: share, rows, rows a second, time left."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def __call__(self, rows: int, share: float) -> None:
        print(f"\r{progress(rows, share, time.monotonic() - self._began)}\x1b[K", end="", file=sys.stderr, flush=True)


def progress(rows: int, share: float, seconds: float) -> str:
    """The bar as text after `seconds` of work."""
    done = round(BAR * min(share, 1))
    line = f"[{'#' * done}{' ' * (BAR - done)}] {share:4.0%} {rows:,} rows"
    if seconds <= 0 or share <= 0:
        return line
    left = round(seconds / share - seconds)
    return f"{line}, {rows / seconds:,.0f}/s, {left // 60}:{left % 60:02} left"


def tell(report: Report, *, as_json: bool) -> None:
    if report.ignored:
        print(f"registry: headings not known and not read: {', '.join(report.ignored)}", file=sys.stderr)
    if as_json:
        print(json.dumps(report.counts()))
    else:
        print(", ".join(f"{name} {count:,}" for name, count in report.counts().items()))
    if report.refused_file:
        print(f"registry: refused rows, with reasons: {report.refused_file}", file=sys.stderr)

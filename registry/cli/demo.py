"""demo: a sample province that serves, works and shows the main job, from one command."""

from __future__ import annotations

import argparse
import csv
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from registry import migrate
from registry.cli.failures import Failure
from registry.cli.imports import Bar
from registry.cli.operation import Commands, cannot_listen
from registry.demo.main_job import Visitor, main_job, roster_job
from registry.demo.sample import CLIENT, Province, SignIns, load_province, open_accounts
from registry.keys import open_keys
from registry.localpg import end_with_parent
from registry.node import Node, open_node
from registry.sealed import Seal
from registry.settings import Settings, read_settings
from registry.time import day_in_china
from registry.transaction import embedded

PHYSICIANS = 2_000
READY_SECONDS = 60


def add(commands: Commands) -> None:
    showing = commands.add_parser("demo", help="load a sample province, serve it, and show the main job")
    showing.add_argument("--port", type=int, help="port to listen on (REGISTRY_PORT)")
    showing.add_argument("--physicians", type=int, default=PHYSICIANS, metavar="N", help=f"default {PHYSICIANS}")
    showing.add_argument("--once", action="store_true", help="end after the main job")
    showing.set_defaults(run=run_demo)


def run_demo(arguments: argparse.Namespace) -> int:
    os.environ["REGISTRY_ENV"] = "demo"
    if arguments.port is not None:
        os.environ["REGISTRY_PORT"] = str(arguments.port)
    settings = read_settings()
    if not 100 <= arguments.physicians <= 1_000_000:
        return Failure("--physicians: 100 to 1,000,000", 2).print()
    if refusal := cannot_listen(settings.host, settings.port):
        return Failure(refusal).print()
    # However it is asked to end, what was started is ended too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return _demo(settings, arguments.physicians, once=arguments.once)
    except KeyboardInterrupt:
        return 0
    finally:
        if not settings.database_url:
            embedded(settings).stop()


def _demo(settings: Settings, physicians: int, *, once: bool) -> int:
    print("starting the database", flush=True)
    node = open_node(settings)
    migrate.prepare(node.database, node.clock(), demo=True)
    seal = Seal(open_keys(settings, node.clock()).masters())
    print(f"loading the sample province: {physicians:,} physicians", flush=True)
    bar = sys.stderr.isatty()
    province = load_province(node, seal, physicians, Bar() if bar else None)
    if bar:
        print(file=sys.stderr)
    sign_ins = open_accounts(node, province.hospital, *_secrets(settings))
    node.database.dispose()
    base = f"http://{settings.host}:{settings.port}"
    logs = settings.data_dir / "demo"
    with _running(logs, "worker"), _running(logs, "serve", "--port", str(settings.port)) as server:
        if not _ready(base, server):
            return Failure(f"the service at {base} was not ready in {READY_SECONDS} s; see {logs}").print()
        for line in _main_job(node, base, province, sign_ins):
            print(f"  {line}", flush=True)
        print(f"ready {base}", flush=True)
        _print_sign_ins(sign_ins)
        if not once:
            server.wait()
    return 0


def _secrets(settings: Settings) -> tuple[str, str]:
    password, secret = settings.demo_password, settings.demo_client_secret
    return (
        password.get_secret_value() if password else secrets.token_urlsafe(12),
        secret.get_secret_value() if secret else secrets.token_urlsafe(32),
    )


def _main_job(node: Node, base: str, province: Province, sign_ins: SignIns) -> Iterator[str]:
    """Once for a database: the physician of the demo's account is filed only the first time."""
    visitor = Visitor(base, sign_ins)
    mine = visitor.call("physician", "GET", "/physicians")["items"][0]
    if len(visitor.call("physician", "GET", f"/physicians/{mine['id']}/sites")["items"]) > 1:
        yield "the main job was done before; its filing is in the register"
        return
    with province.register.open(encoding="utf-8", newline="") as file:
        person = next(row for row in csv.DictReader(file) if row["执业证书编码"] == mine["practising_code"])
    paper = province.register.with_name("consent.pdf")
    yield from main_job(visitor, person, province.hospital, paper, day_in_china(node.clock()))
    yield from roster_job(visitor, province.roster, province.hospital)


def _print_sign_ins(sign_ins: SignIns) -> None:
    print(f"password of every account: {sign_ins.password}")
    for name, organisation in sign_ins.accounts.items():
        print(f"  {name:<12}{organisation}")
    print(f"client {CLIENT}, secret: {sign_ins.client_secret}", flush=True)


@contextmanager
def _running(logs: Path, *command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A part of the service as a process of its own, ended with this one whatever happens to it; it writes to a log."""
    with (logs / f"{command[0]}.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603  our own command
            [sys.executable, "-m", "registry.cli", *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            preexec_fn=end_with_parent,  # noqa: PLW1509  no thread has started yet
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def _ready(base: str, server: subprocess.Popen[bytes]) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end and server.poll() is None:
        try:
            with opener.open(f"{base}/readyz", timeout=5):
                return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    return False

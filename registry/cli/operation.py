"""migrate, serve, worker, stop: running a node."""

from __future__ import annotations

import argparse
import asyncio
import logging
import multiprocessing
import os
import socket
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from registry import migrate
from registry.cli.failures import NOT_MIGRATED, UNAVAILABLE, USAGE, Failure
from registry.jobs import queue
from registry.keys import open_keys
from registry.localpg import end_with_parent
from registry.log import sequencer
from registry.node import Node, open_node
from registry.rosters import working
from registry.settings import read_settings
from registry.transaction import embedded
from registry.witness.asking import witnesses_of

if TYPE_CHECKING:
    from fastapi import FastAPI

Work = Callable[[Node, threading.Event], None]  # until told to stop

Commands = Any  # argparse gives the type no public name


def add(commands: Commands) -> None:
    migrating = commands.add_parser("migrate", help="bring the database up to this release")
    migrating.set_defaults(run=run_migrate)
    serving = commands.add_parser("serve", help="serve the API")
    serving.add_argument("--host", help="address to listen on (REGISTRY_HOST)")
    serving.add_argument("--port", type=int, help="port to listen on (REGISTRY_PORT)")
    serving.add_argument("--workers", type=int, default=1, help="processes")
    serving.set_defaults(run=run_serve)
    working = commands.add_parser("worker", help="run the jobs")
    working.set_defaults(run=run_worker)
    stopping = commands.add_parser("stop", help="end the embedded database")
    stopping.set_defaults(run=run_stop)


def run_migrate(_: argparse.Namespace) -> int:
    with open_node() as node:
        migrate.prepare(node.database, node.clock(), demo=node.settings.demo)
    print("the database is up to date")
    return 0


def run_serve(arguments: argparse.Namespace) -> int:
    import uvicorn  # noqa: PLC0415  slow to import, and no other command needs it

    settings = read_settings()
    settings.ensure_fit_to_serve()
    host, port = arguments.host or settings.host, settings.port if arguments.port is None else arguments.port
    if arguments.workers < 1:
        return Failure("--workers: at least 1", USAGE).print()
    if refusal := cannot_listen(host, port):
        return Failure(refusal).print()
    with open_node(settings) as node:
        if not migrated(node):
            return Failure(NOT_MIGRATED, UNAVAILABLE).print()
        open_keys(settings, node.clock())
    uvicorn.run(
        "registry.cli.operation:serving_app",
        factory=True,
        host=host,
        port=port,
        workers=arguments.workers,
        access_log=False,  # a query may name a person
        server_header=False,
        timeout_graceful_shutdown=30,
        timeout_worker_healthcheck=60,  # importing every door takes a while on a busy machine
    )
    return 0


def serving_app() -> FastAPI:
    """The application inside a serving process; one of several dies with the process that started them."""
    from registry.app import create_app  # noqa: PLC0415  imports every door

    if (parent := multiprocessing.parent_process()) is not None:
        end_with_parent()
        if not parent.is_alive():
            sys.exit(1)
    return create_app()


def run_worker(_: argparse.Namespace) -> int:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    for library in ("procrastinate", "alembic"):
        logging.getLogger(library).setLevel(logging.WARNING)
    with open_node() as node:
        if not migrated(node):
            return Failure(NOT_MIGRATED, UNAVAILABLE).print()
        open_keys(node.settings, node.clock())
        stop = threading.Event()
        threads = beside_the_jobs(node).items()
        beside = [threading.Thread(target=work, args=(node, stop), name=name) for name, work in threads]
        for thread in beside:
            thread.start()
        try:
            asyncio.run(queue.work(node, name=f"{socket.gethostname()}-{os.getpid()}"))
        finally:
            stop.set()
            for thread in beside:
                thread.join()
    return 0


def beside_the_jobs(node: Node) -> dict[str, Work]:
    """What a worker does beside its jobs, each in a thread.

    Rosters are their own queue: which one comes next is in their table (docs/adr/0017). The log has one sequencer, whatever
    the number of workers (docs/adr/0018). Raises `SettingsError`.
    """
    return {"rosters": working.work, "log": partial(sequencer.work, cosign=witnesses_of(node))}


def run_stop(_: argparse.Namespace) -> int:
    settings = read_settings()
    if settings.database_url:
        return Failure("the database is not ours to stop (REGISTRY_DATABASE_URL is set)").print()
    print("the database is stopped" if embedded(settings).stop() else "the database was not running")
    return 0


def migrated(node: Node) -> bool:
    with node.database.engine.connect() as connection:
        return migrate.is_current(connection)


def cannot_listen(host: str, port: int) -> str | None:
    """Why not, before anything is started: the server's own words come late and from each process."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except (OSError, OverflowError) as error:
        return f"cannot listen on {host}:{port}: {getattr(error, 'strerror', None) or error}"
    return None

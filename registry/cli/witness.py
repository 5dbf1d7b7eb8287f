"""witness: this node as a witness of others' logs, a small service of its own."""

from __future__ import annotations

import argparse
from pathlib import Path

from sqlmodel import col, func, select

from registry.cli.failures import NOT_MIGRATED, UNAVAILABLE, USAGE, Failure
from registry.cli.operation import Commands, cannot_listen, migrated
from registry.keys import open_keys
from registry.log.note import COSIGNATURE, Malformed, verifier_key
from registry.node import open_node
from registry.settings import read_settings
from registry.time import clock_at
from registry.transaction import transaction
from registry.witness.app import create_app
from registry.witness.tables import ForkEvidence, WitnessedLog
from registry.witness.witnessing import Witness, watch


def add(commands: Commands) -> None:
    nouns = commands.add_parser("witness", help="co-sign the logs of others").add_subparsers(
        required=True, metavar="ACT"
    )
    nouns.add_parser("key", help="our verifier key, to hand to those who watch for it").set_defaults(run=run_key)
    watching = nouns.add_parser("watch", help="begin to watch a log")
    watching.add_argument("vkey", metavar="VKEY", help="its verifier key, as its operator handed it over")
    watching.add_argument("--origin", help="its origin line, where that is not the key's name")
    watching.set_defaults(run=run_watch)
    serving = nouns.add_parser("serve", help="answer the logs that are watched")
    serving.add_argument("--host", default="127.0.0.1", help="address to listen on")
    serving.add_argument("--port", type=int, default=8100, help="port to listen on")
    serving.set_defaults(run=run_serve)
    nouns.add_parser("list", help="every log watched, how far, and what it could not explain").set_defaults(
        run=run_list
    )
    showing = nouns.add_parser("evidence", help="write what a log could not explain into a folder")
    showing.add_argument("folder", type=Path, metavar="DIR")
    showing.set_defaults(run=run_evidence)


def run_key(_: argparse.Namespace) -> int:
    settings = read_settings()
    key = open_keys(settings, clock_at(settings.now)()).witness_key()
    print(verifier_key(settings.witness, key, COSIGNATURE))
    return 0


def run_watch(arguments: argparse.Namespace) -> int:
    with open_node() as node:
        try:
            with transaction(node.database) as session:
                origin = watch(session, arguments.vkey, arguments.origin).origin
        except Malformed as error:
            return Failure(str(error)).print()
    print(f"watching {origin}")
    return 0


def run_serve(arguments: argparse.Namespace) -> int:
    import uvicorn  # noqa: PLC0415  slow to import, and no other command here needs it

    if refusal := cannot_listen(arguments.host, arguments.port):
        return Failure(refusal, USAGE).print()
    with open_node() as node:
        if not migrated(node):
            return Failure(NOT_MIGRATED, UNAVAILABLE).print()
        witness = Witness(node.settings.witness, open_keys(node.settings, node.clock()).witness_key())
        app = create_app(node.database, witness, node.clock)
        uvicorn.run(
            app,
            host=arguments.host,
            port=arguments.port,
            access_log=False,
            server_header=False,
            ws="none",
            lifespan="off",
            timeout_graceful_shutdown=5,
        )
    return 0


def run_list(_: argparse.Namespace) -> int:
    kept = select(func.count()).where(col(ForkEvidence.origin) == WitnessedLog.origin).scalar_subquery()
    with open_node() as node, transaction(node.database) as session:
        for log, forks in session.exec(select(WitnessedLog, kept).order_by(col(WitnessedLog.origin))):
            at = f" at {log.at:%Y-%m-%dT%H:%M:%SZ}" if log.at else ""
            print(f"{log.origin}: {log.size} leaves{at}, {forks} refused")
    return 0


def run_evidence(arguments: argparse.Namespace) -> int:
    """Two files for each: the checkpoint that was co-signed, and what came after it."""
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with open_node() as node, transaction(node.database) as session:
        rows = session.exec(select(ForkEvidence).order_by(col(ForkEvidence.id))).all()
        for row in rows:
            (arguments.folder / f"{row.id}.seen").write_text(row.seen, "utf-8")
            (arguments.folder / f"{row.id}.refused").write_text(row.submitted, "utf-8")
    print(f"{len(rows)} in {arguments.folder}")
    return 0

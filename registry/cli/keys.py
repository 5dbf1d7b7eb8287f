"""keys: what signs and seals, each with its key id."""

from __future__ import annotations

import argparse

from auth.keys import KeyStore, Purpose
from registry import rotation
from registry.cli.operation import Commands
from registry.node import open_node
from registry.settings import read_settings
from registry.time import clock_at
from registry.transaction import transaction


def add(commands: Commands) -> None:
    nouns = commands.add_parser("keys", help="signing and sealing keys").add_subparsers(required=True, metavar="ACT")
    nouns.add_parser("new", help="make the keys that are missing").set_defaults(run=run_new)
    rotating = nouns.add_parser("rotate", help="add a key that will take over: of one purpose, else both signing keys")
    rotating.add_argument(
        "purpose", nargs="?", type=Purpose, choices=list(Purpose), metavar="PURPOSE", help=", ".join(Purpose)
    )
    rotating.set_defaults(run=run_rotate)
    nouns.add_parser("list", help="every key and which one is in use").set_defaults(run=run_list)


def run_new(_: argparse.Namespace) -> int:
    settings = read_settings()
    made = KeyStore(settings.keys).make_missing(clock_at(settings.now)(), generated=False)
    print(f"made in {settings.keys}: {', '.join(made)}" if made else f"no key is missing in {settings.keys}")
    return 0


def run_rotate(arguments: argparse.Namespace) -> int:
    with open_node() as node, transaction(node.database) as session:
        keys = rotation.rotate_keys(session, KeyStore(node.settings.keys), arguments.purpose, now=node.clock())
    for key in keys:
        print(f"{key.purpose} {key.kid}")
    return 0


def run_list(_: argparse.Namespace) -> int:
    settings = read_settings()
    now, store = clock_at(settings.now)(), KeyStore(settings.keys)
    for key in store.listed():
        in_use = store.current(key.purpose, now)
        notes = ["in use"] * (in_use is not None and in_use.number == key.number) + ["generated"] * key.generated
        print(" ".join([key.purpose, key.kid, f"{key.published_at:%Y-%m-%dT%H:%M:%SZ}", *notes]))
    return 0

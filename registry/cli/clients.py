"""client: machines of an organisation."""

from __future__ import annotations

import argparse
from pathlib import Path

from auth.clients import SCOPES
from registry import clients
from registry.cli.operation import Commands
from registry.node import open_node
from registry.transaction import transaction


def add(commands: Commands) -> None:
    nouns = commands.add_parser("client", help="machine clients").add_subparsers(required=True, metavar="ACT")
    adding = nouns.add_parser("add", help="a client; without a key its secret is printed once")
    adding.add_argument("name", metavar="NAME")
    adding.add_argument("--org", required=True, metavar="CODE", help="registration number or division code")
    adding.add_argument("--scope", required=True, action="append", choices=sorted(SCOPES))
    adding.add_argument("--public-key", type=Path, metavar="FILE", help="its P-256 public key, PEM or JWK")
    adding.add_argument("--purpose", help="why it asks, unless a request says so")
    adding.set_defaults(run=run_add)
    disabling = nouns.add_parser("disable", help="close a client and end its tokens")
    disabling.add_argument("name", metavar="NAME")
    disabling.set_defaults(run=run_disable)
    nouns.add_parser("list", help="every client").set_defaults(run=run_list)


def run_add(arguments: argparse.Namespace) -> int:
    public_key = arguments.public_key.read_text("utf-8", errors="replace") if arguments.public_key else None
    with open_node() as node, transaction(node.database) as session:
        secret = clients.add_client(
            session,
            arguments.name,
            arguments.org,
            arguments.scope,
            public_key=public_key,
            purpose=arguments.purpose,
            now=node.clock(),
        )
    print(f"client {arguments.name} in {arguments.org}")
    if secret is not None:
        print(f"secret (not shown again): {secret}")
    return 0


def run_disable(arguments: argparse.Namespace) -> int:
    with open_node() as node, transaction(node.database) as session:
        clients.disable_client(session, arguments.name, now=node.clock())
    print(f"client {arguments.name}: disabled")
    return 0


def run_list(_: argparse.Namespace) -> int:
    with open_node() as node, transaction(node.database) as session:
        for client in clients.list_clients(session):
            proof = "secret" if client.public_key is None else "key"
            closed = " (disabled)" if client.disabled_at else ""
            print(f"{client.name}{closed}: {', '.join(client.scopes)} in {client.organisation}, by {proof}")
    return 0

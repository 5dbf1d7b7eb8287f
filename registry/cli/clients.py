"""client: machines of an organisation."""

from __future__ import annotations

import argparse
from pathlib import Path

from auth import clients
from auth.actor import OPERATOR
from registry.cli.accounts import ensure_organisation
from registry.cli.operation import Commands
from registry.log.events import record
from registry.node import open_node
from registry.transaction import transaction


def add(commands: Commands) -> None:
    nouns = commands.add_parser("client", help="machine clients").add_subparsers(required=True, metavar="ACT")
    adding = nouns.add_parser("add", help="a client; without a key its secret is printed once")
    adding.add_argument("name", metavar="NAME")
    adding.add_argument("--org", required=True, metavar="CODE", help="registration number or division code")
    adding.add_argument("--scope", required=True, action="append", choices=sorted(clients.SCOPES))
    adding.add_argument("--public-key", type=Path, metavar="FILE", help="its P-256 public key, PEM or JWK")
    adding.add_argument("--purpose", help="why it asks, unless a request says so")
    adding.set_defaults(run=run_add)


def run_add(arguments: argparse.Namespace) -> int:
    public_key = arguments.public_key.read_text("utf-8", errors="replace") if arguments.public_key else None
    with open_node() as node, transaction(node.database) as session:
        ensure_organisation(session, None, arguments.org, demo=node.settings.demo)
        client, secret = clients.add(
            session,
            arguments.name,
            arguments.org,
            frozenset(arguments.scope),
            public_key=public_key,
            purpose=arguments.purpose,
            now=node.clock(),
        )
        record(
            session,
            OPERATOR,
            "client.add",
            ("client", client.id),
            1,
            {"organisation": arguments.org, "scopes": sorted(arguments.scope), "key": public_key is not None},
            now=node.clock(),
            organisation=arguments.org,
        )
    print(f"client {arguments.name} in {arguments.org}")
    if secret is not None:
        print(f"secret (not shown again): {secret}")
    return 0

"""authority: what the installing operator sets for an authority that has nobody yet."""

from __future__ import annotations

import argparse

from auth.actor import OPERATOR
from registry.authorities.commands import set_by_operator
from registry.cli.failures import USAGE, Failure
from registry.cli.operation import Commands
from registry.node import open_node
from registry.transaction import transaction


def add(commands: Commands) -> None:
    nouns = commands.add_parser("authority", help="settings of an authority").add_subparsers(
        required=True, metavar="ACT"
    )
    setting = nouns.add_parser("set", help="one dated setting, with its basis")
    setting.add_argument("code", metavar="CODE", help="division code, six digits")
    setting.add_argument("setting", metavar="KEY=VALUE")
    setting.add_argument("--basis", default="", help="the notice or decision it rests on")
    setting.set_defaults(run=run_set)


def run_set(arguments: argparse.Namespace) -> int:
    key, equals, value = arguments.setting.partition("=")
    if not equals:
        return Failure(f"{arguments.setting}: write KEY=VALUE", USAGE).print()
    with open_node() as node, transaction(node.database) as session:
        set_by_operator(
            session, OPERATOR, arguments.code, key, value, arguments.basis, now=node.clock(), demo=node.settings.demo
        )
    print(f"{arguments.code} {key}={value}")
    return 0

"""account: people's accounts, until an authority administers its own."""

from __future__ import annotations

import argparse
import getpass
import sys

from auth.roles import Role
from registry import accounts
from registry.cli.operation import Commands
from registry.keys import open_keys
from registry.node import open_node
from registry.sealed import Seal
from registry.transaction import transaction


def add(commands: Commands) -> None:
    nouns = commands.add_parser("account", help="accounts of people").add_subparsers(required=True, metavar="ACT")
    adding = nouns.add_parser("add", help="an account with its first role; the password is read from standard input")
    adding.set_defaults(run=run_add)
    granting = nouns.add_parser("grant", help="one more role for an account")
    granting.set_defaults(run=run_grant)
    withdrawing = nouns.add_parser("withdraw", help="end a role, in running sign-ins too")
    withdrawing.set_defaults(run=run_withdraw)
    for parser in (adding, granting, withdrawing):
        parser.add_argument("name", metavar="NAME")
        parser.add_argument(
            "--role", required=True, type=Role, choices=list(Role), metavar="ROLE", help=", ".join(Role)
        )
        parser.add_argument("--org", required=True, metavar="CODE", help="registration number or division code")
    for parser in (adding, granting):
        parser.add_argument("--physician", metavar="PRACTISING_CODE", help="whose account it is, for role physician")
    disabling = nouns.add_parser("disable", help="close an account and end its sign-ins")
    disabling.add_argument("name", metavar="NAME")
    disabling.set_defaults(run=run_disable)
    enrolling = nouns.add_parser("second-factor", help="a new second factor; its address is printed once")
    enrolling.add_argument("name", metavar="NAME")
    enrolling.set_defaults(run=run_second_factor)
    nouns.add_parser("list", help="every account and its roles").set_defaults(run=run_list)


def run_add(arguments: argparse.Namespace) -> int:
    password = read_password()
    with open_node() as node, transaction(node.database) as session:
        accounts.add_account(
            session,
            arguments.name,
            arguments.role,
            arguments.org,
            password,
            practising_code=arguments.physician,
            demo=node.settings.demo,
            now=node.clock(),
        )
    print(f"account {arguments.name}: {arguments.role} in {arguments.org}")
    return 0


def run_grant(arguments: argparse.Namespace) -> int:
    with open_node() as node, transaction(node.database) as session:
        accounts.grant_role(
            session,
            arguments.name,
            arguments.role,
            arguments.org,
            practising_code=arguments.physician,
            demo=node.settings.demo,
            now=node.clock(),
        )
    print(f"account {arguments.name}: also {arguments.role} in {arguments.org}")
    return 0


def run_withdraw(arguments: argparse.Namespace) -> int:
    with open_node() as node, transaction(node.database) as session:
        accounts.withdraw_role(
            session, arguments.name, arguments.role, arguments.org, demo=node.settings.demo, now=node.clock()
        )
    print(f"account {arguments.name}: no longer {arguments.role} in {arguments.org}")
    return 0


def run_disable(arguments: argparse.Namespace) -> int:
    with open_node() as node, transaction(node.database) as session:
        accounts.disable_account(session, arguments.name, demo=node.settings.demo, now=node.clock())
    print(f"account {arguments.name}: disabled")
    return 0


def run_second_factor(arguments: argparse.Namespace) -> int:
    with open_node() as node, transaction(node.database) as session:
        now, issuer = node.clock(), node.settings.base_url.partition("://")[2]
        seal = Seal(open_keys(node.settings, now).masters())
        address = accounts.give_second_factor(
            session, arguments.name, seal, issuer=issuer, demo=node.settings.demo, now=now
        )
    print(f"enter this into the person's device (not shown again): {address}")
    return 0


def run_list(_: argparse.Namespace) -> int:
    with open_node() as node, transaction(node.database) as session:
        for found in accounts.list_accounts(session):
            roles = ", ".join(f"{grant.role} in {grant.organisation}" for grant in found.grants)
            print(f"{found.name}{' (disabled)' if found.disabled else ''}: {roles or 'no role'}")
    return 0


def read_password() -> str:
    """One line of standard input; at a terminal it is asked for and not shown."""
    if sys.stdin.isatty():
        return getpass.getpass("Password: ")
    return sys.stdin.readline().rstrip("\r\n")

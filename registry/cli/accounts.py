"""account: people's accounts, until an authority administers its own."""

from __future__ import annotations

import argparse
import getpass
import sys
import uuid

import sqlalchemy as sa
from sqlmodel import Session, col, select

from auth import accounts
from auth.actor import OPERATOR, Grant, is_division
from auth.roles import AUTHORITY_ROLES, INSTITUTION_ROLES, Role
from registry.authorities.commands import ensure_operator_may_act
from registry.cli.operation import Commands
from registry.errors import FieldError, Invalid
from registry.institutions.tables import Institution
from registry.log.events import record
from registry.node import open_node
from registry.physicians.tables import Physician
from registry.transaction import transaction
from workflows.text import Text


def add(commands: Commands) -> None:
    nouns = commands.add_parser("account", help="accounts of people").add_subparsers(required=True, metavar="ACT")
    adding = nouns.add_parser("add", help="an account with its first role; the password is read from standard input")
    adding.add_argument("name", metavar="NAME")
    adding.add_argument("--role", required=True, type=Role, choices=list(Role), metavar="ROLE", help=", ".join(Role))
    adding.add_argument("--org", required=True, metavar="CODE", help="registration number or division code")
    adding.add_argument("--physician", metavar="PRACTISING_CODE", help="whose account it is, for role physician")
    adding.set_defaults(run=run_add)


def run_add(arguments: argparse.Namespace) -> int:
    role, organisation = arguments.role, arguments.org
    password = read_password()
    with open_node() as node, transaction(node.database) as session:
        ensure_organisation(session, role, organisation, demo=node.settings.demo)
        account = accounts.add(
            session,
            arguments.name,
            Grant(role, organisation),
            password=password,
            physician_id=physician_of(session, role, arguments.physician),
            now=node.clock(),
        )
        record(
            session,
            OPERATOR,
            "account.add",
            ("account", account.id),
            1,
            {"role": str(role), "organisation": organisation},
            now=node.clock(),
            organisation=organisation,
        )
    print(f"account {arguments.name}: {role} in {organisation}")
    return 0


def read_password() -> str:
    """One line of standard input; at a terminal it is asked for and not shown."""
    if sys.stdin.isatty():
        return getpass.getpass("Password: ")
    return sys.stdin.readline().rstrip("\r\n")


def ensure_organisation(session: Session, role: Role | None, organisation: str, *, demo: bool) -> None:
    """The organisation is there, is of the kind the role is held in, and is not one that administers itself."""
    if is_division(organisation):
        if role in INSTITUTION_ROLES:
            raise _invalid(
                "--org", f"角色 {role} 属于机构，请给出登记号。", f"{role} is held in an institution: give its number"
            )
        ensure_operator_may_act(session, organisation, demo=demo)
        return
    if role in AUTHORITY_ROLES:
        raise _invalid(
            "--org", f"角色 {role} 属于机关，请给出行政区划代码。", f"{role} is held in an authority: give its code"
        )
    if not session.scalar(sa.select(sa.exists().where(col(Institution.registration_no) == organisation))):
        raise _invalid("--org", "没有此登记号的机构。", "there is no institution with this registration number")


def physician_of(session: Session, role: Role, practising_code: str | None) -> uuid.UUID | None:
    """The physician an account is bound to; exactly the role physician needs one."""
    if (role is Role.PHYSICIAN) != (practising_code is not None):
        raise _invalid(
            "--physician", "仅医师账号须给出执业证书编码。", "role physician needs it, no other role takes it"
        )
    if practising_code is None:
        return None
    found = session.exec(select(Physician.id).where(col(Physician.practising_code) == practising_code)).first()
    if found is None:
        raise _invalid("--physician", "没有此执业证书编码的医师。", "there is no physician with this practising code")
    return found


def _invalid(field: str, zh: str, en: str) -> Invalid:
    return Invalid(errors=(FieldError(field, "invalid", Text(zh, en)),))

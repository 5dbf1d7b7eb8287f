"""The sample province in the database: institutions, physicians, an account of every role, a machine client."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlmodel import col, select

from auth import accounts as people
from auth import clients as machines
from auth.roles import AUTHORITY_ROLES, Role
from registry import accounts, clients
from registry.codes.load import packaged_tables
from registry.demo import generate, rosters
from registry.institutions import imports as institution_imports
from registry.node import Node
from registry.physicians import imports as physician_imports
from registry.physicians.tables import Physician, Registration
from registry.sealed import Seal
from registry.time import day_in_china
from registry.transaction import transaction

CLIENT = "demo-verifier"

Progress = Callable[[int, float], None]


@dataclass(frozen=True)
class SignIns:
    """Who can sign in to the demo; all people have the same password."""

    password: str
    client_secret: str
    accounts: dict[str, str]  # name → where it holds its role


@dataclass(frozen=True)
class Province:
    """What the demo loaded: its files, and the internet hospital that files."""

    institutions: Path
    register: Path
    roster: Path
    hospital: str  # registration number


def load_province(node: Node, seal: Seal, count: int, progress: Progress | None = None) -> Province:
    """Import the sample's institutions and `count` physicians, as an operator imports real extracts. Twice is once.

    A tenth of the physicians, 500 at most, stand in a roster of the internet hospital, some with faults.
    """
    folder: Path = node.settings.data_dir / "demo"
    hospitals = generate.institutions(packaged_tables(), province=node.settings.province)
    province = Province(
        folder / "institutions.csv", folder / "register.csv", folder / "roster.xlsx", hospitals[-2]["登记号"]
    )
    now = node.clock()
    if not province.register.exists():
        folder.mkdir(parents=True, exist_ok=True)
        today, ordinary = day_in_china(now), hospitals[:-2]
        made = rosters.roster(ordinary, hospitals[-2], min(count // 10, 500), today, errors=0.12)
        named = {person["执业证书编码"] for person in made.register}
        others = (p for p in generate.register(ordinary, count, today, seed=2) if p["执业证书编码"] not in named)
        rosters.write_xlsx(province.roster, made.roster)
        generate.write_csv(province.institutions, list(hospitals[0]), hospitals)
        generate.write_csv(province.register, generate.REGISTER, [*made.register, *others][:count])
    institution_imports.run(node.database, province.institutions, seal, source_at=now, now=now)
    physician_imports.run(node.database, province.register, seal, source_at=now, now=now, progress=progress)
    return province


def open_accounts(node: Node, hospital: str, password: str, client_secret: str) -> SignIns:
    """One account of every role, named by it, a second reviewer, and the client. What is there gets the password."""
    authority, now = f"{node.settings.province}0000", node.clock()
    with transaction(node.database) as session:
        physician, main = session.exec(
            select(Physician.practising_code, col(Registration.main_registration_no))
            .join(Registration, col(Registration.physician_id) == col(Physician.id))
            .where(sa.func.upper_inf(col(Registration.recorded)), col(Registration.province) != node.settings.province)
            .where(col(Physician.level) == "1")
            .order_by(col(Physician.practising_code).desc())
            .limit(1)
        ).one()
        wanted = {str(role): (role, authority if _in_authority(role) else hospital) for role in Role}
        wanted["physician"] = (Role.PHYSICIAN, main or hospital)
        wanted["reviewer2"] = (Role.REVIEWER, authority)
        for name, (role, organisation) in wanted.items():
            account = people.find(session, name)
            if account is not None:
                people.set_password(session, account, password, now=now)
                continue
            code = physician if role is Role.PHYSICIAN else None
            accounts.add_account(session, name, role, organisation, password, practising_code=code, demo=True, now=now)
        client = machines.find(session, CLIENT)
        if client is not None:
            machines.set_secret(client, client_secret)
        else:
            clients.add_client(session, CLIENT, authority, ["verify"], secret=client_secret, purpose="demo", now=now)
    return SignIns(password, client_secret, {name: place for name, (_, place) in wanted.items()})


def _in_authority(role: Role) -> bool:
    return role in AUTHORITY_ROLES or role is Role.VERIFIER

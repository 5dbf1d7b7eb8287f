"""A register of a few made-up physicians in a database of its own, and the desk that answers about them.

Answers are read on other connections than a test's, so what is asked about is committed.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy.dialects.postgresql import Range
from sqlmodel import Session, select

from auth import tokens
from auth.actor import ActorKind
from auth.keys import KeyStore, Purpose
from auth.roles import Role
from auth.tables import Account, AccountGrant, Client, SignIn
from registry import migrate, problems
from registry.codes.load import packaged_tables
from registry.database import new_id
from registry.filings.tables import Filing
from registry.institutions.tables import Institution
from registry.physicians.tables import Physician, RegisterConfirmation, Registration
from registry.settings import Environment, Settings
from registry.sites.tables import Site
from registry.time import CHINA
from registry.transaction import Database, transaction
from registry.verification import routes
from workflows.names import name_key

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=CHINA).astimezone(UTC)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
HOSPITAL, INTERNET = "16099382211010011A1001", "28485167446010011A1001"
SCOPE = "内科专业"

_numbers = itertools.count(1)


class EmptyDatabases(Protocol):
    def make(self) -> Database: ...


@pytest.fixture(scope="package")
def register(empty_databases: EmptyDatabases) -> Iterator[Register]:
    database = empty_databases.make()
    migrate.prepare(database, NOW, demo=False)
    register = Register(database)
    register.institution(HOSPITAL, "北京市人民医院")
    register.institution(INTERNET, "海南省互联网医院")
    yield register
    database.dispose()


@pytest.fixture(scope="package")
def keys(tmp_path_factory: pytest.TempPathFactory) -> KeyStore:
    keys = KeyStore(tmp_path_factory.mktemp("keys"))
    keys.make_missing(NOW, generated=True)
    return keys


@pytest.fixture(scope="package")
def app(register: Register, keys: KeyStore, tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """The routes alone, with the state and the error answers of the application."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await routes.open(app)
        yield
        await routes.close(app)

    app = FastAPI(lifespan=lifespan)
    app.state.settings = Settings(
        _env_file=None,
        env=Environment.DEMO,
        data_dir=tmp_path_factory.mktemp("data"),
        public_url="https://registry.test",
    )
    app.state.database, app.state.keys, app.state.clock = register.database, keys, lambda: NOW
    problems.install(app)
    app.include_router(routes.router)
    return app


@pytest.fixture(scope="package")
def http(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app) as client:
        yield client


@pytest.fixture(scope="package")
def verifier(register: Register, keys: KeyStore) -> dict[str, str]:
    return register.bearer(keys, Role.VERIFIER, "460000")


class Register:
    """Writes what imports and decisions would have written."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.institutions: dict[str, uuid.UUID] = {}

    def institution(self, number: str, name: str) -> None:
        self.institutions[number] = new_id()
        row = Institution(
            id=self.institutions[number],
            registration_no=number,
            name=name,
            name_key=name_key(name),
            uscc="12110100160993822Q",
            division="460100",
            province="46",
            category="A100",
            management="1",
            internet=False,
            licence_until=None,
            status="ACTIVE",
            authority_name="",
            source="test",
            source_at=NOW,
            digest=b"",
        )
        self._add(row)

    def physician(
        self, name: str = "王伟", *, confirmed: datetime = NOW - timedelta(days=1), **registration: Any
    ) -> str:
        """A registered physician; the practising code."""
        code, person_id = f"110440000{next(_numbers):06}", new_id()
        person = Physician(
            id=person_id,
            practising_code=code,
            name=name,
            name_key=name_key(name),
            id_type="01",
            level="1",
            source="test",
            source_at=NOW,
        )
        self._add(
            person,
            self.registration(person_id, **registration),
            RegisterConfirmation(
                physician_id=person_id,
                place=registration.get("place", "11"),
                digest=b"",
                source="test",
                source_at=confirmed,
            ),
        )
        return code

    def registration(self, physician_id: uuid.UUID, **changed: Any) -> Registration:
        values: dict[str, Any] = {
            "physician_id": physician_id,
            "place": "11",
            "province": "11",
            "main_registration_no": HOSPITAL,
            "main_name": "北京市人民医院",
            "level": "1",
            "category": "clinical",
            "scopes": [self.scope()],
            "status": "ACTIVE",
            "valid": Range(date(2015, 1, 1), None),
            "recorded": Range(LONG_AGO, None),
            "source": "test",
            "source_at": NOW - timedelta(days=1),
            "digest": b"",
        }
        return Registration(**(values | changed))

    def site(self, code: str, *, institution: str = INTERNET, **changed: Any) -> uuid.UUID:
        """An approved additional site; its id."""
        with transaction(self.database) as session:
            physician = _by_code(session, code)
            filing = Filing(
                number=f"F{next(_numbers)}",
                type="XPROV_FILE",
                state="APPROVED",
                physician_id=physician.id,
                name=physician.name,
                name_key=physician.name_key,
                id_type="01",
                id_number_sealed=b"",
                id_number_index=b"",
                practising_code=code,
                qualification_sealed=b"",
                institution_id=self.institutions[institution],
                category="clinical",
                author="institution",
                filed_by="test",
                created_at=NOW,
            )
            session.add(filing)
            session.flush()
            values: dict[str, Any] = {
                "site_id": (site_id := new_id()),
                "filing_id": filing.id,
                "physician_id": physician.id,
                "institution_id": self.institutions[institution],
                "place": "11",
                "category": "clinical",
                "scopes": [self.scope()],
                "state": "EFFECTIVE",
                "valid": Range(date(2026, 12, 1), date(2027, 12, 1)),
                "recorded": Range(NOW - timedelta(hours=1), None),
            }
            session.add(Site(**(values | changed)))
            return site_id

    def scope(self) -> str:
        """The code of internal medicine."""
        found = packaged_tables().find("practice_scope", SCOPE)
        assert found
        return found.code

    def bearer(self, keys: KeyStore, role: Role, organisation: str) -> dict[str, str]:
        """Headers of an account of this role."""
        name, account_id, sign_in_id = f"{role}{next(_numbers)}", new_id(), new_id()
        self._add(
            Account(id=account_id, name=name, name_key=name, created_at=NOW),
            AccountGrant(account_id=account_id, role=str(role), organisation=organisation, created_at=NOW),
            SignIn(
                id=sign_in_id, account_id=account_id, auth_time=NOW, expires_at=NOW + timedelta(hours=1), origin=b""
            ),
        )
        return _header(keys, ActorKind.ACCOUNT, account_id, sign_in_id)

    def machine(self, keys: KeyStore, scope: str, purpose: str | None) -> dict[str, str]:
        """Headers of a machine client."""
        client_id = new_id()
        client = Client(
            id=client_id,
            name=f"machine{next(_numbers)}",
            organisation=HOSPITAL,
            scopes=[scope],
            purpose=purpose,
            secret_sha256=bytes(32),
            created_at=NOW,
        )
        self._add(client)
        return _header(keys, ActorKind.CLIENT, client_id, None, frozenset({scope}))

    def _add(self, *rows: Any) -> None:
        with transaction(self.database) as session:
            for row in rows:
                session.add(row)
                session.flush()


def _by_code(session: Session, code: str) -> Physician:
    return session.exec(select(Physician).where(Physician.practising_code == code)).one()


def _header(
    keys: KeyStore, kind: ActorKind, subject: uuid.UUID, sign_in: uuid.UUID | None, scopes: frozenset[str] = frozenset()
) -> dict[str, str]:
    claims = tokens.Claims(
        kind=kind,
        subject=subject,
        client_id="test",
        jti=tokens.new_jti(),
        issued_at=NOW,
        expires_at=NOW + tokens.LIFETIME,
        auth_time=NOW if sign_in else None,
        sign_in=sign_in,
        scopes=scopes,
    )
    token = tokens.issue(claims, tokens.Realm("https://registry.test"), keys.signer(Purpose.TOKEN, NOW))
    return {"Authorization": f"Bearer {token}"}

"""A small province to tell stories in, driven through the same doors as the product: imports, accounts, HTTP."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
from fastapi import FastAPI

from auth.roles import Role
from registry import accounts
from registry.codes.load import packaged_tables
from registry.demo import generate
from registry.imports import Report
from registry.institutions import imports as institution_imports
from registry.physicians import imports as physician_imports
from registry.transaction import Database, transaction
from tests.invariants import Told

PASSWORD = "long enough and unusual"
AUTHORITY = "460000"
ELSEWHERE = "440000"  # Guangdong's authority

Row = dict[str, str]


@dataclass
class StoppedClock:
    """A clock that a story moves."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


@dataclass
class World:
    """The application, its database, its clock, and a register nobody has used up yet."""

    app: FastAPI
    http: httpx2.Client
    database: Database
    folder: Path
    clock: StoppedClock
    institutions: list[Row] = field(default_factory=list)
    register: list[Row] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)  # every answer given to a caller, for tests.invariants
    _free: dict[str, Iterator[Row]] = field(default_factory=dict)
    _names: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def load(self, physicians: int = 1_500, seed: int = 46) -> None:
        """Import a generated province with physicians of its own and of Guangdong, as an operator would."""
        self.institutions = generate.institutions(packaged_tables(), seed=seed)
        hospitals = [r for r in self.institutions if r["省份"] in ("广东省", "海南省") and r["是否互联网医院"] != "是"]
        self.register = list(generate.register(hospitals, physicians, self.now.date(), seed=seed, assistants=0.0))
        assert self.import_institutions(self.institutions).refused == 0
        assert self.import_register(self.register).refused == 0

    def import_institutions(self, rows: list[Row]) -> Report:
        path = generate.write_csv(self._path("institutions"), list(rows[0]), rows)
        return institution_imports.run(self.database, path, self.app.state.seal(), source_at=self.now, now=self.now)

    def import_register(self, rows: list[Row], source_at: datetime | None = None) -> Report:
        path = generate.write_csv(self._path("register"), list(rows[0]), rows)
        seal, at = self.app.state.seal(), source_at or self.now
        return physician_imports.run(self.database, path, seal, source_at=at, now=self.now)

    def _path(self, name: str) -> Path:
        return self.folder / f"{uuid.uuid4().hex}-{name}.csv"

    @property
    def internet(self) -> Row:
        """The internet hospital that files."""
        return next(row for row in self.institutions if row["是否互联网医院"] == "是")

    def hospital(self, name: str) -> Row:
        """An ordinary hospital of a province."""
        return next(r for r in self.institutions if r["省份"] == name and r["是否互联网医院"] != "是")

    def physician(self, name: str = "广东省") -> Row:
        """A physician of a province whom no other test has."""
        if name not in self._free:
            self._free[name] = iter([r for r in self.register if r["省份"] == name])
        return next(self._free[name])

    def account(self, role: Role | str, org: str, physician: Row | None = None) -> Caller:
        """A new account with this role, signed in."""
        name = f"{role}-{next(self._names)}"
        code = physician["执业证书编码"] if physician else None
        with transaction(self.database) as session:
            accounts.add_account(session, name, str(role), org, PASSWORD, practising_code=code, demo=True, now=self.now)
        return self.sign_in(name)

    def sign_in(self, name: str) -> Caller:
        answer = self.http.post("/auth/token", data={"grant_type": "password", "username": name, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        return Caller(self, name, answer.json()["access_token"])

    def anonymous(self) -> Caller:
        return Caller(self, "", "")

    @property
    def now(self) -> datetime:
        return self.clock.now

    def later(self, **span: float) -> None:
        """Let time pass. Tokens live ten minutes: sign in again after that."""
        self.clock.now += timedelta(**span)

    def body(self, person: Row, institution: str, **changes: Any) -> dict[str, Any]:
        """A filing of a physician as the register has them."""
        today = self.now.date()
        return {
            "physician": {
                "name": person["姓名"],
                "id_type": "01",
                "id_number": person["证件号码"],
                "practising_code": person["执业证书编码"],
                "qualification_code": person["资格证书编码"],
            },
            "institution": institution,
            "category": person["执业类别"],
            "scopes": [person["执业范围"]],
            "valid_from": (today + timedelta(days=60)).isoformat(),
            "valid_to": (today + timedelta(days=400)).isoformat(),
            **changes,
        }


@dataclass
class Caller:
    """Somebody with a token; every call answers (status, JSON)."""

    world: World
    name: str
    token: str

    def get(self, path: str, **params: Any) -> tuple[int, Any]:
        answer = self.world.http.get(self._url(path), params=params, headers=self._headers())
        return self._told("GET", path, None, None, answer).status_code, answer.json()

    def get_status(self, path: str, **params: Any) -> int:
        """For answers that are no JSON: a file."""
        return self.world.http.get(self._url(path), params=params, headers=self._headers()).status_code

    def post(self, path: str, body: Any = None, *, key: str | None = None, **headers: str) -> tuple[int, Any]:
        answer = self.ask(path, body, key=key or str(uuid.uuid4()), **headers)
        return answer.status_code, answer.json()

    def ask(self, path: str, body: Any, *, key: str, **headers: str) -> httpx2.Response:
        """The whole answer to a POST."""
        sent = self._headers() | {"Idempotency-Key": key} | headers
        answer = self.world.http.post(self._url(path), json=body, headers=sent)
        return self._told("POST", path, body, key, answer)

    def upload(self, path: str, content: bytes, *, key: str | None = None, **fields: str) -> tuple[int, Any]:
        sent = self._headers() | {"Idempotency-Key": key or str(uuid.uuid4())}
        files = {"file": ("paper.pdf", content, "application/pdf")}
        answer = self.world.http.post(self._url(path), data=fields, files=files, headers=sent)
        return self._told("POST", path, fields, sent["Idempotency-Key"], answer).status_code, answer.json()

    def act(self, filing: dict[str, Any], name: str, **more: Any) -> tuple[int, Any]:
        return self.post(f"/filings/{filing['id']}/acts", {"act": name, "revision": filing["revision"], **more})

    def does(self, filing: dict[str, Any], name: str, **more: Any) -> dict[str, Any]:
        """An act that must succeed; the filing after it."""
        status, answer = self.act(filing, name, **more)
        assert status == 200, (name, status, answer)
        moved: dict[str, Any] = answer
        return moved

    def _told(self, method: str, path: str, body: Any, key: str | None, answer: httpx2.Response) -> httpx2.Response:
        told = Told(self.name, method, path, key, body, answer.status_code, answer.content)
        self.world.told.append(told)
        return answer

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def _url(self, path: str) -> str:
        return (
            path
            if path.startswith(("/auth", "/.well-known", "/healthz", "/readyz", "/openapi", "/log/"))
            else f"/api/v1{path}"
        )

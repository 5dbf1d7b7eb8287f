"""Every route × role × own, other, none, generated from the one access table. A route that is missing there fails."""

from __future__ import annotations

import itertools
import uuid
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from sqlmodel import col, func, select

from auth.roles import AUTHORITY_ROLES, INSTITUTION_ROLES, Role
from registry import accounts
from registry.api.access import ACCESS
from registry.log.tables import AuditEvent
from registry.repairs.tables import Repair
from registry.transaction import transaction
from tests.world import AUTHORITY, ELSEWHERE, Caller, Row, World

PDF = b"%PDF-1.7\nmatrix\n"
RELATIONS = ("own", "other")
OBJECTS = ("{filing_id}", "{physician_id}")

# Whom a role in another place may still see: the register's extract is the authority's own source (registry.physicians.queries).
SEEN_FROM_ELSEWHERE = {
    (route, role)
    for route in (
        "GET /api/v1/physicians/{physician_id}",
        "GET /api/v1/physicians/{physician_id}/sites",
        "GET /api/v1/physicians/{physician_id}/timeline",
        "GET /api/v1/physicians/{physician_id}/access",
    )
    for role in (Role.REVIEWER, Role.SENIOR, Role.LEAD, Role.AUDITOR)
}


@dataclass
class Case:
    """One filing at the authority, about one physician, with an attachment, and a caller for each role and relation."""

    world: World
    filing: dict[str, Any]
    sha256: str
    roster: str
    repair: uuid.UUID
    person: Row
    callers: dict[tuple[Role, str], Caller]

    def knock(self, caller: Caller, route: str) -> int:
        method, path = route.replace("{tile:path}", "0/000").split(" ")
        path = path.format(
            filing_id=self.filing["id"],
            physician_id=self.filing["physician"]["id"],
            registration_no=self.world.internet["登记号"],
            sha256=self.sha256,
            seq=1,
            roster_id=self.roster,
            repair_id=self.repair,
        ).removeprefix("/api/v1")
        if method == "GET":
            query = {"practising_code": self.person["执业证书编码"], "name": "x"} if path == "/verify" else {}
            return caller.get_status(path, **query)
        if path == "/rosters":
            return caller.upload(path, b"a,b\n", institution=self.world.internet["登记号"])[0]
        if path.endswith("/attachments"):
            return caller.upload(path, PDF, kind="other")[0]
        return caller.post(path, BODIES.get(route, {}))[0]


# Bodies that are well formed and change nothing: what is asked is who may knock.
BODIES: dict[str, Any] = {
    "POST /api/v1/filings/{filing_id}/acts": {"act": "claim", "revision": 0},
    "POST /api/v1/rosters/{roster_id}/acts": {"act": "pause"},
    "POST /api/v1/repairs/{repair_id}/acts": {"act": "withdraw"},
    "POST /api/v1/physicians/search": {"name": "无此人"},
    "POST /api/v1/verify": {"practising_code": "199990000999999", "name": "无此人"},
}


@pytest.fixture(scope="module")
def case(loaded: World) -> Case:
    world, person, stranger = loaded, loaded.physician("广东省"), loaded.physician("广东省")
    internet, other_hospital = world.internet["登记号"], world.hospital("海南省")["登记号"]
    filer = world.account(Role.FILER, internet)
    filing = filer.post("/filings", world.body(person, internet))[1]
    sha256 = filer.upload(f"/filings/{filing['id']}/attachments", PDF, kind="main_consent")[1]["sha256"]
    filing = filer.does(filer.get(f"/filings/{filing['id']}")[1], "propose")
    roster = filer.upload("/rosters", b"a,b\n", institution=internet)[1]["id"]
    assert filer.post(f"/rosters/{roster}/acts", {"act": "cancel"})[0] == 200  # at rest, so that its events end
    doctor = world.account(Role.PHYSICIAN, person["主要执业机构登记号"], person)
    shown = doctor.get(f"/filings/{filing['id']}")[1]
    filing = doctor.does(shown, "consent", text_sha256=shown["consent_sha256"])
    with transaction(world.database) as session:
        repair = Repair(
            filing_id=uuid.UUID(filing["id"]), authority=AUTHORITY, kind="reverse", reason="x", state="declined",
            proposed_by="somebody", proposed_at=world.now, decided_by="another", decided_at=world.now,
        )  # fmt: skip
        session.add(repair)
        repair_id = repair.id
    places = {"own": (internet, AUTHORITY), "other": (other_hospital, ELSEWHERE)}
    callers: dict[tuple[Role, str], Caller] = {
        (role, relation): world.account(role, institution if role in INSTITUTION_ROLES else authority)
        for role in Role
        if role is not Role.PHYSICIAN
        for relation, (institution, authority) in places.items()
    }
    callers[Role.PHYSICIAN, "own"] = doctor
    callers[Role.PHYSICIAN, "other"] = world.account(Role.PHYSICIAN, stranger["主要执业机构登记号"], stranger)
    return Case(world, filing, sha256, roster, repair_id, person, callers)


def routes(world: World) -> set[str]:
    return {
        f"{method} {route.path}"
        for route in iter_route_contexts(world.app.routes)
        for method in route.methods or ()
        if method != "HEAD"
    }


def test_the_table_and_the_application_have_the_same_routes(loaded: World) -> None:
    assert routes(loaded) == set(ACCESS)
    assert len(ACCESS) > 20


@pytest.mark.parametrize("route", sorted(ACCESS))
def test_without_a_token_only_public_routes_answer(case: Case, route: str) -> None:
    status = case.knock(case.world.anonymous(), route)
    if ACCESS[route].public:
        assert status not in (401, 403)
    else:
        assert status == 401


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("relation", RELATIONS)
def test_each_role_reaches_what_the_table_says_and_nothing_else(case: Case, role: Role, relation: str) -> None:
    caller, unexpected = case.callers[role, relation], []
    for route in sorted(ACCESS):
        if ACCESS[route].public:
            continue
        status = case.knock(caller, route)
        if role not in ACCESS[route].roles:
            right = status == 403
        elif "{filing_id}" in route:
            right = status not in (401, 403, 404) if relation == "own" else status == 404
            if route.endswith("/acts") and relation == "own":
                right = status == 409  # revision 0: seen, and stale
        elif "{roster_id}" in route or "{repair_id}" in route:
            right = status in (200, 409) if relation == "own" else status == 404
        elif "{physician_id}" in route:
            seen = relation == "own" or (route, role) in SEEN_FROM_ELSEWHERE
            right = status == (200 if seen else 404)
        else:
            right = status not in (401, 403, 404) and status < 500
        if not right:
            unexpected.append((route, status))
    assert unexpected == []


@pytest.mark.parametrize(("role", "relation"), list(itertools.product(Role, RELATIONS)))
def test_lists_hold_only_what_may_be_seen(case: Case, role: Role, relation: str) -> None:
    caller = case.callers[role, relation]
    if role not in ACCESS["GET /api/v1/filings"].roles:
        pytest.skip("the role lists no filings: the matrix above")
    listed = {item["id"] for item in caller.get("/filings", limit=200)[1]["items"]}
    assert (case.filing["id"] in listed) is (relation == "own")


@pytest.mark.parametrize("route", sorted(ACCESS))
def test_somebody_whose_roles_were_withdrawn_reaches_nothing(case: Case, route: str) -> None:
    if ACCESS[route].public:
        pytest.skip("public")
    caller = _withdrawn(case.world)
    assert case.knock(caller, route) == 403


_NOBODY: dict[int, Caller] = {}


def _withdrawn(world: World) -> Caller:
    if id(world) not in _NOBODY:
        caller = world.account(Role.REVIEWER, AUTHORITY)
        with transaction(world.database) as session:
            accounts.withdraw_role(session, caller.name, Role.REVIEWER, AUTHORITY, demo=True, now=world.now)
        _NOBODY[id(world)] = caller
    return _NOBODY[id(world)]


def test_another_id_is_not_found_whoever_asks(case: Case) -> None:
    filing = {**case.filing, "id": str(uuid.uuid4())}
    for caller in case.callers.values():
        status = caller.get_status(f"/filings/{filing['id']}")
        assert status in (403, 404)


def test_every_denial_leaves_one_event(case: Case) -> None:
    caller = case.callers[Role.VERIFIER, "own"]
    before = _denials(case.world)
    assert caller.get_status("/filings") == 403
    assert caller.get_status(f"/filings/{case.filing['id']}") == 403
    assert _denials(case.world) == before + 2


def test_no_role_is_both_the_institutions_and_the_authoritys() -> None:
    assert not INSTITUTION_ROLES & AUTHORITY_ROLES


def _denials(world: World) -> int:
    with transaction(world.database) as session:
        return session.exec(
            select(func.count()).select_from(AuditEvent).where(col(AuditEvent.type) == "access.denied")
        ).one()

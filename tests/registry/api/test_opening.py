"""Whoever opens a physician's record or a filing leaves a record of it; the physician reads who, when and what for."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from auth.roles import Role
from registry.log.verifying.accesses import verify_accesses
from registry.verification.tables import OpeningRecord
from tests.world import AUTHORITY, Caller, Row, World


@pytest.fixture
def person(world: World) -> Row:
    return world.physician()


@pytest.fixture
def doctor(world: World, person: Row) -> Caller:
    return world.account(Role.PHYSICIAN, person["主要执业机构登记号"], person)


def id_of(caller: Caller, person: Row) -> str:
    found: str = caller.get("/physicians", practising_code=person["执业证书编码"])[1]["items"][0]["id"]
    return found


def looks(doctor: Caller, person: Row) -> list[dict[str, Any]]:
    """What the physician reads, newest first."""
    items: list[dict[str, Any]] = doctor.get(f"/physicians/{id_of(doctor, person)}/access")[1]["items"]
    return items


def test_an_officer_who_opens_a_record_is_named_to_the_physician(world: World, person: Row, doctor: Caller) -> None:
    officer = world.account(Role.REVIEWER, AUTHORITY)
    physician_id = id_of(officer, person)
    assert looks(doctor, person) == []  # found in a list, not opened
    for path in ("", "/sites", "/timeline"):
        assert officer.get(f"/physicians/{physician_id}{path}")[0] == 200
    told = looks(doctor, person)
    assert [(look["what"], look["organisation"], look["purpose"]) for look in told] == [
        ("opened", AUTHORITY, "unstated")
    ] * 3
    assert told[0]["asked_by"] == officer.get("/me")[1]["account"]["id"]


def test_a_filing_that_is_opened_is_the_physician_s_too(world: World, person: Row, doctor: Caller) -> None:
    institution = world.internet["登记号"]
    filer = world.account(Role.FILER, institution)
    filing = filer.post("/filings", world.body(person, institution))[1]
    assert looks(doctor, person) == []
    assert filer.get(f"/filings/{filing['id']}")[0] == 200
    (look,) = looks(doctor, person)
    assert (look["filing"], look["organisation"]) == (filing["id"], institution)


def test_the_purpose_is_kept_as_it_was_stated(world: World, person: Row, doctor: Caller) -> None:
    officer = world.account(Role.REVIEWER, AUTHORITY)
    path = f"/api/v1/physicians/{id_of(officer, person)}"

    def opened(purpose: str) -> int:
        headers = [(b"Authorization", f"Bearer {officer.token}".encode()), (b"Purpose", purpose.encode())]
        return world.http.get(path, headers=headers).status_code

    assert opened("投诉核查") == 200
    assert looks(doctor, person)[0]["purpose"] == "投诉核查"
    assert opened("110101199003078515") == 422
    assert len(looks(doctor, person)) == 1


def test_openings_and_verifications_are_listed_together_newest_first(world: World, person: Row, doctor: Caller) -> None:
    officer = world.account(Role.REVIEWER, AUTHORITY)
    question = {"practising_code": person["执业证书编码"], "institution": person["主要执业机构登记号"]}
    for _ in range(2):
        officer.get("/verify", **question)
        officer.get(f"/physicians/{id_of(officer, person)}")
    told = looks(doctor, person)
    assert [look["what"] for look in told] == ["opened", "verified"] * 2
    first = doctor.get(f"/physicians/{id_of(doctor, person)}/access", limit=3)[1]
    rest = doctor.get(f"/physicians/{id_of(doctor, person)}/access", limit=3, cursor=first["next"])[1]
    assert first["items"] + rest["items"] == told


def test_what_was_not_shown_and_one_s_own_leaves_no_record(world: World, person: Row, doctor: Caller) -> None:
    physician_id = id_of(doctor, person)
    stranger = world.account(Role.FILER, world.hospital("海南省")["登记号"])
    before = kept(world)
    assert doctor.get(f"/physicians/{physician_id}")[0] == 200
    assert stranger.get(f"/physicians/{physician_id}")[0] == 404
    assert stranger.get(f"/filings/{uuid.uuid4()}")[0] == 404
    assert stranger.get("/filings/none")[0] == 422
    assert kept(world) == before


def test_the_log_commits_to_every_look_and_names_the_batch_that_was_turned(
    world: World, person: Row, doctor: Caller
) -> None:
    officer = world.account(Role.REVIEWER, AUTHORITY)
    question = {"practising_code": person["执业证书编码"], "institution": person["主要执业机构登记号"]}
    officer.get("/verify", **question)
    officer.get(f"/physicians/{id_of(officer, person)}")
    assert len(looks(doctor, person)) == 2
    theirs = sa.text("select batch from opening_record where opened_by = :by")
    with world.database.owner_engine.connect() as connection:
        assert list(verify_accesses(connection)) == []
        connection.execute(sa.text("set local session_replication_role = replica"))
        batch = connection.execute(theirs, {"by": officer.get("/me")[1]["account"]["id"]}).scalar_one()
        turns = (
            "update opening_record set purpose = 'another' where batch = :batch",
            "update opening_record set physician_id = null where batch = :batch",
            "delete from opening_record where batch = :batch",
            "insert into opening_record values (uuid7(), now(), '', null, '', 'filing', uuid7(), null, :batch)",
        )
        for turn in turns:
            savepoint = connection.begin_nested()
            connection.execute(sa.text(turn), {"batch": batch})
            (finding,) = verify_accesses(connection)
            assert finding.record == f"access batch {batch}"
            savepoint.rollback()
        connection.rollback()


def kept(world: World) -> int:
    with world.database.engine.connect() as connection:
        count: int = connection.execute(sa.select(sa.func.count()).select_from(OpeningRecord)).scalar_one()
    return count

"""Who a filing is about: they see it, they can correct it, and it never becomes somebody else's."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from registry.filings.due import act_on_due
from registry.node import Node
from registry.rosters.working import Worker
from tests.stories import filed, reviewed, submitted
from tests.world import AUTHORITY, Caller, Row, World


@pytest.fixture
def filer(world: World) -> Caller:
    return world.account("filer", world.internet["登记号"])


@pytest.fixture
def reviewer(world: World) -> Caller:
    return world.account("reviewer", AUTHORITY)


def node(world: World) -> Node:
    return Node(world.app.state.settings, world.database, world.clock)


def doctor_of(world: World, person: Row) -> Caller:
    return world.account("physician", person["主要执业机构登记号"], person)


def named_as(person: Row) -> dict[str, Any]:
    return {
        "name": person["姓名"],
        "id_number": person["证件号码"],
        "practising_code": person["执业证书编码"],
        "qualification_code": person["资格证书编码"],
    }


def attested(world: World, filer: Caller, person: Row) -> dict[str, Any]:
    """A filing of a roster that nobody has asked the physician about."""
    body = world.body(person, world.internet["登记号"])
    row = {
        "姓名": person["姓名"],
        "证件号码": person["证件号码"],
        "医师资格证书编码": person["资格证书编码"],
        "医师执业证书编码": person["执业证书编码"],
        "执业类别": person["执业类别"],
        "执业范围": person["执业范围"],
        "备案开始日期": body["valid_from"],
        "备案结束日期": body["valid_to"],
    }
    content = f"{','.join(row)}\n{','.join(row.values())}\n".encode()
    status, roster = filer.upload("/rosters", content, institution=world.internet["登记号"])
    assert status == 202, roster
    worker, manager = Worker(node(world)), world.account("manager", world.internet["登记号"])
    for caller, act in ((filer, "file"), (manager, "attest")):
        while worker.step():
            pass
        status, answer = caller.post(f"/rosters/{roster['id']}/acts", {"act": act})
        assert status == 200, answer
    while worker.step():
        pass
    (found,) = filer.get(f"/rosters/{roster['id']}/rows")[1]["items"]
    filing: dict[str, Any] = filer.get(f"/filings/{found['filing']}")[1]
    assert filing["state"] == "SUBMITTED"
    return filing


def test_a_physician_sees_and_disputes_what_was_attested_for_them(world: World, filer: Caller) -> None:
    person = world.physician()
    filing = attested(world, filer, person)
    doctor = doctor_of(world, person)
    status, shown = doctor.get(f"/filings/{filing['id']}")
    assert (status, shown["state"]) == (200, "SUBMITTED")
    assert person["姓名"] in shown["consent_text"]
    assert doctor.does(shown, "dispute")["flags"] == ["disputed"]


def test_a_draft_of_a_hospital_does_not_exist_for_its_physician(world: World, filer: Caller) -> None:
    person = world.physician()
    assert doctor_of(world, person).get(f"/filings/{filed(world, filer, person)['id']}")[0] == 404


def test_a_physician_whose_name_does_not_match_can_correct_their_own_filing(world: World) -> None:
    person = world.physician()
    doctor = doctor_of(world, person)
    body = world.body(person, world.internet["登记号"])
    body["physician"]["name"] = "何某某"
    status, filing = doctor.post("/filings", body)
    assert (status, filing["physician"]["id"]) == (201, None)
    filing = doctor.does(doctor.get(f"/filings/{filing['id']}")[1], "amend", changes={"physician": named_as(person)})
    assert doctor.does(filing, "propose")["state"] == "WAIT_INST"


def test_a_physician_cannot_turn_their_own_filing_into_another_physicians(world: World) -> None:
    person, other = world.physician(), world.physician()
    doctor = doctor_of(world, person)
    _, filing = doctor.post("/filings", world.body(person, world.internet["登记号"]))
    status, answer = doctor.act(filing, "amend", changes={"physician": named_as(other)})
    assert (status, answer["errors"][0]["field"]) == (409, "physician.practising_code")
    assert doctor.get(f"/filings/{filing['id']}")[1]["revision"] == filing["revision"]


def test_once_proposed_a_filing_cannot_become_another_physicians(world: World, filer: Caller, reviewer: Caller) -> None:
    other = world.physician()
    filing, _ = submitted(world, filer, world.physician())
    reviewer.does(reviewer.does(filing, "claim"), "return", reasons=[{"code": "R106"}])
    filing = filer.get(f"/filings/{filing['id']}")[1]
    status, answer = filer.act(filing, "amend", changes={"physician": named_as(other)})
    assert (status, answer["errors"][0]["field"]) == (409, "physician.practising_code")


def test_whoever_is_registered_again_can_be_filed_again(world: World, filer: Caller, reviewer: Caller) -> None:
    person = world.physician()
    filing, _ = submitted(world, filer, person)
    reviewer.does(reviewed(reviewer, filing), "approve")
    world.later(minutes=1)
    world.import_register([person | {"状态": "注销", "状态起": world.now.date().isoformat(), "状态原因": "离职"}])
    world.later(minutes=1)
    world.import_register([person])
    filing, _ = submitted(world, filer, person)
    assert reviewer.does(reviewed(reviewer, filing), "approve")["state"] == "APPROVED"
    status, answer = world.account("verifier", AUTHORITY).get(
        "/verify", practising_code=person["执业证书编码"], institution=world.internet["登记号"], on=filing["valid_from"]
    )
    assert (status, answer["answer"]) == (200, "authorised")


def test_what_came_back_from_correction_is_deemed_accepted_as_of_its_return(
    world: World, filer: Caller, reviewer: Caller
) -> None:
    filing, _ = submitted(world, filer, world.physician())
    received = world.now.date()
    world.later(days=(date.fromisoformat(filing["clock"]["due"]) - received).days - 1)
    reviewer = world.sign_in(reviewer.name)
    reviewer.does(reviewer.does(filing, "claim"), "return", reasons=[{"code": "R106"}])
    world.later(days=14)
    back = world.now.date()
    filer = world.sign_in(filer.name)
    filing = filer.does(filer.get(f"/filings/{filing['id']}")[1], "resubmit")
    world.later(days=(date.fromisoformat(filing["clock"]["due"]) - back).days + 1)
    assert back + timedelta(days=5) > world.now.date(), "less than a whole limit is left after a correction"
    act_on_due(node(world))
    filing = world.sign_in(filer.name).get(f"/filings/{filing['id']}")[1]
    starts = [line["day"] for line in filing["clock"]["ledger"] if line["what"] == "start"]
    assert filing["state"] == "REVIEW"
    assert starts == [received.isoformat(), back.isoformat()]


def test_an_act_that_does_not_exist_is_named_with_those_that_do(world: World, filer: Caller) -> None:
    filing = filed(world, filer, world.physician())
    status, answer = filer.act(filing, "frob")
    assert (status, [error["field"] for error in answer["errors"]]) == (422, ["act"])
    assert "propose" in answer["errors"][0]["message"]
    status, answer = filer.act(filing, "return")
    assert (status, [error["field"] for error in answer["errors"]]) == (422, ["reasons"])


def test_a_code_that_is_in_no_table_is_named_by_the_tables_own_name(world: World, filer: Caller) -> None:
    body = world.body(world.physician(), world.internet["登记号"], scopes=["心脏科"])
    status, answer = filer.post("/filings", body)
    assert (status, answer["errors"][0]["field"]) == (422, "scopes.0")
    assert answer["errors"][0]["message"].startswith("执业范围")


def test_a_key_of_one_hospital_opens_nothing_to_another(world: World, filer: Caller) -> None:
    body = world.body(world.physician(), world.internet["登记号"])
    assert filer.post("/filings", body, key="the same")[0] == 201
    stranger = world.account("filer", world.hospital("海南省")["登记号"])
    status, answer = stranger.post("/filings", body, key="the same")
    assert (status, answer["code"]) == (409, "refused")


def test_a_list_is_read_page_by_page(world: World, filer: Caller) -> None:
    made = {filed(world, filer, world.physician())["id"] for _ in range(3)}
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while len(seen) < 3:
        status, page = filer.get("/filings", limit=1, **cursor)
        assert status == 200, page
        seen += [item["id"] for item in page["items"]]
        cursor = {"cursor": page["next"]}
    assert set(seen) == made

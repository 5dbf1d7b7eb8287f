"""From the register to a verified practice, one filing at a time, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from auth.actor import OPERATOR
from registry.accounts import grant_role
from registry.authorities.commands import set_setting
from registry.transaction import transaction
from tests.stories import PDF, filed, reviewed, submitted
from tests.world import AUTHORITY, Caller, Row, World


@pytest.fixture
def filer(world: World) -> Caller:
    return world.account("filer", world.internet["登记号"])


@pytest.fixture
def reviewer(world: World) -> Caller:
    return world.account("reviewer", AUTHORITY)


@pytest.fixture
def senior(world: World) -> Caller:
    return world.account("senior", AUTHORITY)


def verified(world: World, person: Row, **more: Any) -> dict[str, Any]:
    verifier = world.account("verifier", AUTHORITY)
    status, answer = verifier.get(
        "/verify",
        practising_code=person["执业证书编码"],
        name=person["姓名"],
        institution=world.internet["登记号"],
        **more,
    )
    assert status == 200, answer
    said: dict[str, Any] = answer
    return said


@pytest.mark.parametrize(("province", "kind"), [("广东省", "XPROV_FILE"), ("海南省", "SITE_FILE")])
def test_a_physician_is_filed_approved_and_verified(
    world: World, filer: Caller, reviewer: Caller, province: str, kind: str
) -> None:
    person = world.physician(province)
    filing, _ = submitted(world, filer, person)
    assert (filing["type"], filing["state"]) == (kind, "SUBMITTED")
    on = filing["valid_from"]
    assert verified(world, person, on=on)["answer"] == "not_authorised"
    filing = reviewer.does(reviewed(reviewer, filing), "approve")
    assert filing["state"] == "APPROVED"
    before, after = verified(world, person), verified(world, person, on=on)
    assert (before["answer"], before["reasons"]) == ("not_authorised", ["not_started"])
    assert after["answer"] == "authorised"
    assert [site["registration_no"] for site in after["sites"] if not site["main"]] == [world.internet["登记号"]]


def test_in_add_reg_mode_the_form_is_a_second_registration(world: World, filer: Caller, reviewer: Caller) -> None:
    person = world.physician()
    with transaction(world.database) as session:
        set_setting(session, OPERATOR, AUTHORITY, "cross_province_mode", "ADD_REG", "Order 13, art. 17", now=world.now)
    try:
        filing, _ = submitted(world, filer, person, valid_from=None, valid_to=None)
        assert filing["type"] == "ADD_REG"
        assert filing["clock"]["kind"] == "statutory"
        filing = reviewer.does(reviewed(reviewer, filing), "approve")
        assert verified(world, person)["answer"] == "authorised"
    finally:
        world.later(seconds=1)
        with transaction(world.database) as session:
            set_setting(
                session, OPERATOR, AUTHORITY, "cross_province_mode", "LOCAL_FILE", "announcement", now=world.now
            )


def test_a_refusal_takes_two_persons_and_reasons(world: World, filer: Caller, reviewer: Caller, senior: Caller) -> None:
    filing, _ = submitted(world, filer, world.physician())
    filing = reviewed(reviewer, filing)
    status, answer = reviewer.act(filing, "refuse", reasons=[{"code": "CONDITIONS_NOT_MET"}])
    assert (status, answer["code"]) == (403, "forbidden")
    filing = reviewer.does(filing, "recommend", decision="refuse", reasons=[{"code": "CONDITIONS_NOT_MET"}])
    assert filing["state"] == "SENIOR"
    filing = senior.does(filing, "claim")
    status, _ = senior.act(filing, "refuse", reasons=[])
    assert status == 422
    filing = senior.does(filing, "refuse", reasons=[{"code": "CONDITIONS_NOT_MET", "note": "见告知书"}])
    assert filing["state"] == "REFUSED"
    assert filing["offers"] == []
    assert [r["code"] for r in filing["reasons"]] == ["CONDITIONS_NOT_MET", "CONDITIONS_NOT_MET"]


def test_a_returned_filing_comes_back_where_it_was(world: World, filer: Caller, reviewer: Caller) -> None:
    filing, _ = submitted(world, filer, world.physician())
    filing = reviewed(reviewer, filing)
    filing = reviewer.does(filing, "return", reasons=[{"code": "R106"}])
    assert (filing["state"], filing["clock"]["paused"]) == ("CORRECTION", True)
    filing = filer.does(filer.get(f"/filings/{filing['id']}")[1], "amend", changes={"schedule": "周一至周五"})
    filing = filer.does(filing, "resubmit")
    assert (filing["state"], filing["clock"]["paused"]) == ("REVIEW", False)
    filing = reviewer.does(filing, "claim")
    assert reviewer.does(filing, "approve")["state"] == "APPROVED"


def test_a_change_after_consent_needs_a_new_consent(world: World, filer: Caller, reviewer: Caller) -> None:
    person = world.physician()
    filing, doctor = submitted(world, filer, person)
    filing = reviewer.does(reviewer.does(filing, "claim"), "return", reasons=[{"code": "R100"}])
    filing = filer.does(filer.get(f"/filings/{filing['id']}")[1], "amend", changes={"valid_to": "2027-12-01"})
    filing = reviewed(reviewer, filer.does(filing, "resubmit"))
    status, answer = reviewer.act(filing, "approve")
    assert (status, [e["code"] for e in answer["errors"]]) == (409, ["R087", "R124", "R125", "R160"])
    shown = doctor.get(f"/filings/{filing['id']}")[1]
    doctor.does(shown, "consent", text_sha256=shown["consent_sha256"])
    filing = reviewer.get(f"/filings/{filing['id']}")[1]
    assert reviewer.does(filing, "approve")["state"] == "APPROVED"


def test_a_second_claim_is_refused_until_the_lease_has_run_out(world: World, filer: Caller, reviewer: Caller) -> None:
    filing, _ = submitted(world, filer, world.physician())
    filing = reviewer.does(filing, "claim")
    second = world.account("reviewer", AUTHORITY)
    status, answer = second.act(filing, "claim")
    assert (status, answer["code"]) == (409, "refused")
    world.later(minutes=31)
    second = world.sign_in(second.name)
    assert second.does(filing, "claim")["claim"]["by"] == second.get("/me")[1]["account"]["id"]


def test_nobody_decides_on_what_they_filed(world: World, reviewer: Caller) -> None:
    both = world.account("filer", world.internet["登记号"])
    filing, _ = submitted(world, both, world.physician())
    with transaction(world.database) as session:
        grant_role(session, both.name, "reviewer", AUTHORITY, now=world.now, demo=True)
    status, answer = both.act(filing, "claim")
    assert (status, answer["errors"][0]["code"]) == (409, "R138")


def test_a_stale_revision_is_refused(world: World, filer: Caller) -> None:
    filing = filed(world, filer, world.physician())
    moved = filer.does(filing, "propose")
    for revision in (0, filing["revision"], moved["revision"] + 1):
        status, answer = filer.act({**moved, "revision": revision}, "withdraw")
        assert (status, answer["code"]) == (409, "stale")


def test_the_main_institution_is_asked_when_it_is_on_the_platform(
    world: World, filer: Caller, reviewer: Caller
) -> None:
    person = world.physician("海南省")
    manager = world.account("manager", person["主要执业机构登记号"])
    filing = filer.does(filed(world, filer, person), "propose")
    assert manager.get(f"/filings/{filing['id']}")[0] == 404
    doctor = world.account("physician", person["主要执业机构登记号"], person)
    shown = doctor.get(f"/filings/{filing['id']}")[1]
    filing = doctor.does(shown, "consent", text_sha256=shown["consent_sha256"])
    assert filing["state"] == "WAIT_MAIN"
    assert reviewer.get(f"/filings/{filing['id']}")[0] == 404
    filing = manager.does(manager.get(f"/filings/{filing['id']}")[1], "agree")
    assert filing["state"] == "SUBMITTED"
    assert reviewer.does(reviewed(reviewer, filing), "approve")["state"] == "APPROVED"


def test_a_physician_files_for_themself_and_the_hospital_confirms(world: World, reviewer: Caller) -> None:
    person, other = world.physician(), world.physician()
    internet = world.internet["登记号"]
    doctor = world.account("physician", person["主要执业机构登记号"], person)
    status, answer = doctor.post("/filings", world.body(other, internet))
    assert (status, answer["code"]) == (409, "refused")
    status, filing = doctor.post("/filings", world.body(person, internet))
    assert status == 201, filing
    manager = world.account("manager", internet)
    assert manager.get(f"/filings/{filing['id']}")[0] == 404
    filing = doctor.does(filing, "propose")
    assert filing["state"] == "WAIT_INST"
    filing = manager.does(manager.get(f"/filings/{filing['id']}")[1], "confirm")
    assert filing["state"] == "SUBMITTED"


def test_without_the_main_institutions_consent_nothing_is_approved(
    world: World, filer: Caller, reviewer: Caller
) -> None:
    person = world.physician()
    filing = filer.does(filed(world, filer, person), "propose")
    doctor = world.account("physician", person["主要执业机构登记号"], person)
    shown = doctor.get(f"/filings/{filing['id']}")[1]
    filing = reviewed(reviewer, doctor.does(shown, "consent", text_sha256=shown["consent_sha256"]))
    status, answer = reviewer.act(filing, "approve")
    assert (status, [e["code"] for e in answer["errors"]]) == (409, ["R082"])
    filer.upload(f"/filings/{filing['id']}/attachments", PDF, kind="main_consent")
    filing = reviewer.get(f"/filings/{filing['id']}")[1]
    assert reviewer.does(filing, "approve")["state"] == "APPROVED"


def test_an_unknown_physician_can_be_drafted_but_not_proposed(world: World, filer: Caller) -> None:
    person = world.physician()
    filing = filed(world, filer, {**person, "姓名": "何某某"})
    assert filing["physician"]["id"] is None
    assert "R022" in {finding["rule"] for finding in filing["findings"] if finding["outcome"] == "return"}
    status, answer = filer.act(filing, "propose")
    assert (status, answer["code"]) == (409, "refused")
    filing = filer.does(filing, "amend", changes={"physician": {"name": person["姓名"]}})
    assert filing["physician"]["id"] is not None
    assert filer.does(filing, "propose")["state"] == "WAIT_PHYSICIAN"


def test_a_suspension_imported_later_reaches_the_site_and_is_known_only_from_then(
    world: World, filer: Caller, reviewer: Caller
) -> None:
    person = world.physician()
    filing, _ = submitted(world, filer, person, valid_from=world.now.date().isoformat())
    reviewer.does(reviewed(reviewer, filing), "approve")
    world.later(days=3)
    known, on = world.now.isoformat(), world.now.date().isoformat()
    assert verified(world, person, on=on)["answer"] == "authorised"
    world.later(days=2)
    report = world.import_register([{**person, "状态": "暂停", "状态起": on, "状态止": "2027-03-01"}])
    assert report.changed == 1
    assert verified(world, person, on=on)["answer"] == "suspended"
    assert verified(world, person, on=on, as_known_on=known)["answer"] == "authorised"
    auditor = world.account("auditor", AUTHORITY)
    found = auditor.get("/physicians", practising_code=person["执业证书编码"])[1]["items"][0]
    sites = auditor.get(f"/physicians/{found['id']}/sites")[1]["items"]
    assert {site["state"] for site in sites if not site["main"]} >= {"SUSPENDED"}


def test_the_physician_learns_who_asked_and_why(world: World) -> None:
    person = world.physician()
    verifier = world.account("verifier", AUTHORITY)
    status, _ = verifier.get(
        "/verify", practising_code=person["执业证书编码"], institution=person["主要执业机构登记号"]
    )
    assert status == 200
    doctor = world.account("physician", person["主要执业机构登记号"], person)
    me = doctor.get("/physicians", practising_code=person["执业证书编码"])[1]["items"][0]
    asked = doctor.get(f"/physicians/{me['id']}/access")[1]["items"]
    assert [(a["purpose"], a["answer"]) for a in asked] == [("unstated", "authorised")]

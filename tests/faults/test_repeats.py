"""The same submission again and again: one filing, one answer (R18)."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
import sqlalchemy as sa

from tests.faults.conftest import Report
from tests.faults.serving import insist, passing
from tests.world import Caller, World


@pytest.mark.parametrize(("clients", "keys"), [(10, 20), pytest.param(20, 100, marks=pytest.mark.soak)])
def test_many_clients_with_the_same_keys_make_one_filing_each(
    world: World, clients: int, keys: int, report: Report
) -> None:
    internet = world.internet["登记号"]
    filer = world.account("filer", internet)
    bodies = {str(uuid.uuid4()): world.body(person, internet) for person in world.register[-keys:]}
    before = filings(world)

    def submit(_client: int) -> list[httpx2.Response]:
        return [insist(filer, "/filings", body, key) for key, body in bodies.items()]

    with ThreadPoolExecutor(clients) as threads:
        answers = list(threads.map(submit, range(clients)))
    for same in zip(*answers, strict=True):
        assert {answer.status_code for answer in same} == {201}
        assert len({answer.content for answer in same}) == 1
    assert filings(world) == before + keys
    report(
        "the same keys from many clients at once",
        f"{clients} clients × {keys} keys: {keys} filings, {clients * keys} equal answers",
    )


def test_another_body_under_a_used_key_is_refused_at_once_and_later(world: World) -> None:
    internet = world.internet["登记号"]
    filer, key = world.account("filer", internet), str(uuid.uuid4())
    one, other = world.body(world.register[-1], internet), world.body(world.register[-2], internet)
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda n: insist(filer, "/filings", (one, other)[n % 2], key), range(8)))
    assert sorted({answer.status_code for answer in answers}) == [201, 422]
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 201}) == 1
    refused = next(answer for answer in answers if answer.status_code == 422)
    assert [error["code"] for error in refused.json()["errors"]] == ["reused"]


def test_the_same_act_under_one_key_is_done_once_and_is_never_stale(world: World) -> None:
    filer = world.account("filer", world.internet["登记号"])
    status, filing = filer.post("/filings", world.body(world.register[-1], world.internet["登记号"]))
    assert status == 201
    body, key = {"act": "withdraw", "revision": filing["revision"]}, str(uuid.uuid4())
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: insist(filer, f"/filings/{filing['id']}/acts", body, key), range(8)))
    assert {(answer.status_code, answer.content) for answer in answers} == {(200, answers[0].content)}


def test_a_request_in_flight_is_told_from_one_that_is_done(world: World) -> None:
    filer, key = world.account("filer", world.internet["登记号"]), str(uuid.uuid4())
    body = world.body(world.register[-1], world.internet["登记号"])
    with ThreadPoolExecutor(6) as threads:
        first = list(threads.map(lambda _: ask(filer, body, key), range(6)))
    assert all(answer.status_code == 201 or passing(answer) for answer in first)
    assert insist(filer, "/filings", body, key).status_code == 201


def ask(filer: Caller, body: object, key: str) -> httpx2.Response:
    return filer.ask("/filings", body, key=key)


def filings(world: World) -> int:
    with world.database.engine.connect() as connection:
        count: int = connection.execute(sa.text("select count(*) from filing")).scalar_one()
        return count

"""No answer without its record: the records commit in groups, and who waits is told the truth."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient
from sqlmodel import Session, col, func, select

from registry.database import new_id
from registry.errors import Unavailable
from registry.log.tables import AuditEvent
from registry.transaction import app_options
from registry.verification import groups
from registry.verification.access import Access, AccessLog
from registry.verification.tables import AccessRecord
from tests.registry.verification.conftest import HOSPITAL, NOW, Register


def record(code: str, **changed: Any) -> Access:
    made = Access(
        id=str(new_id()),
        at=NOW,
        asked_by="test",
        organisation=HOSPITAL,
        purpose="unstated",
        physician_id=None,
        practising_code=code,
        institution=None,
        scope=None,
        valid_on=NOW.date(),
        answer="unknown",
        receipt_jti="test",
    )
    return made._replace(**changed)


def kept(register: Register, code: str) -> int:
    with Session(register.database.engine) as session:
        return session.exec(select(func.count()).where(AccessRecord.practising_code == code)).one()


def terminate(register: Register) -> None:
    with register.database.owner_engine.begin() as connection:
        connection.exec_driver_sql(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'registry-access'"
            " and datname = current_database()"
        )


@contextmanager
def closed(register: Register) -> Iterator[None]:
    """While the table of records takes none."""
    with register.database.owner_engine.begin() as connection:
        connection.exec_driver_sql("revoke insert on access_record from registry_app")
    yield
    with register.database.owner_engine.begin() as connection:
        connection.exec_driver_sql("grant insert on access_record to registry_app")


@pytest.fixture
async def log(register: Register) -> AsyncIterator[AccessLog]:
    url = register.database.app_url
    log = AccessLog(url, app_options(url))
    log.open()
    yield log
    await log.close()


async def test_whoever_is_told_kept_is_kept(log: AccessLog, register: Register) -> None:
    await log.keep(record("kept-one"))
    assert kept(register, "kept-one") == 1


async def test_records_that_wait_together_commit_together(log: AccessLog, register: Register) -> None:
    await log.keep(record("kept-first"))  # the connection stands
    await asyncio.gather(*(log.keep(record("kept-together")) for _ in range(200)))
    with Session(register.database.engine) as session:
        transactions = session.connection().exec_driver_sql(
            "select count(distinct xmin::text) from access_record where practising_code = 'kept-together'"
        )
        assert transactions.scalar_one() == 1
    assert kept(register, "kept-together") == 200


async def test_a_batch_is_one_event_and_done_twice_it_is_done_once(log: AccessLog, register: Register) -> None:
    events = select(func.count()).select_from(AuditEvent).where(col(AuditEvent.type) == "access.keep")
    records = [record("kept-once") for _ in range(3)]
    with Session(register.database.engine) as session:
        before = session.exec(events).one()
        for _ in range(2):
            await log._write([*records])
        assert session.exec(events).one() == before + 1
    assert kept(register, "kept-once") == 3


async def test_a_batch_that_fails_fails_every_asker_and_the_next_one_is_kept(
    log: AccessLog, register: Register
) -> None:
    good, bad = log.keep(record("failed")), log.keep(record("failed", valid_on="no day"))
    told = await asyncio.gather(good, bad, return_exceptions=True)
    assert [type(error) for error in told] == [Unavailable, Unavailable]
    assert kept(register, "failed") == 0
    await log.keep(record("kept-after-failure"))
    assert kept(register, "kept-after-failure") == 1


async def test_a_connection_that_was_cut_while_it_rested_costs_no_record(log: AccessLog, register: Register) -> None:
    await log.keep(record("before-kill"))
    terminate(register)
    await log.keep(record("after-kill"))
    assert kept(register, "after-kill") == 1


async def test_without_a_database_nobody_is_answered_and_the_queue_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "QUEUE", 3)
    log = AccessLog("postgresql://nobody@127.0.0.1:1/none", "")
    with pytest.raises(Unavailable):
        log.keep(record("closed"))
    log.open()
    waiting = [log.keep(record("nowhere")) for _ in range(3)]
    with pytest.raises(Unavailable):
        log.keep(record("nowhere"))
    assert {type(told) for told in await asyncio.gather(*waiting, return_exceptions=True)} == {Unavailable}
    await log.close()


async def test_closing_tells_whoever_still_waits(register: Register) -> None:
    log = AccessLog(register.database.app_url, "")
    log.open()
    waiting = log.keep(record("closed-too-early"))
    await log.close()
    with pytest.raises(Unavailable):
        await waiting
    assert kept(register, "closed-too-early") == 0


def test_an_answer_whose_record_is_lost_is_not_given(
    http: TestClient, register: Register, verifier: dict[str, str]
) -> None:
    question = {"practising_code": register.physician(), "name": "王伟"}
    assert http.get("/api/v1/verify", params=question, headers=verifier).status_code == 200
    with closed(register):
        lost = http.get("/api/v1/verify", params=question, headers=verifier)
    assert lost.status_code == 503
    assert lost.headers["retry-after"] == "5"
    assert "王伟" not in lost.text
    assert kept(register, question["practising_code"]) == 1
    assert http.get("/api/v1/verify", params=question, headers=verifier).status_code == 200


def test_records_are_only_ever_added(register: Register) -> None:
    with register.database.engine.begin() as connection, pytest.raises(Exception) as refused:
        connection.exec_driver_sql("update access_record set answer = 'authorised'")
    assert isinstance(refused.value.__cause__, psycopg.errors.InsufficientPrivilege)

"""The connection dies around COMMIT: nobody but the key knows whether it was done (R12)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from registry.app import create_app
from registry.node import Node
from registry.transaction import Database
from tests.faults.proxy import Cut, Wire
from tests.faults.serving import insist
from tests.stories import reviewed, submitted
from tests.world import AUTHORITY, Caller, World


@pytest.fixture
def wire(world: World) -> Iterator[Wire]:
    with Wire(world.database.app_url).open() as wire:
        yield wire


@pytest.fixture
def wired(world: World, wire: Wire) -> Iterator[World]:
    """The same province; its application talks to the database over the wire."""
    database = Database(world.database.owner_url, wire.address())
    app = create_app(Node(world.app.state.settings, database, world.clock))
    with TestClient(app, raise_server_exceptions=False) as http:
        yield replace(world, app=app, http=http)


def over(wired: World, caller: Caller) -> Caller:
    return Caller(wired, caller.name, caller.token)


def events(world: World, filing: str) -> list[str]:
    query = sa.text("select type from audit_event where subject_id = :id order by seq")
    with world.database.engine.connect() as connection:
        return list(connection.execute(query, {"id": filing}).scalars())


@pytest.mark.parametrize("cut", Cut)
def test_a_client_learns_by_its_key_whether_its_filing_was_made(
    world: World, wired: World, wire: Wire, cut: Cut
) -> None:
    filer = over(wired, world.account("filer", world.internet["登记号"]))
    body, key = world.body(world.register[-1], world.internet["登记号"]), str(uuid.uuid4())
    keys = sa.text("select count(*) from keyed_answer where key = :key")
    wire.cuts.append(cut)
    first = filer.ask("/filings", body, key=key)
    assert (first.status_code, first.json()["code"]) == (503, "unavailable")
    assert first.headers["Retry-After"].isdigit()
    with world.database.engine.connect() as connection:
        assert connection.execute(keys, {"key": key}).scalar_one() == (cut is Cut.AFTER)
    again = insist(filer, "/filings", body, key)
    assert again.status_code == 201
    assert insist(filer, "/filings", body, key).content == again.content
    assert events(world, again.json()["id"]) == ["filing.create"]


@pytest.mark.parametrize("cut", Cut)
def test_an_approval_whose_commit_is_unknown_is_done_once(world: World, wired: World, wire: Wire, cut: Cut) -> None:
    reviewer = world.account("reviewer", AUTHORITY)
    filing, _ = submitted(world, world.account("filer", world.internet["登记号"]), world.physician("海南省"))
    filing = reviewed(reviewer, filing)
    body, key, path = (
        {"act": "approve", "revision": filing["revision"]},
        str(uuid.uuid4()),
        f"/filings/{filing['id']}/acts",
    )
    wire.cuts.append(cut)
    assert over(wired, reviewer).ask(path, body, key=key).status_code == 503
    answer = insist(over(wired, reviewer), path, body, key)
    assert (answer.status_code, answer.json()["state"]) == (200, "APPROVED")
    assert events(world, filing["id"]).count("filing.approve") == 1

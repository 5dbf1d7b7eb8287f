"""What waits together is done together, and nobody gets another's answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from auth import tokens
from auth.keys import KeyStore, Purpose
from auth.roles import Role
from auth.tables import SignIn
from registry.errors import Unavailable
from registry.transaction import transaction
from registry.verification.desk import Desk
from registry.verification.groups import Group
from registry.verification.question import Question
from tests.registry.verification.conftest import NOW, Register
from workflows.text import Text

GONE = Text("稍后重试。", "Try again.")


async def test_batches_grow_while_one_is_under_way_and_keep_their_order() -> None:
    begun, go, batches = asyncio.Event(), asyncio.Event(), []

    async def double(items: list[int]) -> list[int]:
        batches.append(items)
        begun.set()
        await go.wait()
        return [2 * item for item in items]

    group: Group[int, int] = Group(double, "test", GONE)
    group.open()
    first = group.ask(0)
    await begun.wait()
    others = [group.ask(number) for number in range(1, 6)]
    go.set()
    assert await asyncio.gather(first, *others) == [0, 2, 4, 6, 8, 10]
    assert batches == [[0], [1, 2, 3, 4, 5]]
    await group.close()


async def test_whoever_goes_away_takes_nobody_along() -> None:
    async def echo(items: list[int]) -> list[int]:
        return items

    group: Group[int, int] = Group(echo, "test", GONE)
    group.open()
    gone, stays = group.ask(1), group.ask(2)
    gone.cancel()
    assert await stays == 2
    await group.close()
    with pytest.raises(Unavailable):
        group.ask(3)


@pytest.fixture
async def desk(register: Register, keys: KeyStore) -> AsyncIterator[Desk]:
    desk = Desk(register.database, keys, issuer="https://registry.test", province="46", clock=lambda: NOW)
    await desk.open()
    yield desk
    await desk.close()


async def test_questions_of_one_batch_are_never_confused(desk: Desk, register: Register, keys: KeyStore) -> None:
    names = ["王伟", "李娜", "阿不都·热合曼", "欧阳锋"]
    codes = [register.physician(name) for name in names]
    person = desk.callers.claims(register.bearer(keys, Role.FILER, "16099382211010011A1001")["Authorization"], NOW)
    machine = desk.callers.claims(register.machine(keys, "verify", "test")["Authorization"], NOW)
    ended = tokens.read(
        register.bearer(keys, Role.VERIFIER, "460000")["Authorization"][7:],
        keys.verifying(Purpose.TOKEN, NOW),
        tokens.Realm("https://registry.test"),
        NOW,
    )
    with transaction(register.database) as session:
        session.get_one(SignIn, ended.sign_in).ended_at = NOW
    asked = [
        (claims, Question(code, "", None, None, NOW.date(), None))
        for claims in (machine, ended, person)
        for code in (*codes, "none")
    ]
    found = await asyncio.gather(*(desk.look_up(claims, question, NOW) for claims, question in asked))
    for (claims, question), answered in zip(asked, found, strict=True):
        if claims is ended:
            assert answered is None
            continue
        assert answered
        actor, facts = answered
        assert (actor.id, actor.kind) == (str(claims.subject), claims.kind)
        if question.practising_code == "none":
            assert facts is None
        else:
            assert facts
            assert facts.name == names[codes.index(question.practising_code)]

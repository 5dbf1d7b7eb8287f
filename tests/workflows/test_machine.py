"""What a table is refused for, and what a sound one answers."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import Any

import pytest

from auth.actor import SYSTEM, Actor, ActorKind
from auth.roles import Role
from tests.workflows.cases import person
from workflows.machine import SAME, BrokenTable, Choice, Forbidden, Machine, Party, Refusal, Refused, Transition
from workflows.text import Text


class S(StrEnum):
    OPEN = "open"
    SHUT = "shut"
    LOST = "lost"


class A(StrEnum):
    CLOSE = "close"
    KNOCK = "knock"


class E(StrEnum):
    RING = "ring"


class OtherE(StrEnum):
    SING = "sing"


NAMES = Text("名称", "name")
FILER = Party[bool]("filer", Text("经办人", "a filer"), lambda facts, _actor: facts, frozenset({Role.FILER}))
MANAGER = Party[bool]("manager", Text("管理员", "a manager"), lambda _f, _a: True, frozenset({Role.MANAGER}))
CLOCK = Party[bool]("clock", Text("时钟", "the clock"), lambda _f, _a: True, kind=ActorKind.SYSTEM)
Row = Transition[S, A, Any, bool]
CLOSE = Row(A.CLOSE, {S.OPEN}, S.SHUT, (FILER,), effects=(E.RING,))
KNOCK = Row(A.KNOCK, {S.OPEN}, SAME, (CLOCK,))


def door(*table: Row, **changes: Any) -> Machine[S, A, Any, bool]:
    parts: dict[str, Any] = {
        "name": "door",
        "initial": S.OPEN,
        "final": frozenset({S.SHUT}),
        "effects": E,
        "states": dict.fromkeys(S, NAMES),
        "acts": {row.act: NAMES for row in table},
        "table": table,
    }
    return Machine(**parts | changes)


def test_a_sound_table_is_built() -> None:
    assert door(CLOSE, KNOCK).rows(S.OPEN, A.CLOSE) == (CLOSE,)


@pytest.mark.parametrize(
    ("table", "changes", "fault"),
    [
        pytest.param((CLOSE, CLOSE), {}, "two rows for open close filer", id="two rows for one state, act and role"),
        pytest.param((KNOCK,), {}, "no way from open to an end", id="a state with no way out"),
        pytest.param((CLOSE,), {"final": frozenset({S.SHUT, S.LOST})}, "nothing reaches lost", id="unreachable end"),
        pytest.param(
            (CLOSE, Row(A.KNOCK, {S.LOST}, S.SHUT, (FILER,))), {}, "nothing reaches lost", id="unreachable state"
        ),
        pytest.param(
            (CLOSE, Row(A.KNOCK, {S.SHUT}, S.OPEN, (FILER,))), {}, "a way out of the final state shut", id="no end"
        ),
        pytest.param((replace(CLOSE, effects=(OtherE.SING,)),), {}, "unknown effect sing", id="unknown effect"),
        pytest.param(
            (replace(CLOSE, to=Choice("which", NAMES, lambda _f: S.SHUT, {S.SHUT: (OtherE.SING,)})),),
            {},
            "unknown effect sing",
            id="unknown effect of a choice",
        ),
        pytest.param((replace(CLOSE, by=()),), {}, "close has no source or nobody", id="nobody may do it"),
        pytest.param((CLOSE,), {"acts": {}}, "the act close has no name", id="nameless act"),
        pytest.param((CLOSE,), {"acts": dict.fromkeys(A, NAMES)}, "the act knock has no row", id="act without a row"),
        pytest.param((CLOSE,), {"states": {S.OPEN: NAMES}}, "the state shut has no name", id="nameless state"),
    ],
)
def test_a_broken_table_is_refused_when_it_is_built(
    table: tuple[Row, ...], changes: dict[str, Any], fault: str
) -> None:
    with pytest.raises(BrokenTable, match=fault):
        door(*table, **changes)


def test_a_state_that_only_leads_in_circles_is_refused() -> None:
    circle = Row(A.KNOCK, {S.OPEN, S.LOST}, Choice("which", NAMES, lambda _f: S.LOST, {S.LOST: ()}), (CLOCK,))
    with pytest.raises(BrokenTable, match="no way from lost to an end"):
        door(CLOSE, circle)


def test_rows_for_different_roles_are_two_rows() -> None:
    assert len(door(CLOSE, replace(CLOSE, by=(MANAGER,)), replace(CLOSE, by=(CLOCK,))).table) == 3


def test_who_can_never_do_an_act_is_forbidden_and_who_cannot_now_is_refused() -> None:
    machine, filer = door(CLOSE, KNOCK), person("filer", (Role.FILER, "x"))
    verifier = person("verifier", (Role.VERIFIER, "x"))
    with pytest.raises(Forbidden):
        machine.decide(S.OPEN, A.CLOSE, verifier, facts=True, body={})
    with pytest.raises(Forbidden):
        machine.decide(S.OPEN, A.KNOCK, filer, facts=True, body={})
    with pytest.raises(Refused, match="not_yours: Reserved to a filer"):
        machine.decide(S.OPEN, A.CLOSE, filer, facts=False, body={})
    with pytest.raises(Refused, match="not_from_here"):
        machine.decide(S.SHUT, A.CLOSE, filer, facts=True, body={})


def test_a_machine_client_without_roles_is_not_taken_for_the_clock() -> None:
    client = Actor(ActorKind.CLIENT, "c", "c")
    with pytest.raises(Forbidden):
        door(CLOSE, KNOCK).decide(S.OPEN, A.KNOCK, client, facts=True, body={})
    assert door(CLOSE, KNOCK).decide(S.OPEN, A.KNOCK, SYSTEM, facts=True, body={}).to is S.OPEN


@pytest.mark.parametrize("body", [{}, {"reasons": []}, {"reasons": None}])
def test_an_act_that_must_be_explained_is_refused_without_reasons(body: dict[str, object]) -> None:
    machine = door(replace(CLOSE, reason=True))
    with pytest.raises(Refused, match="reasons is required"):
        machine.decide(S.OPEN, A.CLOSE, person("filer", (Role.FILER, "x")), facts=True, body=body)


def test_a_choice_brings_its_own_effects() -> None:
    machine = door(replace(CLOSE, effects=(), to=Choice("which", NAMES, lambda _f: S.SHUT, {S.SHUT: (E.RING,)})))
    move = machine.decide(S.OPEN, A.CLOSE, person("filer", (Role.FILER, "x")), facts=True, body={})
    assert (move.to, move.effects) == (S.SHUT, (E.RING,))


def test_the_places_of_a_refusal_are_filled_in_both_languages() -> None:
    template = Refusal("stopped", Text("因{rules}", "by {rules}"))
    filled = template.of("R001", rules=Text("甲、乙", "A, B"))
    assert (filled.text, filled.rules, filled.code) == (Text("因甲、乙", "by A, B"), ("R001",), "stopped")

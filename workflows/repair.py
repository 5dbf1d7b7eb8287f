"""The life of a repair: what was decided wrongly is put right by two people, in the open, and nothing is taken back unseen."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from auth.actor import Actor
from auth.roles import Role
from workflows.machine import Machine, Party, Refusal, Transition
from workflows.text import Text


class State(StrEnum):
    PROPOSED = "proposed"
    DONE = "done"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class Act(StrEnum):
    SIGN = "sign"
    DECLINE = "decline"
    WITHDRAW = "withdraw"


class Effect(StrEnum):
    CARRY_OUT = "carry_out"


class Kind(StrEnum):
    """What can be repaired. More days than were approved are a new filing, never a repair."""

    REVERSE = "reverse"  # the approval was wrong: its site is taken away, from a day on or from its first
    REDATE = "redate"  # the days were wrong: those outside the right ones are taken away


@dataclass(frozen=True)
class RepairFacts:
    authority: str
    proposed_by: str


def _signs(repair: RepairFacts, actor: Actor) -> bool:
    return actor.holds(Role.LEAD, repair.authority)


def _proposed(repair: RepairFacts, actor: Actor) -> bool:
    return actor.id == repair.proposed_by


LEAD: Final = Party(
    "lead", Text("决定机关的负责人", "a lead of the authority that decided"), _signs, frozenset({Role.LEAD})
)
PROPOSER: Final = Party(
    "proposer", Text("提出人", "whoever proposed it"), _proposed, frozenset({Role.SENIOR, Role.LEAD})
)

OWN_PROPOSAL = Refusal("own_proposal", Text("提出人不能自行签批。", "Whoever proposed it cannot sign it."))


def is_a_second_person(repair: RepairFacts, actor: Actor) -> Refusal | None:
    return OWN_PROPOSAL if actor.id == repair.proposed_by else None


Row = Transition[State, Act, Effect, RepairFacts]
_OPEN = frozenset({State.PROPOSED})

REPAIR: Final = Machine(
    name="repair",
    initial=State.PROPOSED,
    final=frozenset({State.DONE, State.DECLINED, State.WITHDRAWN}),
    effects=Effect,
    states={
        State.PROPOSED: Text("待签批", "Proposed"),
        State.DONE: Text("已执行", "Done"),
        State.DECLINED: Text("未同意", "Declined"),
        State.WITHDRAWN: Text("已撤回", "Withdrawn"),
    },
    acts={
        Act.SIGN: Text("签批", "Sign"),
        Act.DECLINE: Text("不同意", "Decline"),
        Act.WITHDRAW: Text("撤回", "Withdraw"),
    },
    table=(
        Row(Act.SIGN, _OPEN, State.DONE, (LEAD,), (is_a_second_person,), (Effect.CARRY_OUT,)),
        Row(Act.DECLINE, _OPEN, State.DECLINED, (LEAD,), (is_a_second_person,)),
        Row(Act.WITHDRAW, _OPEN, State.WITHDRAWN, (PROPOSER,)),
    ),
)

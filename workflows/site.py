"""The life of an authorised additional practice, one row per move.

Here the register moves it: what befalls the registration that a site rests on befalls the site. 暂停, 注销, 吊销 and 撤销
are four different things; the cause says which.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from auth.actor import SYSTEM, Actor, ActorKind
from workflows.machine import Body, Machine, Party, Refusal, Refused, Transition
from workflows.rules.facts import RegistrationStatus
from workflows.text import Text


class State(StrEnum):
    """Every state a site can be in. A site whose days are over stays EFFECTIVE for those days."""

    EFFECTIVE = "EFFECTIVE"
    SUSPENDED = "SUSPENDED"
    ENDED = "ENDED"
    EXPIRED = "EXPIRED"
    LAPSED = "LAPSED"
    REVOKED = "REVOKED"


class Act(StrEnum):
    SUSPEND = "suspend"
    RESTORE = "restore"
    LAPSE = "lapse"


class Effect(StrEnum):
    KEEP_CAUSE = "keep_cause"


@dataclass(frozen=True)
class SiteFacts:
    """`cause` is what put the site into its present state."""

    cause: str | None = None


REGISTER: Final = "register"  # causes that the register gave begin with it: register:SUSPENDED

NOT_BY_THE_REGISTER = Refusal(
    "not_by_the_register",
    Text("该机构执业并非因注册状态暂停，不能随注册恢复。", "It was not the register that suspended this practice."),
)


def cause_of(status: RegistrationStatus) -> str:
    """The cause kept with a state that the register brought about."""
    return f"{REGISTER}:{status}"


def _is_the_clock(_site: SiteFacts, actor: Actor) -> bool:
    return actor.kind is ActorKind.SYSTEM


def was_suspended_by_the_register(site: SiteFacts, _actor: Actor) -> Refusal | None:
    return None if (site.cause or "").startswith(f"{REGISTER}:") else NOT_BY_THE_REGISTER


IMPORT: Final = Party("register", Text("注册信息更新", "the register"), _is_the_clock, kind=ActorKind.SYSTEM)

Row = Transition[State, Act, Effect, SiteFacts]
S, A, E = State, Act, Effect

SITE: Final = Machine(
    name="site",
    initial=S.EFFECTIVE,
    final=frozenset({S.LAPSED}),
    effects=Effect,
    states={
        S.EFFECTIVE: Text("生效中", "In force"),
        S.SUSPENDED: Text("已暂停", "Suspended"),
        S.ENDED: Text("已取消备案", "Ended by a party"),
        S.EXPIRED: Text("到期失效", "Expired"),
        S.LAPSED: Text("因注册失效而终止", "Lapsed with the registration"),
        S.REVOKED: Text("撤销备案", "Revoked by the authority"),
    },
    acts={
        A.SUSPEND: Text("暂停", "Suspend"),
        A.RESTORE: Text("恢复", "Restore"),
        A.LAPSE: Text("因注册失效终止", "Lapse"),
    },
    table=(
        Row(A.SUSPEND, {S.EFFECTIVE}, S.SUSPENDED, (IMPORT,), (), (E.KEEP_CAUSE,), body=("cause",)),
        Row(
            A.RESTORE,
            {S.SUSPENDED},
            S.EFFECTIVE,
            (IMPORT,),
            (was_suspended_by_the_register,),
            (E.KEEP_CAUSE,),
            body=("cause",),
        ),
        Row(A.LAPSE, {S.EFFECTIVE, S.SUSPENDED}, S.LAPSED, (IMPORT,), (), (E.KEEP_CAUSE,), body=("cause",)),
    ),
)

FOLLOWING: Final[dict[RegistrationStatus, Act]] = {
    RegistrationStatus.ACTIVE: Act.RESTORE,
    RegistrationStatus.SUSPENDED: Act.SUSPEND,
    RegistrationStatus.CANCELLED: Act.LAPSE,
    RegistrationStatus.REVOKED: Act.LAPSE,
    RegistrationStatus.WITHDRAWN: Act.LAPSE,
}


def follow(state: State, cause: str | None, status: RegistrationStatus) -> State:
    """Where a site in `state`, put there by `cause`, stands once its registration has `status`.

    Unchanged where the table has no move. An import that works on sets joins the pairs this gives.
    """
    body: Body = {"cause": cause_of(status)}
    try:
        return SITE.decide(state, FOLLOWING[status], SYSTEM, SiteFacts(cause), body).to
    except Refused:
        return state

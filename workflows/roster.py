"""The life of an uploaded roster. Nothing is all or nothing: every row goes its own way, and the file can rest at any time."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from auth.actor import Actor, ActorKind
from auth.roles import Role
from workflows.machine import SAME, Choice, Machine, Party, Refusal, Transition
from workflows.text import Text


class State(StrEnum):
    RECEIVED = "received"
    PARSING = "parsing"
    MAPPING = "mapping"
    JUDGING = "judging"
    JUDGED = "judged"
    FILING = "filing"
    FILED = "filed"
    SUBMITTED = "submitted"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    FAILED = "failed"


class Act(StrEnum):
    PARSE = "parse"
    MAP = "map"
    JUDGE = "judge"
    FINISH_JUDGING = "finish_judging"
    FILE = "file"
    FINISH_FILING = "finish_filing"
    ATTEST = "attest"
    SUBMIT = "submit"
    FAIL = "fail"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"


class Effect(StrEnum):
    BEGIN_STAGE = "begin_stage"  # from the first row; progress is counted from here
    TAKE_UP = "take_up"  # where it rested; rate and time left are counted from here
    KEEP_FILER = "keep_filer"
    KEEP_ATTESTATION = "keep_attestation"
    KEEP_RESTING = "keep_resting"  # what a pause goes back to
    KEEP_FAULT = "keep_fault"


@dataclass(frozen=True)
class RosterFacts:
    institution: str  # registration number
    filed_by: str | None
    attested_by: str | None
    resting: State | None
    attested_consent: bool  # the authority allows it (setting attested_consent)


def _of_the_hospital(roster: RosterFacts, actor: Actor) -> bool:
    return roster.institution in actor.organisations(Role.FILER, Role.MANAGER)


def _manages(roster: RosterFacts, actor: Actor) -> bool:
    return actor.holds(Role.MANAGER, roster.institution)


def _is_the_worker(_roster: RosterFacts, actor: Actor) -> bool:
    return actor.kind is ActorKind.SYSTEM


HOSPITAL: Final = Party(
    "hospital",
    Text("上传机构的经办人或管理员", "the filers and managers of the uploading institution"),
    _of_the_hospital,
    frozenset({Role.FILER, Role.MANAGER}),
)
MANAGER: Final = Party(
    "manager", Text("上传机构的管理员", "a manager of the uploading institution"), _manages, frozenset({Role.MANAGER})
)
WORKER: Final = Party("worker", Text("后台任务", "the worker"), _is_the_worker, kind=ActorKind.SYSTEM)

NOT_ALLOWED = Refusal(
    "attestation_not_allowed",
    Text(
        "受理机关未允许机构承诺代替本人逐一确认，请逐一发送本人确认。",
        "The authority does not accept an attestation; ask each physician to consent.",
    ),
    ("R124",),
)
OWN_ROSTER = Refusal(
    "own_roster",
    Text("不能由申报人本人作出承诺，请由另一位管理员办理。", "Whoever filed it cannot attest it."),
    ("R139",),
)
ATTESTED_ALREADY = Refusal("attested_already", Text("已作出承诺。", "It is attested already."))


def attestation_is_allowed(roster: RosterFacts, _actor: Actor) -> Refusal | None:
    return None if roster.attested_consent else NOT_ALLOWED


def is_not_who_filed(roster: RosterFacts, actor: Actor) -> Refusal | None:
    return OWN_ROSTER if actor.id == roster.filed_by else None


def is_not_attested(roster: RosterFacts, _actor: Actor) -> Refusal | None:
    return ATTESTED_ALREADY if roster.attested_by else None


def where_it_rested(roster: RosterFacts) -> State:
    return roster.resting or State.RECEIVED


S, A, E = State, Act, Effect
Row = Transition[State, Act, Effect, RosterFacts]

AT_WORK: Final = frozenset({S.RECEIVED, S.PARSING, S.MAPPING, S.JUDGING, S.FILING})

RESUMED: Choice[State, Effect, RosterFacts] = Choice(
    "rested",
    Text("暂停前的状态", "where it rested"),
    where_it_rested,
    dict.fromkeys(sorted(AT_WORK), (E.TAKE_UP,)),
)

ROSTER: Final = Machine(
    name="roster",
    initial=S.RECEIVED,
    final=frozenset({S.SUBMITTED, S.CANCELLED, S.FAILED}),
    effects=Effect,
    states={
        S.RECEIVED: Text("已接收", "Received"),
        S.PARSING: Text("读取中", "Reading the file"),
        S.MAPPING: Text("匹配列", "Matching its columns"),
        S.JUDGING: Text("核验中", "Judging its rows"),
        S.JUDGED: Text("核验完成", "Judged"),
        S.FILING: Text("申报中", "Filing"),
        S.FILED: Text("已申报", "Filed"),
        S.SUBMITTED: Text("已提交", "Submitted"),
        S.PAUSED: Text("已暂停", "Paused"),
        S.CANCELLED: Text("已取消", "Cancelled"),
        S.FAILED: Text("无法处理", "Failed"),
    },
    acts={
        A.PARSE: Text("读取", "Read"),
        A.MAP: Text("匹配列", "Match columns"),
        A.JUDGE: Text("核验", "Judge"),
        A.FINISH_JUDGING: Text("核验完成", "Finish judging"),
        A.FILE: Text("申报", "File"),
        A.FINISH_FILING: Text("申报完成", "Finish filing"),
        A.ATTEST: Text("机构承诺", "Attest"),
        A.SUBMIT: Text("提交", "Submit"),
        A.FAIL: Text("终止", "Fail"),
        A.PAUSE: Text("暂停", "Pause"),
        A.RESUME: Text("继续", "Resume"),
        A.CANCEL: Text("取消", "Cancel"),
    },
    table=(
        Row(A.PARSE, frozenset({S.RECEIVED}), S.PARSING, (WORKER,), (), (E.BEGIN_STAGE,)),
        Row(A.MAP, frozenset({S.PARSING}), S.MAPPING, (WORKER,)),
        Row(A.JUDGE, frozenset({S.MAPPING}), S.JUDGING, (WORKER,), (), (E.BEGIN_STAGE,)),
        Row(A.FINISH_JUDGING, frozenset({S.JUDGING}), S.JUDGED, (WORKER,)),
        Row(A.FILE, frozenset({S.JUDGED}), S.FILING, (HOSPITAL,), (), (E.KEEP_FILER, E.BEGIN_STAGE)),
        Row(A.FINISH_FILING, frozenset({S.FILING}), S.FILED, (WORKER,), (), (E.BEGIN_STAGE,)),
        Row(
            A.ATTEST,
            frozenset({S.FILING, S.FILED}),
            SAME,
            (MANAGER,),
            (attestation_is_allowed, is_not_who_filed, is_not_attested),
            (E.KEEP_ATTESTATION,),
        ),
        Row(A.SUBMIT, frozenset({S.FILED}), S.SUBMITTED, (WORKER,)),
        Row(A.FAIL, AT_WORK | {S.FILED}, S.FAILED, (WORKER,), (), (E.KEEP_FAULT, E.BEGIN_STAGE)),
        Row(A.PAUSE, AT_WORK, S.PAUSED, (HOSPITAL,), (), (E.KEEP_RESTING,)),
        Row(A.RESUME, frozenset({S.PAUSED}), RESUMED, (HOSPITAL,)),
        Row(A.CANCEL, AT_WORK | {S.JUDGED, S.PAUSED}, S.CANCELLED, (HOSPITAL,), (), (E.BEGIN_STAGE,)),
    ),
)

"""One case and the people around it."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from auth.actor import SYSTEM, Actor, ActorKind, Grant
from auth.roles import Role
from workflows.codes import FilingType
from workflows.filing import FILING, Act, Author, FilingFacts, FilingMove, State
from workflows.machine import Body, Forbidden, Refusal, Refused

NOW: Final = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
TARGET: Final = "49850124-X45010611G1001"
MAIN: Final = "44490745543011111G1001"
ELSEWHERE: Final = "08818209861011311A5181"
AUTHORITY: Final = "460000"
DOCTOR_ID: Final = uuid.UUID(int=1)
TEXT: Final = "a" * 64


def person(name: str, *grants: tuple[Role, str], physician: uuid.UUID | None = None) -> Actor:
    held = frozenset(Grant(role, organisation) for role, organisation in grants)
    return Actor(ActorKind.ACCOUNT, name, name, held, physician)


PEOPLE: Final[dict[str, Actor]] = {
    "filer": person("filer", (Role.FILER, TARGET)),
    "manager": person("manager", (Role.MANAGER, TARGET)),
    "main manager": person("main manager", (Role.MANAGER, MAIN)),
    "doctor": person("doctor", (Role.PHYSICIAN, MAIN), physician=DOCTOR_ID),
    "namesake": person("namesake", (Role.PHYSICIAN, MAIN), physician=uuid.UUID(int=2)),
    "reviewer": person("reviewer", (Role.REVIEWER, AUTHORITY)),
    "torn": person("torn", (Role.REVIEWER, AUTHORITY)),  # has a conflict of interest
    "senior": person("senior", (Role.SENIOR, AUTHORITY)),
    "both": person("both", (Role.REVIEWER, AUTHORITY), (Role.SENIOR, AUTHORITY)),
    "reviewer elsewhere": person("reviewer elsewhere", (Role.REVIEWER, "440000")),
    "filer elsewhere": person("filer elsewhere", (Role.FILER, ELSEWHERE)),
    "verifier": person("verifier", (Role.VERIFIER, AUTHORITY)),
    "clock": SYSTEM,
}

# A body that fits, for each act that needs one.
BODIES: Final[dict[Act, dict[str, Any]]] = {
    Act.AMEND: {"changes": {"note": "later"}},
    Act.CONSENT: {"text_sha256": TEXT},
    Act.NOT_ACCEPT: {"reasons": [{"code": "R001"}]},
    Act.RETURN: {"reasons": [{"code": "R001"}]},
    Act.REFUSE: {"reasons": [{"code": "R001"}]},
    Act.RECOMMEND: {"decision": "refuse", "reasons": [{"code": "R001"}]},
    Act.PAUSE: {"cause": "hearing"},
}


def filing(state: State = State.DRAFT, **facts: Any) -> FilingFacts:
    """A sound filing of the institution, with the identity of its physician just confirmed."""
    base = FilingFacts(
        id="1",
        type=FilingType.SITE_FILE,
        state=state,
        now=NOW,
        author=Author.INSTITUTION,
        institution=TARGET,
        authority=AUTHORITY,
        main_institution=MAIN,
        physician_id=str(DOCTOR_ID),
        filed_by="filer",
        identity_confirmed=True,
        consent_sha256=TEXT,
        consented_sha256=None if state in {State.DRAFT, State.WAIT_PHYSICIAN} else TEXT,
    )
    return replace(base, **facts)


def decide(act: Act, who: str, facts: FilingFacts, body: Body | None = None) -> FilingMove:
    return FILING.decide(facts.state, act, PEOPLE[who], facts, BODIES.get(act, {}) if body is None else body)


def refusal(act: Act, who: str, facts: FilingFacts, body: Body | None = None) -> Refusal | None:
    """Why not; None when the act is possible. `Forbidden` passes through."""
    try:
        decide(act, who, facts, body)
    except Refused as refused:
        return refused.refusal
    return None


def possible(act: Act, who: str, facts: FilingFacts, body: Body | None = None) -> bool:
    try:
        return refusal(act, who, facts, body) is None
    except Forbidden:
        return False

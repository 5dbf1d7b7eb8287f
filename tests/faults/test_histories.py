"""Random histories of one filing through the real commands and the real database, told to the model as well (R02).

Each runs in a transaction that is rolled back; before that, the invariants are asked of what it has come to.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from pydantic import TypeAdapter, ValidationError
from sqlmodel import Session, select

from auth.actor import SYSTEM, Actor, ActorKind, Grant
from auth.roles import Role
from auth.tables import Account, AccountGrant
from registry.context import Context
from registry.errors import DomainError
from registry.filings import attaching, commands, queries
from registry.filings.casefile import case_files
from registry.filings.schemas import AnyAct, CreateFiling
from registry.filings.tables import Filing
from registry.physicians.tables import Physician
from tests.faults.conftest import MONDAY, Report
from tests.invariants import check_on
from tests.stories import PDF
from tests.workflows.filing_story import ENDED, LEGAL, ONWARD, Story, tell
from tests.world import AUTHORITY, Row, World
from workflows.filing import Act, State
from workflows.machine import Forbidden, Refused

REASONS = [{"code": "CONDITIONS_NOT_MET"}]
BODIES: dict[Act, dict[str, Any]] = {
    Act.NOT_ACCEPT: {"reasons": REASONS},
    Act.RETURN: {"reasons": REASONS},
    Act.REFUSE: {"reasons": REASONS},
    Act.RECOMMEND: {"decision": "refuse", "reasons": REASONS},
    Act.PAUSE: {"cause": "hearing"},
}
PARSE: TypeAdapter[Any] = TypeAdapter(AnyAct)


FURTHER = st.lists(st.integers(0, 59), min_size=4, max_size=10)


class Histories(RuleBasedStateMachine):
    """`world` and `person` are given by the test: one physician, whose filing begins anew each time."""

    world: ClassVar[World]
    person: ClassVar[Row]
    agreed: int | None  # the text that the main institution has agreed to
    ends: ClassVar[Counter[str]]  # the state that each history has come to

    def __init__(self) -> None:
        super().__init__()
        self.open = ExitStack()
        self.connection = self.open.enter_context(self.world.database.engine.connect())
        outer = self.connection.begin()
        self.open.callback(outer.rollback)
        self.session = self.open.enter_context(
            Session(self.connection, join_transaction_mode="create_savepoint", expire_on_commit=False)
        )
        self.now = MONDAY

    @initialize(own=st.booleans(), on_platform=st.booleans(), paper=st.booleans(), choices=FURTHER)
    def begins(self, own: bool, on_platform: bool, paper: bool, choices: list[int]) -> None:
        internet, main = self.world.internet["登记号"], self.person["主要执业机构登记号"]
        doctor = self.session.exec(
            select(Physician).where(Physician.practising_code == self.person["执业证书编码"])
        ).one()
        self.people = {
            "filer": person(Grant(Role.FILER, internet)),
            "manager": person(Grant(Role.MANAGER, internet)),
            "main manager": person(Grant(Role.MANAGER, main)),
            "doctor": person(Grant(Role.PHYSICIAN, main), physician=doctor.id),
            "namesake": person(Grant(Role.PHYSICIAN, main), physician=uuid.uuid4()),
            "reviewer": person(Grant(Role.REVIEWER, AUTHORITY)),
            "torn": person(Grant(Role.REVIEWER, AUTHORITY), Grant(Role.VERIFIER, main)),
            "senior": person(Grant(Role.SENIOR, AUTHORITY)),
            "both": person(Grant(Role.REVIEWER, AUTHORITY), Grant(Role.SENIOR, AUTHORITY)),
            "reviewer elsewhere": person(Grant(Role.REVIEWER, "440000")),
            "clock": SYSTEM,
        }
        self.signed_in = self.now
        if on_platform:
            self._open_account(main)
        self.paper, self.agreed = False, None
        self.story = Story({"doctor"} if own else {"filer", "manager"}, asks_main=on_platform, unmet=True)
        author = "doctor" if own else "filer"
        first, last = (MONDAY.date() + timedelta(days=days) for days in (120, 400))
        body = self.world.body(self.person, internet, valid_from=first.isoformat(), valid_to=last.isoformat())
        self.id = commands.create(self._as(author), CreateFiling.model_validate_json(json.dumps(body))).id
        if paper:
            self.the_main_institution_signs_on_paper()
        self.it_goes_on(choices)

    def _open_account(self, institution: str) -> None:
        account = Account(name=f"manager-{uuid.uuid4().hex}", name_key=uuid.uuid4().hex, created_at=self.now)
        self.session.add(account)
        self.session.flush()
        self.session.add(AccountGrant(account_id=account.id, role="manager", organisation=institution))
        self.session.flush()

    @rule(
        act=st.sampled_from(Act),
        who=st.sampled_from(["filer", "doctor", "reviewer", "senior", "clock", "torn", "both"]),
    )
    def somebody_tries(self, act: Act, who: str) -> None:
        self._tries(act, who)

    @rule(act=st.sampled_from(Act), who=st.sampled_from(["manager", "main manager", "namesake", "reviewer elsewhere"]))
    def somebody_else_tries(self, act: Act, who: str) -> None:
        self._tries(act, who)

    @precondition(lambda self: self.story.state not in ENDED)
    @rule(choices=FURTHER)
    def it_goes_on(self, choices: list[int]) -> None:
        """Several legal steps in a row: blind tries alone would seldom get past the first desk."""
        for choice in choices:
            ways = [(act, who) for act in ONWARD for who in sorted(self.people) if LEGAL[act](self.story, who)]
            if ways:
                self._tries(*ways[choice % len(ways)])

    @precondition(lambda self: not self.paper and self.story.state not in ENDED)
    @rule()
    def the_main_institution_signs_on_paper(self) -> None:
        author = min(self.story.authors)
        context = self._as(author)
        attaching.attach(context, queries.locked(context, self.id), PDF, "main_consent", "consent.pdf")
        self.paper, self.story.unmet, self.story.asks_main = True, False, False

    @rule()
    def half_an_hour_passes(self) -> None:
        self.now += timedelta(minutes=31)
        self.story.signed_in_lately, self.story.holder = False, None

    @rule()
    def they_sign_in_again(self) -> None:
        self.signed_in, self.story.signed_in_lately = self.now, True

    @precondition(lambda self: self.now < MONDAY + timedelta(days=1))
    @rule()
    def a_month_passes(self) -> None:
        self.now += timedelta(days=32)
        self.story.signed_in_lately, self.story.holder = False, None
        self.story.too_late = self.story.state not in ENDED

    def teardown(self) -> None:
        try:
            if "id" in self.__dict__:
                self.session.flush()
                check_on(self.connection)
                self.ends[self.story.state] += 1
        finally:
            self.open.close()

    def _tries(self, act: Act, who: str) -> None:
        legal = LEGAL[act](self.story, who)
        refusal = self._refused(act, who)
        assert (refusal is None) == legal, f"{act} by {who} in {self.story.state}: {refusal!r}"
        if refusal:
            return
        self._told(act, who)
        filing = self._filing()
        assert (filing.state, filing.disputed, filing.paused) == (
            self.story.state,
            self.story.disputed,
            self.story.paused,
        )

    def _refused(self, act: Act, who: str) -> Exception | None:
        """Why it could not be done, and then nothing was."""
        savepoint = self.session.begin_nested()
        try:
            self._does(act, who)
        except (Refused, Forbidden, DomainError, ValidationError) as refusal:
            savepoint.rollback()
            self.session.expire_all()
            return refusal
        savepoint.commit()
        return None

    def _told(self, act: Act, who: str) -> None:
        """The model, and what it leaves to the facts: the main institution's word, and a limit over before a return."""
        story = self.story
        if act is Act.RETURN:
            self.overdue = story.state is State.SUBMITTED and story.too_late
        tell(story, act, who)
        if act is Act.AGREE:
            self.agreed = story.text
        story.unmet = not self.paper and self.agreed != story.text
        if act is Act.RESUBMIT and story.state is State.SUBMITTED:
            story.too_late = self.overdue

    def _does(self, act: Act, who: str) -> None:
        context = self._as(who)
        filing = queries.locked(context, self.id)
        if who == "clock":
            commands.move(context, [filing], act)
            return
        given = {"act": act, "revision": filing.revision, **self._body(act, context, filing)}
        commands.act(context, filing, PARSE.validate_json(json.dumps(given)))

    def _body(self, act: Act, context: Context, filing: Filing) -> dict[str, Any]:
        if act is Act.CONSENT:
            return {"text_sha256": case_files(context, [filing])[0].undertaking(context.codes).sha256}
        if act is Act.AMEND:  # a later end each time: another text to consent to
            return {"changes": {"valid_to": ((filing.valid_to or MONDAY.date()) + timedelta(days=1)).isoformat()}}
        return BODIES.get(act, {})

    def _as(self, who: str) -> Context:
        known = self.people[who]
        actor = known if known is SYSTEM else replace(known, auth_time=self.signed_in)
        state = self.world.app.state
        return Context.of(self.session, actor, self.now, state.seal(), state.settings)

    def _filing(self) -> Filing:
        return self.session.get_one(Filing, self.id)


def person(*grants: Grant, physician: uuid.UUID | None = None) -> Actor:
    id_ = str(uuid.uuid4())
    return Actor(ActorKind.ACCOUNT, id_, id_, frozenset(grants), physician)


@pytest.mark.parametrize("histories", [40, pytest.param(500, marks=pytest.mark.soak)])
def test_the_commands_tell_the_same_story_as_the_model(world: World, histories: int, report: Report) -> None:
    Histories.world, Histories.person, Histories.ends = world, world.physician("海南省"), Counter()
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=histories,
            stateful_step_count=8,
            deadline=None,
            phases=[Phase.reuse, Phase.generate],  # these histories are short, and shrinking one takes minutes
            suppress_health_check=list(HealthCheck),
        ),
    )
    ends = ", ".join(f"{state} {count}" for state, count in sorted(Histories.ends.items()))
    report(
        "random histories of a filing, the commands against the model",
        f"{Histories.ends.total()} histories ({ends}); 0 divergences",
    )

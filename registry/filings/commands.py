"""The one way a filing comes to be and the one way it moves. Every act has this shape, so no act can go unrecorded."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from auth.actor import Actor, ActorKind
from auth.roles import Role
from registry.context import Context
from registry.errors import FieldError, Refusal, Stale
from registry.filings import applying
from registry.filings.effects import Hands, run
from registry.filings.evaluating import evaluate, facts_of
from registry.filings.schemas import AnyAct, CreateFiling
from registry.filings.tables import Filing
from registry.institutions.queries import find
from registry.institutions.tables import Institution
from registry.log.events import record
from registry.physicians.tables import Physician
from workflows.filing import FILING, Act, Author, State
from workflows.rules.rule import Stage
from workflows.text import Text

_NOT_YOUR_INSTITUTION = Text(
    "您在该机构没有申报权限，请核对登记号。", "You hold no role in this institution; check its registration number."
)
_NOT_IN_FORCE = Text(
    "该机构的执业许可不在有效状态，不能申报。", "This institution's licence is not in force; it cannot file."
)
_NOT_YOURSELF = Text(
    "只能为本人申报，执业证书编码须为本人的编码。", "You can file only for yourself, under your own practising code."
)


def create(context: Context, body: CreateFiling) -> Filing:
    """A draft, judged. Raises `Refusal` (institution, person) and `Invalid` (codes, name)."""
    institution = _institution(context, body)
    author = Author.INSTITUTION if _files_for(context.actor, institution) else Author.PHYSICIAN
    number = context.session.execute(sa.text("select nextval('filing_number_seq')")).scalar_one()
    filing = Filing(
        number=f"{context.province}{context.today:%Y}{number:08d}",
        type="SITE_FILE",  # settled by the first evaluation unless the filer chose
        state=str(FILING.initial),
        institution_id=institution.id,
        author=str(author),
        filed_by=context.actor.id,
        created_at=context.now,
        waiting_since=context.now,
        name="",
        name_key="",
        id_type="",
        practising_code="",
        category="",
        id_number_sealed=b"",
        id_number_index=b"",
        qualification_sealed=b"",
    )
    applying.entered(context, filing, body)
    if author is Author.PHYSICIAN:
        _ensure_themself(context, filing)
    context.session.add(filing)
    context.session.flush()
    found = evaluate(context, filing, institution, "create", {Stage.JUDGE})
    _record(context, filing, "create", {"findings": found.open_rules, "outcome": found.outcome})
    return filing


def act(context: Context, filing: Filing, given: AnyAct) -> Filing:
    """Move a filing that `queries.locked` gave. Raises `Stale`, `workflows.machine.Refused` and `Forbidden`, `Invalid`."""
    if given.revision != filing.revision:
        raise Stale
    return move(context, filing, Act(given.act), given)


def move(context: Context, filing: Filing, wanted: Act, given: AnyAct | None = None) -> Filing:
    """Decide by the table, run the declared effects, record. `given` is absent for the clock's own acts."""
    institution = context.session.get_one(Institution, filing.institution_id)
    state = State(filing.state)
    if any(row.fresh for row in FILING.rows(state, wanted)):
        evaluate(context, filing, institution, str(wanted), {Stage.JUDGE, Stage.SUBMIT})
    facts = facts_of(context, filing, institution)
    body: dict[str, Any] = given.model_dump(exclude={"act", "revision"}) if given else {}
    decided = FILING.decide(state, wanted, context.actor, facts, body)
    before = state
    filing.state = str(decided.to)
    _ask(filing, decided.to, context)
    details = run(Hands(context, filing, institution, wanted, before, given), decided.effects)
    if decided.to is not before:
        filing.waiting_since = context.now
    filing.revision += 1
    context.session.flush()
    _record(context, filing, str(wanted), {"from": str(before), "to": str(decided.to), **details})
    return filing


def _ask(filing: Filing, to: State, context: Context) -> None:
    """From the first time a party is asked, the filing exists for that party (registry.filings.queries.visible)."""
    if to in (State.WAIT_PHYSICIAN, State.WAIT_INST) and filing.proposed_at is None:
        filing.proposed_at = context.now
    if to is State.WAIT_MAIN and filing.main_asked_at is None:
        filing.main_asked_at = context.now


def _institution(context: Context, body: CreateFiling) -> Institution:
    found = find(context.session, body.institution.strip().replace("-", "").upper())
    actor = context.actor
    if found is None or not (_files_for(actor, found) or Role.PHYSICIAN in actor.roles()):
        raise Refusal(_NOT_YOUR_INSTITUTION, errors=(FieldError("institution", "refused", _NOT_YOUR_INSTITUTION),))
    if found.status != "ACTIVE":
        raise Refusal(_NOT_IN_FORCE, errors=(FieldError("institution", "refused", _NOT_IN_FORCE),))
    return found


def _files_for(actor: Actor, institution: Institution) -> bool:
    return institution.registration_no in actor.organisations(Role.FILER, Role.MANAGER)


def _ensure_themself(context: Context, filing: Filing) -> None:
    physician_id = context.actor.physician_id
    person = context.session.get(Physician, physician_id) if physician_id else None
    if person is None or person.practising_code != filing.practising_code:
        raise Refusal(_NOT_YOURSELF, errors=(FieldError("physician.practising_code", "refused", _NOT_YOURSELF),))


def _record(context: Context, filing: Filing, what: str, details: dict[str, Any]) -> None:
    record(
        context.session,
        context.actor,
        f"filing.{what}",
        ("filing", filing.id),
        filing.revision,
        {"number": filing.number, "state": filing.state, **details},
        now=context.now,
        organisation=acting_for(context, filing),
    )


def acting_for(context: Context, filing: Filing) -> str | None:
    """The organisation in whose name the actor acts here; None for a physician, the clock and the operator."""
    actor = context.actor
    if actor.kind is not ActorKind.ACCOUNT:
        return None
    mine = actor.organisations(*(Role(role) for role in Role if role is not Role.PHYSICIAN))
    institution = context.session.get_one(Institution, filing.institution_id)
    candidates = (institution.registration_no, filing.main_registration_no, filing.authority)
    return next((code for code in candidates if code in mine), None)

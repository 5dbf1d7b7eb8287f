"""Filing a roster's rows, attesting them, and withdrawing what a cancelled roster has left: by the mover of single filings."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlmodel import Session, col, select

from auth import accounts
from auth.actor import Actor, ActorKind, Grant
from auth.roles import Role
from auth.tables import Account
from registry.context import Context
from registry.filings import commands as filings
from registry.filings.applying import written
from registry.filings.casefile import CaseFile
from registry.filings.tables import Filing
from registry.institutions.tables import Institution
from registry.rosters.commands import move
from registry.rosters.judging import GOES, Verdict
from registry.rosters.stored import rows_after, verdicts_of
from registry.rosters.tables import Roster, RosterRow, RosterVerdict
from workflows.filing import Act as FilingAct
from workflows.filing import Author
from workflows.filing import State as FilingState
from workflows.roster import Act
from workflows.text import Text

CHUNK = 500  # filings: well under a second of a lock

_ROLE_LOST = Text(
    "发起申报或作出承诺的账号已不再持有相应角色，处理已停止；请由其他人员重新上传。",
    "The account that asked for this no longer holds its role; the work has stopped. Somebody else uploads it again.",
)


def file_chunk(context: Context, roster: Roster) -> None:
    """File the next rows. They are judged again by the facts of now: what has changed since stays behind with reasons."""
    rows = rows_after(context.session, roster, CHUNK, going=True)
    if not rows:
        move(context, roster, Act.FINISH_FILING)
        return
    verdicts = verdicts_of(context, roster, rows)
    institution = context.session.get_one(Institution, roster.institution_id)
    filer = _acting(context, roster, roster.filed_by, (Role.FILER, Role.MANAGER), institution)
    if filer is None:
        return
    going = [(row, v) for row, v in zip(rows, verdicts, strict=True) if v.outcome in GOES and v.gathered]
    cases = [
        CaseFile(_draft(filer, institution, roster, row, number, verdict), institution)
        for (row, verdict), number in zip(going, filings.numbers(filer, len(going)), strict=True)
    ]
    if cases:
        filings.keep_drafts(filer, cases, [v.gathered for _, v in going if v.gathered])
    _keep_changed(context.session, roster, rows, verdicts)
    roster.cursor = rows[-1].row


def attest_chunk(context: Context, roster: Roster) -> None:
    """Attest the next drafts; one that the rules stop stays a draft."""
    institution = context.session.get_one(Institution, roster.institution_id)
    manager = _acting(context, roster, roster.attested_by, (Role.MANAGER,), institution)
    if manager is None:
        return
    drafts = _drafts_after(context.session, roster)
    if drafts:
        filings.move(manager, drafts, FilingAct.ATTEST, refused_stay=True)
        roster.cursor = drafts[-1].roster_row or 0
        return
    roster.drafts_done = True
    left = context.session.exec(
        select(Filing.id).where(Filing.roster_id == roster.id, Filing.state == FilingState.DRAFT).limit(1)
    ).first()
    if left is None:
        move(context, roster, Act.SUBMIT)


def withdraw_chunk(context: Context, roster: Roster) -> None:
    """Withdraw the next drafts that a cancelled or failed roster has left: they would stand in the way of the next."""
    drafts = _drafts_after(context.session, roster)
    if not drafts:
        roster.drafts_done = True
        return
    institution = context.session.get_one(Institution, roster.institution_id)
    hospital = Actor(
        ActorKind.ACCOUNT, roster.filed_by or "", "", frozenset({Grant(Role.FILER, institution.registration_no)})
    )
    filings.move(context.by(hospital), drafts, FilingAct.WITHDRAW, refused_stay=True)
    roster.cursor = drafts[-1].roster_row or 0


def _drafts_after(session: Session, roster: Roster) -> Sequence[Filing]:
    return session.exec(
        select(Filing)
        .where(Filing.roster_id == roster.id, Filing.state == FilingState.DRAFT)
        .where(col(Filing.roster_row) > roster.cursor)
        .order_by(col(Filing.roster_row))
        .limit(CHUNK)
        .with_for_update(of=Filing)
    ).all()


def _acting(
    context: Context, roster: Roster, account_id: str | None, roles: Sequence[Role], institution: Institution
) -> Context | None:
    """The context of somebody who has asked for it, with the roles they hold now; the roster fails when it is none."""
    account = context.session.get(Account, uuid.UUID(account_id or ""))
    grants = accounts.grants_of(context.session, account.id) if account and account.disabled_at is None else frozenset()
    mine = frozenset(g for g in grants if g.organisation == institution.registration_no and g.role in roles)
    if not mine:
        move(context, roster, Act.FAIL, fault={"code": "role_lost", **_ROLE_LOST.both()})
        return None
    return context.by(Actor(ActorKind.ACCOUNT, account_id or "", "", mine))


def _draft(
    context: Context, institution: Institution, roster: Roster, row: RosterRow, number: str, verdict: Verdict
) -> Filing:
    assert verdict.gathered
    filing = filings.draft(context, institution, Author.INSTITUTION, number)
    written(context, filing, verdict.gathered.facts)
    filing.roster_id, filing.roster_row = roster.id, row.row
    return filing


def _keep_changed(session: Session, roster: Roster, rows: Sequence[RosterRow], verdicts: Sequence[Verdict]) -> None:
    changed = {row.row: v for row, v in zip(rows, verdicts, strict=True) if v.outcome not in GOES}
    for kept in session.exec(
        select(RosterVerdict).where(RosterVerdict.roster_id == roster.id, col(RosterVerdict.row).in_(changed))
    ):
        found = changed[kept.row]
        kept.outcome, kept.rules, kept.findings = str(found.outcome), found.rules, found.findings

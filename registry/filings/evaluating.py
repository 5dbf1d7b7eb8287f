"""Running the rules over stored filings and keeping what they said; telling the machine what it may look at."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlmodel import col, select

from auth.actor import Actor, ActorKind
from auth.roles import Role
from auth.tables import Account, AccountGrant
from registry.authorities.queries import policy
from registry.context import Context
from registry.database import fresh
from registry.filings import clock
from registry.filings.applying import application
from registry.filings.casefile import CaseFile
from registry.filings.facts import Application, Gathered, gather
from registry.filings.tables import Evaluation, Filing
from registry.institutions.tables import Institution
from workflows.codes import FilingType
from workflows.filing import Author, FilingFacts, Proposal, State
from workflows.rules.engine import judge
from workflows.rules.facts import Policy
from workflows.rules.rule import STOPPING, Outcome, Stage

MAIN_CONSENT_RULE = "R082"
IDENTITY_STAYS_CONFIRMED = timedelta(minutes=10)


def evaluate(context: Context, cases: Sequence[CaseFile], act: str, gathered: Sequence[Gathered] | None = None) -> None:
    """Judge the filings as they stand now and keep every finding. Also settles what each rests on.

    Papers and signatures are asked for once a filing has been sent off (docs/lifecycle.md). `gathered` are
    the facts of each, where the caller has them from the same transaction.
    """
    if gathered is None:
        institutions = [case.institution for case in cases]
        gathered = gathered_for(context, [application(context, case) for case in cases], institutions)
    for case, found in zip(cases, gathered, strict=True):
        settle(case.filing, found)
        case.evaluation = _kept(context, case, found, act, _stages(case.filing))
    if context.session.new:
        context.session.flush()  # a draft is stored, settled, before what was said of it
    context.session.add_all(case.evaluation for case in cases)
    context.session.flush()


def _stages(filing: Filing) -> Collection[Stage]:
    sent_off = filing.proposed_at or filing.submitted_at
    return (Stage.JUDGE, Stage.SUBMIT) if sent_off else (Stage.JUDGE,)


def gathered_for(
    context: Context, applications: Sequence[Application], institutions: Sequence[Institution]
) -> list[Gathered]:
    """The facts of each application, under the policies of now."""
    node, policies = policies_of(context, institutions)
    with context.session.no_autoflush:
        return gather(
            context.session,
            applications,
            policies=policies,
            node=node,
            seal=context.seal,
            codes=context.codes,
            today=context.today,
        )


def settle(filing: Filing, found: Gathered) -> None:
    """What the filing rests on, by the register as it stands."""
    filing.type = str(found.facts.type)
    filing.physician_id = found.physician_id
    filing.authority = found.facts.policy.authority
    rests_on = found.registration if found.physician_id else None
    filing.place = rests_on.place if rests_on else None
    filing.main_registration_no = rests_on.main_institution if rests_on else None


def _kept(context: Context, case: CaseFile, found: Gathered, act: str, stages: Collection[Stage]) -> Evaluation:
    judged_already = found.judgement if tuple(stages) == (Stage.JUDGE,) else None
    judgement = judged_already or judge(found.facts, stages)
    return fresh(
        Evaluation,
        filing_id=case.filing.id,
        round=case.evaluation.round + 1 if case.evaluation else 1,
        at=context.now,
        act=act,
        policy_version=judgement.policy_version,
        outcome=str(judgement.outcome()),
        open_rules=list(judgement.open_rules()),
        findings=[finding.row() for finding in judgement.findings],
    )


def policies_of(context: Context, institutions: Sequence[Institution]) -> tuple[Policy, dict[str, Policy]]:
    """The policy of the province's own authority, and that of each authority here that approved one of them.

    An institution approved elsewhere is received by the province's own, and R060 and R075 say so.
    """
    here = {code for row in institutions if (code := row.authority) and code.startswith(context.province)}
    own = f"{context.province}0000"
    found = {
        code: policy(context.session, code, context.now, province=context.province) for code in sorted({own, *here})
    }
    return found[own], found


def facts_of(context: Context, cases: Sequence[CaseFile]) -> list[FilingFacts]:
    """All that the guards of the filing table may look at, of each filing, now."""
    _, policies = policies_of(context, [case.institution for case in cases])
    on_platform = _with_managers(context, {n for c in cases if (n := c.filing.main_registration_no)})
    # Only the clock itself acts by these limits.
    clocked = context.actor.kind is ActorKind.SYSTEM
    deemed = clock.deemed_at(context, [case.filing for case in cases]) if clocked else {}
    confirmed = _identity_confirmed(context)
    return [
        _facts(
            context,
            case,
            identity_confirmed=confirmed,
            policy=policies[case.filing.authority or f"{context.province}0000"],
            main_on_platform=case.filing.main_registration_no in on_platform,
            deemed_at=deemed.get(case.filing.id),
        )
        for case in cases
    ]


def _facts(
    context: Context,
    case: CaseFile,
    *,
    identity_confirmed: bool,
    policy: Policy,
    main_on_platform: bool,
    deemed_at: datetime | None,
) -> FilingFacts:
    filing, institution = case.filing, case.institution
    findings = case.evaluation.findings if case.evaluation else []
    stops = [f for f in findings if f["outcome"] in STOPPING]
    return FilingFacts(
        id=str(filing.id),
        type=FilingType(filing.type),
        state=State(filing.state),
        now=context.now,
        author=Author(filing.author),
        institution=institution.registration_no,
        authority=filing.authority,
        main_institution=filing.main_registration_no,
        physician_id=str(filing.physician_id) if filing.physician_id else None,
        filed_by=filing.filed_by,
        of_roster=filing.roster_id is not None,
        attested_consent=policy.attested_consent,
        attested_by=filing.attested_by,
        recommended_by=filing.recommended_by,
        recommendation=Proposal(filing.recommendation) if filing.recommendation else None,
        claimed_by=claimant(filing, context.now),
        identity_confirmed=identity_confirmed,
        consent_sha256=case.undertaking(context.codes).sha256,
        consented_sha256=case.consented_sha256,
        open_judge=tuple(f["rule"] for f in stops if f["stage"] == Stage.JUDGE),
        open_submit=tuple(f["rule"] for f in stops),
        open_senior=tuple(f["rule"] for f in findings if f["outcome"] == Outcome.SENIOR),
        needs_main_consent=any(f["rule"] == MAIN_CONSENT_RULE for f in stops),
        main_on_platform=main_on_platform,
        disputed=filing.disputed,
        paused=filing.paused,
        returned_from=State(filing.returned_from) if filing.returned_from else None,
        returned_before=case.returned_before,
        actor_conflicts=_conflicts(context.actor, filing, institution),
        deemed_at=deemed_at,
        lapses_at=clock.lapses_at(filing),
    )


def claimant(filing: Filing, now: datetime) -> str | None:
    """Who holds the claim, while the lease lives."""
    return filing.claimed_by if filing.claimed_until and filing.claimed_until > now else None


def _identity_confirmed(context: Context) -> bool:
    """A sign-in at most ten minutes old, in a demo; production asks the real-name source, and none is connected yet."""
    signed_in = context.actor.auth_time
    return context.demo and signed_in is not None and context.now - signed_in <= IDENTITY_STAYS_CONFIRMED


def _with_managers(context: Context, institutions: set[str]) -> set[str]:
    """Those that are on the platform: they have an enabled manager account (docs/lifecycle.md)."""
    if not institutions:
        return set()
    return set(
        context.session.exec(
            select(AccountGrant.organisation)
            .join(Account, col(Account.id) == col(AccountGrant.account_id))
            .where(AccountGrant.role == Role.MANAGER, col(AccountGrant.organisation).in_(institutions))
            .where(col(Account.disabled_at).is_(None))
            .distinct()
        )
    )


def _conflicts(actor: Actor, filing: Filing, institution: Institution) -> bool:
    """R138: at home in either institution, or the physician themself."""
    if actor.kind is not ActorKind.ACCOUNT:
        return False
    homes = {institution.registration_no, filing.main_registration_no}
    mine = filing.physician_id is not None and actor.physician_id == filing.physician_id
    return mine or bool(homes & actor.organisations())

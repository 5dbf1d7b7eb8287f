"""Running the rules over a stored filing, keeping what they said, and telling the machine what it may look at."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col, select

from auth.actor import ActorKind
from auth.roles import Role
from auth.tables import Account, AccountGrant
from registry.authorities.queries import policy
from registry.context import Context
from registry.filings import queries
from registry.filings.applying import application
from registry.filings.clock import deemed_at, lapses_at
from registry.filings.facts import gather
from registry.filings.tables import Attachment, Consent, Evaluation, Filing
from registry.institutions.tables import Institution
from workflows.codes import FilingType
from workflows.consent import Undertaking, consent_text
from workflows.filing import Author, FilingFacts, Proposal, State
from workflows.rules.engine import judge
from workflows.rules.facts import Papers
from workflows.rules.rule import STOPPING, Outcome, Stage

IDENTITY_STAYS_CONFIRMED = timedelta(minutes=10)
MAIN_CONSENT = "main_consent"  # the kind of attachment that is the main institution's signed consent (R082)


def evaluate(
    context: Context, filing: Filing, institution: Institution, act: str, stages: Iterable[Stage]
) -> Evaluation:
    """Judge the filing as it stands now and keep every finding. Also settles what the filing rests on."""
    session = context.session
    node = policy(session, f"{context.province}0000", context.now, province=context.province)
    receiving = _receiving(context, institution)
    policies = {receiving: policy(session, receiving, context.now, province=context.province)} if receiving else {}
    with session.no_autoflush:
        (found,) = gather(
            session,
            [application(context, filing, institution.registration_no, papers(context, filing))],
            policies=policies,
            node=node,
            seal=context.seal,
            codes=context.codes,
            today=context.today,
        )
    filing.type = str(found.facts.type)
    filing.physician_id = found.physician_id
    filing.authority = receiving or node.authority
    filing.place = found.registration.place if found.registration and found.physician_id else None
    filing.main_registration_no = (
        found.registration.main_institution if found.registration and found.physician_id else None
    )
    judgement = judge(found.facts, frozenset(stages))
    last = session.exec(select(sa.func.max(col(Evaluation.round))).where(col(Evaluation.filing_id) == filing.id)).one()
    kept = Evaluation(
        filing_id=filing.id,
        round=(last or 0) + 1,
        at=context.now,
        act=act,
        policy_version=judgement.policy_version,
        outcome=str(judgement.outcome()),
        open_rules=list(judgement.open_rules()),
        findings=[finding.row() for finding in judgement.findings],
    )
    session.add(kept)
    session.flush()
    return kept


def _receiving(context: Context, institution: Institution) -> str | None:
    """The authority that approved the institution, when it is one of this province (Order 13, art. 10)."""
    code = institution.authority
    return code if code and code.startswith(context.province) else None


def papers(context: Context, filing: Filing) -> Papers:
    """Which consents and documents the filing has."""
    session = context.session
    signed = session.exec(
        select(Consent).where(col(Consent.filing_id) == filing.id).order_by(col(Consent.at).desc()).limit(1)
    ).one_or_none()
    paper = session.exec(
        select(Attachment.id).where(col(Attachment.filing_id) == filing.id, col(Attachment.kind) == MAIN_CONSENT)
    ).first()
    text = undertaking(context, filing) if signed else None
    consented = bool(signed and text and signed.text_sha256 == text.sha256)
    return Papers(
        physician_consented=consented,
        institution_confirmed=filing.author == Author.INSTITUTION or filing.institution_confirmed_at is not None,
        main_institution_consented=filing.main_agreed_at is not None or paper is not None,
        attested=filing.attested_by is not None,
        undertaken=consented or filing.attested_by is not None,
    )


def undertaking(context: Context, filing: Filing) -> Undertaking:
    """The text the physician is asked to consent to, as the filing stands."""
    institution = context.session.get_one(Institution, filing.institution_id)
    return consent_text(
        physician=filing.name,
        practising_code=filing.practising_code,
        institution=institution.name,
        registration_no=institution.registration_no,
        type_=FilingType(filing.type),
        category=context.codes.named("practice_category", filing.category),
        scopes=[context.codes.named("practice_scope", scope) for scope in filing.scopes],
        valid_from=filing.valid_from,
        valid_to=filing.valid_to,
    )


def facts_of(context: Context, filing: Filing, institution: Institution) -> FilingFacts:
    """All that the guards of the filing table may look at, now."""
    session, now = context.session, context.now
    findings = queries.evaluation(session, filing.id).findings
    stops = [f for f in findings if f["outcome"] in STOPPING]
    kinds = {decision.kind for decision in queries.decisions(session, filing.id)}
    signed = session.exec(
        select(col(Consent.text_sha256))
        .where(col(Consent.filing_id) == filing.id)
        .order_by(col(Consent.at).desc())
        .limit(1)
    ).one_or_none()
    return FilingFacts(
        id=str(filing.id),
        type=FilingType(filing.type),
        state=State(filing.state),
        now=now,
        author=Author(filing.author),
        institution=institution.registration_no,
        authority=filing.authority,
        main_institution=filing.main_registration_no,
        physician_id=str(filing.physician_id) if filing.physician_id else None,
        filed_by=filing.filed_by,
        attested_by=filing.attested_by,
        recommended_by=filing.recommended_by,
        recommendation=Proposal(filing.recommendation) if filing.recommendation else None,
        claimed_by=claimant(filing, now),
        identity_confirmed=_identity_confirmed(context),
        consent_sha256=undertaking(context, filing).sha256,
        consented_sha256=signed,
        open_judge=tuple(f["rule"] for f in stops if f["stage"] == Stage.JUDGE),
        open_submit=tuple(f["rule"] for f in stops),
        open_senior=tuple(f["rule"] for f in findings if f["outcome"] == Outcome.SENIOR),
        needs_main_consent=_needs_main_consent(context, filing, institution),
        main_on_platform=_on_platform(context, filing.main_registration_no),
        disputed=filing.disputed,
        paused=filing.paused,
        returned_from=State(filing.returned_from) if filing.returned_from else None,
        returned_before="return" in kinds,
        actor_conflicts=_conflicts(context, filing, institution),
        deemed_at=deemed_at(context, filing),
        lapses_at=lapses_at(filing),
    )


def claimant(filing: Filing, now: datetime) -> str | None:
    """Who holds the claim, while the lease lives."""
    return filing.claimed_by if filing.claimed_until and filing.claimed_until > now else None


def _identity_confirmed(context: Context) -> bool:
    """A sign-in at most ten minutes old, in a demo; production asks the real-name source, and none is connected yet."""
    signed_in = context.actor.auth_time
    return context.demo and signed_in is not None and context.now - signed_in <= IDENTITY_STAYS_CONFIRMED


def _needs_main_consent(context: Context, filing: Filing, institution: Institution) -> bool:
    paper = papers(context, filing)
    return institution.internet and not (paper.main_institution_consented or paper.attested)


def _on_platform(context: Context, registration_no: str | None) -> bool:
    """Whether an institution has an enabled manager account (lifecycle.md, consent)."""
    if registration_no is None:
        return False
    return (
        context.session.exec(
            select(col(AccountGrant.account_id))
            .join(Account, col(Account.id) == col(AccountGrant.account_id))
            .where(col(AccountGrant.role) == Role.MANAGER, col(AccountGrant.organisation) == registration_no)
            .where(col(Account.disabled_at).is_(None))
            .limit(1)
        ).first()
        is not None
    )


def _conflicts(context: Context, filing: Filing, institution: Institution) -> bool:
    """R138: at home in either institution, or the physician themself."""
    actor = context.actor
    if actor.kind is not ActorKind.ACCOUNT:
        return False
    homes = {institution.registration_no, filing.main_registration_no}
    mine = filing.physician_id is not None and actor.physician_id == filing.physician_id
    return mine or bool(homes & actor.organisations())

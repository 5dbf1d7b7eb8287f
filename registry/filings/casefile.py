"""A filing with what belongs to it, gathered for any number of filings by a fixed number of queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.dialects.postgresql import distinct_on
from sqlmodel import col, select

from registry.bulk import one_of
from registry.context import Context
from registry.filings.tables import Attachment, Consent, Decision, Evaluation, Filing
from registry.institutions.tables import Institution
from workflows.codes import CodeTables, FilingType
from workflows.consent import Undertaking, consent_text
from workflows.filing import Author
from workflows.rules.facts import Papers
from workflows.text import Text

MAIN_CONSENT = "main_consent"  # the kind of attachment that is the main institution's signed consent (R082)


@dataclass
class CaseFile:
    """One filing; `evaluation` is its latest, None only before the first."""

    filing: Filing
    institution: Institution
    evaluation: Evaluation | None = None
    consented_sha256: str | None = None  # of the text last consented to
    has_main_consent_paper: bool = False
    returned_before: bool = False

    def undertaking(self, codes: CodeTables) -> Undertaking:
        """The text the physician is asked to consent to, as the filing stands."""
        filing = self.filing
        return consent_text(
            physician=filing.name,
            practising_code=filing.practising_code,
            institution=self.institution.name,
            registration_no=self.institution.registration_no,
            type_=FilingType(filing.type),
            category=codes.named("practice_category", filing.category),
            scopes=[codes.named("practice_scope", scope) for scope in filing.scopes],
            valid_from=filing.valid_from,
            valid_to=filing.valid_to,
        )

    def messages(self) -> dict[str, Text]:
        """What the rules said of it last, by id."""
        found = self.evaluation.findings if self.evaluation else []
        return {finding["rule"]: Text(**finding["message"]) for finding in found}

    def papers(self, codes: CodeTables) -> Papers:
        """Which consents and documents the filing has."""
        filing, now = self.filing, self.undertaking(codes).sha256
        # Whatever was consented, attested or agreed to counts for that text and no other.
        consented, attested = self.consented_sha256 == now, filing.attested_sha256 == now
        agreed = filing.main_agreed_sha256 == now
        return Papers(
            physician_consented=consented,
            institution_confirmed=filing.author == Author.INSTITUTION or filing.institution_confirmed_at is not None,
            main_institution_consented=agreed or self.has_main_consent_paper,
            attested=attested,
            undertaken=consented or attested,
        )


def case_files(context: Context, filings: Sequence[Filing]) -> list[CaseFile]:
    """The case file of each filing, in order."""
    session, ids = context.session, [filing.id for filing in filings]
    institutions = {
        row.id: row
        for row in session.exec(
            select(Institution).where(col(Institution.id).in_({filing.institution_id for filing in filings}))
        )
    }
    evaluations = {
        row.filing_id: row
        for row in session.exec(
            select(Evaluation)
            .where(one_of(Evaluation.filing_id, ids))
            .ext(distinct_on(col(Evaluation.filing_id)))
            .order_by(col(Evaluation.filing_id), col(Evaluation.round).desc())
        )
    }
    consents = dict(
        session.exec(
            select(Consent.filing_id, Consent.text_sha256)
            .where(one_of(Consent.filing_id, ids))
            .order_by(col(Consent.at), col(Consent.id))
        ).all()
    )
    papers = set(
        session.exec(
            select(Attachment.filing_id).where(one_of(Attachment.filing_id, ids), Attachment.kind == MAIN_CONSENT)
        )
    )
    returned = set(
        session.exec(select(Decision.filing_id).where(one_of(Decision.filing_id, ids), Decision.kind == "return"))
    )
    return [
        CaseFile(
            filing=filing,
            institution=institutions[filing.institution_id],
            evaluation=evaluations.get(filing.id),
            consented_sha256=consents.get(filing.id),
            has_main_consent_paper=filing.id in papers,
            returned_before=filing.id in returned,
        )
        for filing in filings
    ]

"""How the rules read the facts: the few questions that several of them ask."""

from __future__ import annotations

from calendar import monthrange
from datetime import date

from workflows.codes import FilingType
from workflows.rules.facts import Facts, Registration, RegistrationStatus

PHYSICIAN, ASSISTANT = "1", "2"  # codes of physician_level
LIVE = frozenset({RegistrationStatus.ACTIVE, RegistrationStatus.SUSPENDED})


def live(facts: Facts) -> tuple[Registration, ...]:
    """Registrations that stand, a suspended one too: R023 judges the suspension, R021 that there is none at all."""
    return tuple(r for r in facts.matched.registrations if r.status in LIVE) if facts.matched else ()


def live_here(facts: Facts) -> tuple[Registration, ...]:
    """Those whose practice place lies in the province of the target institution."""
    return tuple(r for r in live(facts) if r.province == facts.institution.province)


def bases(facts: Facts) -> tuple[Registration, ...]:
    """The registrations the practice asked for can rest on: of its own province for a site in one practice place."""
    if facts.type in (FilingType.SITE_FILE, FilingType.RENEW_SITE):
        return live_here(facts)
    return live(facts)


def undertaken(facts: Facts) -> bool:
    """The undertakings are part of the text a physician consents to, and of an attestation."""
    papers = facts.papers
    return papers.undertaken or papers.physician_consented or papers.attested


def months_after(day: date, months: int) -> date:
    """The corresponding day so many months on, or the last day of a month without it (民法典 202)."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def years_after(day: date, years: int) -> date:
    """The corresponding day so many years on (民法典 202)."""
    return months_after(day, 12 * years)

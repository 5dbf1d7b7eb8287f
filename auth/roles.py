"""The ten roles, what each one sees, and which can never be held together."""

from enum import StrEnum


class Role(StrEnum):
    """A role is always held in an organisation: see `auth.actor.Grant`."""

    PHYSICIAN = "physician"
    FILER = "filer"
    MANAGER = "manager"
    REVIEWER = "reviewer"
    SENIOR = "senior"
    LEAD = "lead"
    VERIFIER = "verifier"
    AUDITOR = "auditor"
    SYSADMIN = "sysadmin"
    SECADMIN = "secadmin"


class Sight(StrEnum):
    """Which filings a grant opens."""

    NONE = "none"
    OWN = "own"  # those about the physician themself
    ORGANISATION = "organisation"  # those of the institution
    JURISDICTION = "jurisdiction"  # those that reached the authority or one below it


SIGHT: dict[Role, Sight] = {
    Role.PHYSICIAN: Sight.OWN,
    Role.FILER: Sight.ORGANISATION,
    Role.MANAGER: Sight.ORGANISATION,
    Role.REVIEWER: Sight.JURISDICTION,
    Role.SENIOR: Sight.JURISDICTION,
    Role.LEAD: Sight.JURISDICTION,
    Role.VERIFIER: Sight.NONE,
    Role.AUDITOR: Sight.JURISDICTION,
    Role.SYSADMIN: Sight.NONE,
    Role.SECADMIN: Sight.NONE,
}

# Held only in an institution / only in an authority; the rest in either.
INSTITUTION_ROLES = frozenset({Role.PHYSICIAN, Role.FILER, Role.MANAGER})
AUTHORITY_ROLES = frozenset({Role.REVIEWER, Role.SENIOR, Role.LEAD, Role.AUDITOR, Role.SYSADMIN, Role.SECADMIN})

# GB/T 22239-2019 level 3: system, security and audit administration are three persons.
ADMINISTRATORS = frozenset({Role.SYSADMIN, Role.SECADMIN, Role.AUDITOR})

# Two factors, one of them cryptographic (GB/T 22239-2019 level 3; rule R167).
SECOND_FACTOR_ROLES = AUTHORITY_ROLES

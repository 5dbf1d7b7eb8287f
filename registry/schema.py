"""Every table, imported in one place to fill the metadata: what migrations are made from."""

from __future__ import annotations

import auth.tables  # noqa: F401
import registry.authorities.tables  # noqa: F401
import registry.codes.tables  # noqa: F401
import registry.documents.tables  # noqa: F401
import registry.filings.tables  # noqa: F401
import registry.idempotency  # noqa: F401
import registry.institutions.tables  # noqa: F401
import registry.log.tables  # noqa: F401
import registry.physicians.tables  # noqa: F401
import registry.rosters.tables  # noqa: F401
import registry.sites.tables  # noqa: F401
import registry.verification.tables  # noqa: F401
from registry.database import metadata

__all__ = ["APPEND_ONLY", "metadata"]

# Tables of which the application may only add and read rows (docs/adr/0003).
APPEND_ONLY = frozenset(
    {
        "access_record",
        "audit_event",
        "audit_payload",
        "authority_setting",
        "consent",
        "decision",
        "evaluation",
    }
)

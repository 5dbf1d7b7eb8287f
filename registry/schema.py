"""Every table, imported in one place to fill the metadata: what migrations are made from."""

from __future__ import annotations

import auth.tables  # noqa: F401
import registry.authorities.tables
import registry.codes.tables
import registry.documents.tables
import registry.filings.tables
import registry.idempotency
import registry.institutions.tables
import registry.log.tables
import registry.physicians.tables
import registry.repairs.tables
import registry.rosters.tables
import registry.sites.tables
import registry.verification.tables
import registry.witness.tables  # noqa: F401
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
        "fork_evidence",
        "log_checkpoint",
        "log_leaf",
        "log_tile",
        "opening_record",
    }
)

"""An answer as JSON, written once."""

from __future__ import annotations

import json
from typing import Any

from registry.verification.answer import Answer, Site
from registry.verification.question import rfc3339
from workflows.codes import CodeTables

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def rendered(answer: Answer, codes: CodeTables, receipt: str) -> bytes:
    """`{answer, reasons, physician, sites, as_of, source_age_s, receipt}`; codes with their names."""
    who = answer.physician
    return _encode(
        {
            "answer": answer.verdict,
            "reasons": answer.reasons,
            "physician": who
            and {
                "name": who.name,
                "level": codes.label("physician_level", who.level),
                "category": who.category and codes.label("practice_category", who.category),
            },
            "sites": [_site(site, codes) for site in answer.sites],
            "as_of": rfc3339(answer.as_of),
            "source_age_s": answer.source_age,
            "receipt": receipt,
        }
    ).encode()


def _site(site: Site, codes: CodeTables) -> dict[str, Any]:
    first, last = site.span.first, site.span.last
    return {
        "institution": site.institution,
        "registration_no": site.registration_no,
        "scopes": [codes.label("practice_scope", scope) for scope in site.scopes],
        "from": first and first.isoformat(),
        "to": last and last.isoformat(),
        "state": site.state,
        "main": site.main,
    }

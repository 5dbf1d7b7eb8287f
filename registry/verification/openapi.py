"""The two routes as OpenAPI describes them: they read their question themselves, so the framework cannot know."""

from __future__ import annotations

from typing import Any

from registry.verification.answer import Reason, SiteState, Verdict

_FIELDS: dict[str, tuple[str, dict[str, Any]]] = {
    "practising_code": ("Practising certificate code; required.", {"type": "string", "maxLength": 100}),
    "name": (
        "The physician's name; must fit. This or `institution` is required.",
        {"type": "string", "maxLength": 100},
    ),
    "institution": (
        "Registration number of an institution where the physician has or had a site.",
        {"type": "string", "maxLength": 100},
    ),
    "scope": ("Scope of practice, by code, key or Chinese name.", {"type": "string", "maxLength": 100}),
    "on": ("The day asked about; today in China by default.", {"type": "string", "format": "date"}),
    "as_known_on": (
        "As it was known then; now by default, never in the future.",
        {"type": "string", "format": "date-time"},
    ),
}

PARAMETERS: list[dict[str, Any]] = [
    {"name": name, "in": "query", "required": name == "practising_code", "description": text, "schema": schema}
    for name, (text, schema) in _FIELDS.items()
] + [
    {
        "name": "Purpose",
        "in": "header",
        "required": False,
        "description": "Why you ask; kept with the access record.",
        "schema": {"type": "string", "maxLength": 200},
    }
]

BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "additionalProperties": False,
                "required": ["practising_code"],
                "properties": {name: {**schema, "description": text} for name, (text, schema) in _FIELDS.items()},
            }
        }
    },
}

_LABEL = {"type": "object", "properties": {name: {"type": "string"} for name in ("code", "zh", "en")}}
_DAY = {"type": ["string", "null"], "format": "date"}

RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The answer, with a signed receipt.",
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "answer": {"enum": list(Verdict)},
                        "reasons": {"type": "array", "items": {"enum": list(Reason)}},
                        "physician": {
                            "type": ["object", "null"],
                            "properties": {"name": {"type": "string"}, "level": _LABEL, "category": _LABEL},
                        },
                        "sites": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "properties": {
                                    "institution": {"type": "string"},
                                    "registration_no": {"type": ["string", "null"]},
                                    "scopes": {"type": "array", "items": _LABEL},
                                    "from": _DAY,
                                    "to": _DAY,
                                    "state": {"enum": list(SiteState)},
                                    "main": {"type": "boolean"},
                                },
                            },
                        },
                        "as_of": {"type": "string", "format": "date-time"},
                        "source_age_s": {"type": ["integer", "null"]},
                        "receipt": {"type": "string"},
                    },
                }
            }
        },
    },
}

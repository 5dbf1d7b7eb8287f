"""What the framework cannot know of our API: problems instead of its own errors, who may knock, bodies read as streams."""

from __future__ import annotations

import re
from typing import Any

from fastapi.openapi.utils import get_openapi
from starlette.routing import BaseRoute

from registry.api.access import ACCESS

_PROBLEM = {
    "type": "object",
    "description": "RFC 9457; codes: docs/errors.md",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string", "description": "in the caller's language"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "message"],
                "properties": {name: {"type": "string"} for name in ("field", "code", "message")},
            },
        },
    },
}
_REFUSED = {
    "description": "A problem",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
# RFC 6749, 5.2: the token endpoints have an error form of their own.
_OAUTH = {"description": "An OAuth error", "content": {"application/json": {"schema": {"type": "object"}}}}

# The document writes {tile} where the route has {tile:path}.
_ACCESS = {re.sub(r":\w+}", "}", route): access for route, access in ACCESS.items()}

UPLOAD_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file", "institution"],
                    "properties": {
                        "file": {"type": "string", "format": "binary", "description": "CSV, TSV or XLSX"},
                        "institution": {"type": "string", "description": "registration number"},
                        "mapping": {"type": "string", "description": "JSON: a column of the file → a heading of ours"},
                    },
                    "additionalProperties": False,
                }
            }
        },
    }
}


def described(title: str, version: str, routes: list[BaseRoute]) -> dict[str, Any]:
    """The OpenAPI document of the application."""
    document = get_openapi(title=title, version=version, routes=routes)
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = _PROBLEM
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            access = _ACCESS.get(f"{method.upper()} {path}")
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = _OAUTH if path.startswith("/auth/") else _REFUSED
            if access and not access.public:
                operation["security"] = [{"token": []}]
                operation["description"] = _with_roles(operation.get("description", ""), access.roles, access.scopes)
    return document


def _with_roles(description: str, roles: frozenset[Any], scopes: frozenset[str]) -> str:
    who = ", ".join(sorted(roles)) + (f"; clients with scope {', '.join(sorted(scopes))}" if scopes else "")
    return f"{description}\n\nRoles: {who}.".strip()

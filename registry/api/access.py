"""Who may knock at which door: the one table that the doors enforce and the tests generate from.

A route that is not here answers nobody, and a test fails. What a role *sees* behind a door is `auth.roles.SIGHT`.
"""

from __future__ import annotations

from dataclasses import dataclass

from auth.actor import Actor, ActorKind
from auth.roles import Role


@dataclass(frozen=True)
class Access:
    """Open to everybody (`public`), or to these roles and to machine clients with one of these scopes."""

    roles: frozenset[Role] = frozenset()
    scopes: frozenset[str] = frozenset()
    public: bool = False

    def admits(self, actor: Actor) -> bool:
        if actor.kind is ActorKind.CLIENT:
            return bool(self.scopes & actor.scopes)
        return bool(self.roles & actor.roles())


def _roles(*roles: Role, scopes: tuple[str, ...] = ()) -> Access:
    return Access(frozenset(roles), frozenset(scopes))


PUBLIC = Access(public=True)
ANYONE = Access(frozenset(Role), frozenset({"verify", "directory", "changes"}))
HOSPITAL = (Role.FILER, Role.MANAGER)
OFFICERS = (Role.REVIEWER, Role.SENIOR, Role.LEAD)
READERS = _roles(Role.PHYSICIAN, *HOSPITAL, *OFFICERS, Role.AUDITOR)
ACTORS = _roles(Role.PHYSICIAN, *HOSPITAL, *OFFICERS)
ASKERS = _roles(Role.VERIFIER, *HOSPITAL, *OFFICERS, scopes=("verify",))

ACCESS: dict[str, Access] = {
    "POST /auth/token": PUBLIC,
    "POST /auth/revoke": PUBLIC,
    "POST /auth/introspect": PUBLIC,
    "GET /.well-known/oauth-authorization-server": PUBLIC,
    "GET /.well-known/jwks.json": PUBLIC,
    "GET /healthz": PUBLIC,
    "GET /readyz": PUBLIC,
    "GET /openapi.json": PUBLIC,
    "GET /log/checkpoint": PUBLIC,
    "GET /log/key": PUBLIC,
    "GET /log/tile/{tile:path}": PUBLIC,
    "GET /api/v1/me": ANYONE,
    "GET /api/v1/reasons": ANYONE,
    "GET /api/v1/institutions": ANYONE,
    "GET /api/v1/institutions/{registration_no}": ANYONE,
    "GET /api/v1/physicians": READERS,
    "POST /api/v1/physicians/search": READERS,
    "GET /api/v1/physicians/{physician_id}": READERS,
    "GET /api/v1/physicians/{physician_id}/sites": READERS,
    "GET /api/v1/physicians/{physician_id}/timeline": READERS,
    "GET /api/v1/physicians/{physician_id}/access": _roles(Role.PHYSICIAN, Role.AUDITOR),
    "POST /api/v1/filings": _roles(Role.PHYSICIAN, *HOSPITAL),
    "GET /api/v1/filings": READERS,
    "GET /api/v1/filings/{filing_id}": READERS,
    "POST /api/v1/filings/{filing_id}/acts": ACTORS,
    "POST /api/v1/filings/{filing_id}/attachments": _roles(Role.PHYSICIAN, *HOSPITAL),
    "GET /api/v1/filings/{filing_id}/attachments/{sha256}": READERS,
    "POST /api/v1/rosters": _roles(*HOSPITAL),
    "GET /api/v1/rosters": _roles(*HOSPITAL),
    "GET /api/v1/rosters/{roster_id}": _roles(*HOSPITAL),
    "GET /api/v1/rosters/{roster_id}/rows": _roles(*HOSPITAL),
    "GET /api/v1/rosters/{roster_id}/events": _roles(*HOSPITAL),
    "GET /api/v1/rosters/{roster_id}/report.csv": _roles(*HOSPITAL),
    "GET /api/v1/rosters/{roster_id}/report.xlsx": _roles(*HOSPITAL),
    "POST /api/v1/rosters/{roster_id}/acts": _roles(*HOSPITAL),
    "GET /api/v1/audit/events": _roles(Role.AUDITOR),
    "GET /api/v1/audit/events/{seq}/proof": _roles(Role.AUDITOR),
    "POST /api/v1/repairs": _roles(Role.SENIOR),
    "GET /api/v1/repairs": _roles(Role.SENIOR, Role.LEAD, Role.AUDITOR),
    "GET /api/v1/repairs/{repair_id}": _roles(Role.SENIOR, Role.LEAD, Role.AUDITOR),
    "POST /api/v1/repairs/{repair_id}/acts": _roles(Role.SENIOR, Role.LEAD),
    "GET /api/v1/verify": ASKERS,
    "POST /api/v1/verify": ASKERS,
}

"""Who acts in one request. Rebuilt from the database each time: the token says who, the database says what."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from auth.roles import Role


class ActorKind(StrEnum):
    ACCOUNT = "account"
    CLIENT = "client"
    OPERATOR = "operator"  # the installing operator at the command line
    SYSTEM = "system"  # the clock


@dataclass(frozen=True)
class Grant:
    """A role in an organisation: an institution's registration number or an authority's division code.

    Role and organisation stay together, or a reviewer here and a filer there could review there.
    """

    role: Role
    organisation: str


@dataclass(frozen=True)
class Actor:
    kind: ActorKind
    id: str
    name: str
    grants: frozenset[Grant] = frozenset()
    physician_id: uuid.UUID | None = None
    auth_time: datetime | None = None  # when the person last proved who they are
    scopes: frozenset[str] = frozenset()  # of a machine client
    purpose: str | None = None  # registered by a machine client

    def holds(self, role: Role, organisation: str | None) -> bool:
        return organisation is not None and Grant(role, organisation) in self.grants

    def roles(self) -> frozenset[Role]:
        return frozenset(grant.role for grant in self.grants)

    def organisations(self, *roles: Role) -> frozenset[str]:
        """Where the actor holds any of these roles; without roles, where they hold any."""
        return frozenset(g.organisation for g in self.grants if not roles or g.role in roles)


SYSTEM = Actor(ActorKind.SYSTEM, "system", "SYSTEM")
OPERATOR = Actor(ActorKind.OPERATOR, "operator", "operator")


def is_division(organisation: str) -> bool:
    """Whether an organisation code names an authority (GB/T 2260, six digits) and not an institution (22 characters)."""
    return len(organisation) == 6 and organisation.isascii() and organisation.isdigit()


def jurisdiction(division: str) -> str:
    """The prefix that the divisions below an authority share: 460000 → 46, 460100 → 4601, 460105 → 460105."""
    return division.removesuffix("00").removesuffix("00")

"""Whom the actor files for: the one check before a filing or a roster comes to be."""

from __future__ import annotations

from auth.roles import Role
from registry.context import Context
from registry.errors import FieldError, Refusal
from registry.institutions.queries import find
from registry.institutions.tables import Institution
from workflows.numbers import registration_number
from workflows.text import Text

_NOT_YOURS = Text(
    "您在该机构没有申报权限，请核对登记号。", "You hold no role in this institution; check its registration number."
)
_NOT_IN_FORCE = Text(
    "该机构的执业许可不在有效状态，不能申报。", "This institution's licence is not in force; it cannot file."
)


def files_for(context: Context, institution: Institution) -> bool:
    """Whether the actor is a filer or manager there."""
    return institution.registration_no in context.actor.organisations(Role.FILER, Role.MANAGER)


def filing_institution(context: Context, text: str, *, physicians_too: bool = False) -> Institution:
    """The institution named by its registration number. Raises `Refusal` unless the actor may file for it and its
    licence is in force; with `physicians_too` a physician may name any (for their own filing).
    """
    found = find(context.session, registration_number(text))
    own = physicians_too and Role.PHYSICIAN in context.actor.roles()
    if found is None or not (own or files_for(context, found)):
        raise Refusal(_NOT_YOURS, errors=(FieldError("institution", "refused", _NOT_YOURS),))
    if found.status != "ACTIVE":
        raise Refusal(_NOT_IN_FORCE, errors=(FieldError("institution", "refused", _NOT_IN_FORCE),))
    return found

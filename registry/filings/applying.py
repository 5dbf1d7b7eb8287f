"""From what a filer typed to what the rules can judge, and back from the stored filing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from registry.context import Context
from registry.errors import FieldError, Invalid, Refusal
from registry.filings.casefile import CaseFile
from registry.filings.facts import Application
from registry.filings.schemas import Changes, CreateFiling, PhysicianChanges, PhysicianIn
from registry.filings.tables import Filing
from registry.physicians.tables import Physician
from registry.time import day_in_china
from workflows.codes import CodeTables, FilingType
from workflows.filing import Author
from workflows.names import check_name, name_key
from workflows.numbers import NOT_ACCEPTED, normalised
from workflows.rules.facts import Facts, Person
from workflows.text import Text

_DOCUMENT = Text(
    "该证件不能用于申报，请改用居民身份证等身份证件。",
    "This document is not accepted for a filing; use an identity document.",
)
_NO_SUCH_CODE = Text(
    "{table}代码表中没有该代码或名称，请从表中选择。", "Not a code or name in the table of {table}; choose one of it."
)
_TABLES = {
    "identity_document": Text("证件类型", "identity documents"),
    "practice_category": Text("执业类别", "practice categories"),
    "practice_scope": Text("执业范围", "practice scopes"),
}
_NOT_YOURSELF = Text(
    "只能为本人申报，执业证书编码须为本人的编码。", "You can file only for yourself, under your own practising code."
)
_SOMEBODY_ELSE = Text(
    "已提交确认的申报不能改为另一位医师，请撤回后另行申报。",
    "A filing that has been proposed cannot become another physician's; withdraw it and file anew.",
)


def entered(context: Context, filing: Filing, given: CreateFiling | Changes) -> None:
    """Write what was typed into the filing: codes resolved, numbers normalised and sealed.

    Raises `Invalid`, and `Refusal` where it would become the filing of somebody else.
    """
    faults: list[FieldError] = []
    before = filing.practising_code
    if given.physician is not None:
        _person(context, filing, given.physician, faults)
    fields = given.model_fields_set
    if given.category is not None:
        filing.category = _code(context.codes, "practice_category", given.category, "category", faults)
    if given.scopes is not None:
        filing.scopes = sorted(
            {_code(context.codes, "practice_scope", s, f"scopes.{n}", faults) for n, s in enumerate(given.scopes)}
        )
    if given.type is not None:
        filing.type, filing.type_chosen = str(given.type), True
    for name in ("valid_from", "valid_to", "activity", "reason", "schedule", "contract_until", "note"):
        if name in fields:
            setattr(filing, name, getattr(given, name))
    if given.activity is not None:
        exempt = context.codes.find("exempt_activity", given.activity)
        filing.activity = exempt.code if exempt else given.activity
    if faults:
        raise Invalid(errors=tuple(faults))
    _ensure_same_person(context, filing, before)


def _ensure_same_person(context: Context, filing: Filing, before: str) -> None:
    """Whoever has been asked, and whoever files for themself, is not exchanged: papers and consents would go with it."""
    wrong: Text | None = None
    if filing.author == Author.PHYSICIAN:
        own = context.actor.physician_id
        person = context.session.get(Physician, own) if own else None
        if person is None or person.practising_code != filing.practising_code:
            wrong = _NOT_YOURSELF
    elif (filing.proposed_at or filing.submitted_at) and filing.practising_code != before:
        wrong = _SOMEBODY_ELSE
    if wrong:
        raise Refusal(wrong, errors=(FieldError("physician.practising_code", "refused", wrong),))


def _person(context: Context, filing: Filing, given: PhysicianIn | PhysicianChanges, faults: list[FieldError]) -> None:
    seal = context.seal
    if given.name is not None:
        if wrong := check_name(given.name):
            faults.append(FieldError("physician.name", "name", wrong))
        else:
            filing.name, filing.name_key = given.name.strip(), name_key(given.name)
    if given.id_type is not None:
        filing.id_type = _code(context.codes, "identity_document", given.id_type, "physician.id_type", faults)
        if filing.id_type in NOT_ACCEPTED:
            faults.append(FieldError("physician.id_type", "document", _DOCUMENT))
    if given.id_number is not None:
        number = normalised(given.id_number)
        filing.id_number_sealed = seal.seal("filing.id_number", filing.id, number)
        filing.id_number_index = seal.index("id_number", number)
    if given.practising_code is not None:
        filing.practising_code = normalised(given.practising_code)
    if given.qualification_code is not None:
        filing.qualification_sealed = seal.seal("filing.qualification", filing.id, normalised(given.qualification_code))
    if given.phone is not None:
        phone = normalised(given.phone)
        filing.phone_sealed = seal.seal("filing.phone", filing.id, phone) if phone else None
        filing.phone_index = seal.index("phone", phone) if phone else None


def written(context: Context, filing: Filing, facts: Facts) -> None:
    """Write into a draft what a row of a roster asks for, as it was read and judged."""
    seal, typed = context.seal, facts.person
    filing.name, filing.name_key, filing.id_type = typed.name, typed.name_key, typed.id_type
    filing.id_number_sealed = seal.seal("filing.id_number", filing.id, typed.id_number)
    filing.id_number_index = seal.index("id_number", typed.id_number)
    filing.practising_code = typed.practising_code
    filing.qualification_sealed = seal.seal("filing.qualification", filing.id, typed.qualification_code)
    if typed.phone:
        filing.phone_sealed = seal.seal("filing.phone", filing.id, typed.phone)
        filing.phone_index = seal.index("phone", typed.phone)
    filing.category, filing.scopes = facts.category, sorted(facts.scopes)
    filing.valid_from, filing.valid_to = facts.valid_from, facts.valid_to
    filing.activity, filing.reason = facts.activity, facts.reason


def _code(codes: CodeTables, table: str, text: str, field: str, faults: list[FieldError]) -> str:
    found = codes.find(table, text.strip())
    if found is None:
        faults.append(FieldError(field, "code", _NO_SUCH_CODE.filled({"table": _TABLES[table]})))
        return text
    return found.code


def person(context: Context, filing: Filing) -> Person:
    """The person of a stored filing, numbers opened."""
    opened: Callable[[str, bytes], str] = lambda column, value: context.seal.open(f"filing.{column}", filing.id, value)  # noqa: E731
    return Person(
        name=filing.name,
        name_key=filing.name_key,
        id_type=filing.id_type,
        id_number=opened("id_number", filing.id_number_sealed),
        practising_code=filing.practising_code,
        qualification_code=opened("qualification", filing.qualification_sealed),
        phone=opened("phone", filing.phone_sealed) if filing.phone_sealed else None,
    )


def application(context: Context, case: CaseFile) -> Application:
    """What a stored filing asks for."""
    filing = case.filing
    return Application(
        person=person(context, filing),
        institution=case.institution.registration_no,
        category=filing.category,
        scopes=frozenset(filing.scopes),
        valid_from=filing.valid_from,
        valid_to=filing.valid_to,
        papers=case.papers(context.codes),
        activity=filing.activity,
        reason=filing.reason,
        type=FilingType(filing.type) if filing.type_chosen or filing.proposed_at or filing.submitted_at else None,
        submitted_on=(begun := filing.proposed_at or filing.submitted_at) and day_in_china(begun),
        filing=filing.id,
    )


def changed_fields(given: Changes) -> list[str]:
    """The names of what was changed, for the audit event; never the values."""
    names: list[Any] = [name for name in given.model_fields_set if name != "physician"]
    if given.physician:
        names += [f"physician.{name}" for name in given.physician.model_fields_set]
    return sorted(names)

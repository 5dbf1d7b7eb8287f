"""An application that passes every rule, to be changed in one place at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, Final

from workflows.codes import Code, CodeTables, FilingType
from workflows.names import name_key
from workflows.numbers import mod_11_2
from workflows.rules.facts import (
    Assessment,
    Disqualification,
    Facts,
    Institution,
    Papers,
    Person,
    Policy,
    Practice,
    Registered,
    Registration,
    RegistrationStatus,
    Source,
)

TODAY: Final = date(2026, 11, 21)
SOURCE: Final = Source("national register", datetime(2026, 11, 20, tzinfo=UTC))
HOME: Final = "44490745543011111G1001"
TARGET: Final = "49850124X45010611G1001"


def id_number(born: date, *, division: str = "110105", sequence: str = "002") -> str:
    first17 = f"{division}{born:%Y%m%d}{sequence}"
    return first17 + mod_11_2(first17)


ID: Final = "11010519491231002X"  # the example of GB 11643
QUALIFICATION: Final = f"197446110{ID}"

CODES: Final = CodeTables(
    {
        "practice_category": {
            "1": Code("1", "临床", "Clinical medicine", "clinical", {"certificate_digits": ["10"]}),
            "2": Code("2", "口腔", "Stomatology", "stomatology", {"certificate_digits": ["20"]}),
            "3": Code("3", "公共卫生", "Public health", "public_health", {"certificate_digits": ["30"]}),
        },
        "scope_to_subject": {
            "11": Code("11", "内科专业", "Internal medicine", attributes={"primary": ["03"], "with_review": ["02"]}),
            "12": Code("12", "外科专业", "Surgery", attributes={"primary": ["04"], "with_review": ["14"]}),
        },
        "exempt_activity": {"E04": Code("E04", "会诊", "Consultation")},
    }
)

PERSON: Final = Person("李四光", name_key("李四光"), "01", ID, "110440000000001", QUALIFICATION)
REGISTRATION: Final = Registration(
    place="44",
    province="44",
    main_institution=HOME,
    main_institution_name="广东省人民医院",
    main_division="440100",
    level="1",
    category="1",
    scopes=frozenset({"11", "12"}),
    status=RegistrationStatus.ACTIVE,
    status_from=None,
    status_to=None,
    status_cause=None,
    registered_on=date(1999, 5, 1),
    source=SOURCE,
)
REGISTERED: Final = Registered(
    name_key=PERSON.name_key,
    id_number=ID,
    qualification_code=QUALIFICATION,
    birth_date=date(1949, 12, 31),
    level="1",
    first_registered=date(1999, 5, 1),
    registrations=(REGISTRATION,),
    assessments=(Assessment("合格", date(2025, 6, 30), SOURCE),),
)
INSTITUTION: Final = Institution(
    registration_no=TARGET,
    name="示范互联网医院",
    uscc="12330000470051726F",
    division="460106",
    province="46",
    category="A100",
    internet=True,
    subjects=frozenset({"03", "04"}),
    licence_until=date(2031, 12, 31),
    status="ACTIVE",
    authority="460000",
    authority_name="海南省卫生健康委员会",
    source=SOURCE,
)
POLICY: Final = Policy("460000", "46", "460000/1", "LOCAL_FILE", "公告", attested_consent=True)
FACTS: Final = Facts(
    today=TODAY,
    type=FilingType.XPROV_FILE,
    person=PERSON,
    institution=INSTITUTION,
    category="1",
    scopes=frozenset({"11"}),
    valid_from=date(2027, 1, 1),
    valid_to=date(2028, 12, 31),
    level="1",
    activity=None,
    reason=None,
    registered=REGISTERED,
    practices=(),
    papers=Papers(attested=True),
    policy=POLICY,
    codes=CODES,
)


def application(
    *,
    type: FilingType = FilingType.XPROV_FILE,  # noqa: A002 - named as the fact is
    person: dict[str, Any] | None = None,
    institution: dict[str, Any] | None = None,
    registered: dict[str, Any] | None = None,
    registration: dict[str, Any] | None = None,
    policy: dict[str, Any] | None = None,
    **facts: Any,
) -> Facts:
    """The sound application with these changes; one in the province when its type asks for it."""
    inside = {"place": "46", "province": "46"} if type in _INSIDE else {}
    entry = replace(REGISTERED, registrations=(replace(REGISTRATION, **inside | (registration or {})),))
    base = replace(
        FACTS,
        type=type,
        person=replace(PERSON, **(person or {})),
        institution=replace(INSTITUTION, **(institution or {})),
        registered=replace(entry, **(registered or {})),
        policy=replace(POLICY, **(policy or {})),
    )
    return replace(base, **facts)


def assistant(type_: FilingType, **registration: Any) -> Facts:
    """An assistant physician whose practice place is the county 460106, at a physical institution."""
    person = {"practising_code": "210440000000001", "qualification_code": f"197446210{ID}"}
    place = {"place": "460106", "province": "46", "level": "2"} | registration
    entry = replace(REGISTERED, level="2", registrations=(replace(REGISTRATION, **place),))
    return replace(application(type=type_, person=person, institution={"internet": False}), level="2", registered=entry)


def ground(code: str, since: date, until: date | None = None) -> dict[str, Any]:
    return {"disqualifications": (Disqualification(code, since, until, SOURCE),)}


def practice(**changes: Any) -> Practice:
    """A site that covers the term asked for, at another institution."""
    base = Practice("site", "F2026-1", HOME, date(2026, 1, 1), date(2027, 12, 31), frozenset({"11"}), in_force=True)
    return replace(base, **changes)


_INSIDE = {FilingType.SITE_FILE, FilingType.RENEW_SITE}

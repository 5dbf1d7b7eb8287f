"""Vectors of every built rule: facts with which it holds, and facts with which it does not."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

from tests.workflows.cases import filing
from tests.workflows.rules.applications import (
    FACTS,
    QUALIFICATION,
    REGISTRATION,
    SOURCE,
    TARGET,
    TODAY,
    application,
    assistant,
    ground,
    id_number,
    practice,
)
from workflows.codes import FilingType as T
from workflows.filing import Act, FilingFacts, State
from workflows.rules.facts import Assessment, Facts, Papers, RegistrationStatus, Suspension

DAY: Final = timedelta(days=1)
YOUNG = id_number(date(2008, 11, 22))
OF_AGE = id_number(date(2008, 11, 21))
HONG_KONG = id_number(date(1980, 1, 1), division="810000")
PHYSICAL: Final = {"internet": False}


def _id(number: str, **person: Any) -> Facts:
    return application(person={"id_number": number, **person}, registered={"id_number": None})


def _document(id_type: str, number: str) -> Facts:
    return _id(number, id_type=id_type)


def _add(**changes: Any) -> Facts:
    return application(type=T.ADD_REG, scopes=frozenset({"11", "12"}), **changes)


def _status(status: RegistrationStatus, since: date | None) -> Facts:
    return _add(registration={"status": status, "status_from": since})


def _first_registered(day: date | None, *suspensions: Suspension) -> Facts:
    return application(
        registered={"first_registered": day, "suspensions": suspensions}, registration={"registered_on": None}
    )


def _unmeasured() -> Facts:
    return _first_registered(None)


def _papers(**papers: bool) -> Facts:
    return application(papers=Papers(**papers))


def _two_rows(second: dict[str, Any]) -> tuple[Any, ...]:
    found = application(registration=second).registered
    assert found
    return (REGISTRATION, *found.registrations)


NO_PAPERS: Final = application(papers=Papers())
SITE: Final = application(type=T.SITE_FILE)
TWO_YEARS_AGO = date(2024, 11, 21)  # the last day of two years is today
SUSPENDED, REVOKED, WITHDRAWN = RegistrationStatus.SUSPENDED, RegistrationStatus.REVOKED, RegistrationStatus.WITHDRAWN
CANCELLED: Final = RegistrationStatus.CANCELLED

# rule: (facts with which it holds, facts with which it does not)
VECTORS: Final[dict[str, tuple[tuple[Facts, ...], tuple[Facts, ...]]]] = {
    "R001": (
        (FACTS, _id("440524188001010014"), _id("34052419800101001X"), _id(HONG_KONG, id_type="01-HK")),
        (_id("110105194912310021"), _id("11010519491331002X"), _id("1101051949123100"), _id("110105491231002")),
    ),
    "R002": (
        (FACTS, _id(OF_AGE)),
        (
            _id(YOUNG),
            application(
                person={"id_type": "03", "id_number": "E12345678"}, registered={"birth_date": date(2010, 1, 1)}
            ),
        ),
    ),
    "R003": (
        (application(person={"id_number": id_number(date(1950, 11, 22))}, policy={"switches": {"R003": "on"}}),),
        (application(policy={"switches": {"R003": "on"}}),),
    ),
    "R004": ((_document("01-HK", HONG_KONG),), (_document("01-MO", HONG_KONG), _document("01-TW", HONG_KONG))),
    "R005": (
        (_document("F23", "932682198501010017"), _document("F23", "911124198108030024")),
        (_document("F23", "932682198501010018"), _document("F23", "832682198501010017")),
    ),
    "R006": ((_document("F17", "USA110000010101"),), (_document("F17", "US1100000101011"),)),
    "R007": (
        (FACTS, _document("01-TW", id_number(date(1980, 1, 1), division="830000"))),
        tuple(_document(code, "H12345678") for code in ("03", "04", "06", "07", "F17", "F23", "99")),
    ),
    "R009": (
        (FACTS, application(person={"qualification_code": "197446110110105491231002"})),
        (
            application(person={"qualification_code": ""}),
            application(person={"qualification_code": QUALIFICATION[:-1]}),
            application(person={"qualification_code": "197446310" + QUALIFICATION[9:]}),
        ),
    ),
    "R010": (
        (FACTS, application(person={"qualification_code": "197446110110105491231002"})),
        (
            application(person={"qualification_code": f"197446110{OF_AGE}"}),
            application(registered={"id_number": OF_AGE}),
        ),
    ),
    "R011": (
        (FACTS, application(level=None)),
        (application(level="2"), application(level=None, registered={"level": "2"})),
    ),
    "R012": (
        (FACTS,),
        tuple(
            application(person={"practising_code": c})
            for c in ("11044000000001", "1104400000000011", "11044000000000A")
        ),
    ),
    "R013": (
        (FACTS, application(category="9")),
        (application(person={"practising_code": "210440000000001"}), application(category="2")),
    ),
    "R015": ((FACTS,), (application(institution={"uscc": "91350100M000100Y44"}),)),
    "R016": ((FACTS,), (application(institution={"registration_no": "PDY00123446010011A"}),)),
    "R021": (
        (FACTS, application(registration={"status": SUSPENDED})),
        (application(registration={"status": CANCELLED}), application(registered={"registrations": ()})),
    ),
    "R022": (
        (FACTS,),
        (application(registered={"name_key": "张三"}), application(person={"name_key": "李四"})),
    ),
    "R023": (
        (FACTS, application(registration={"status": CANCELLED})),
        (
            application(registration={"status": SUSPENDED, "status_to": date(2099, 12, 31)}),
            application(
                registered={"registrations": _two_rows({"place": "45", "province": "45", "status": SUSPENDED})}
            ),
        ),
    ),
    "R024": (
        (_add(), _status(REVOKED, TWO_YEARS_AGO - DAY), _add(registered=ground("D03", TWO_YEARS_AGO - DAY))),
        (_status(REVOKED, TWO_YEARS_AGO), _add(registered=ground("D03", TODAY))),
    ),
    "R025": (
        (_add(), _add(registered=ground("D02", TWO_YEARS_AGO - DAY, TODAY - DAY))),
        (_add(registered=ground("D02", TWO_YEARS_AGO)), _add(registered=ground("D02", date(2015, 1, 1), TODAY))),
    ),
    "R026": (
        (_add(), _add(registered=ground("D01", date(2020, 1, 1), TODAY - DAY))),
        (_add(registered=ground("D01", date(2020, 1, 1))),),
    ),
    "R027": (
        (_add(), _add(registered=ground("D04", date(2025, 11, 20)))),
        (_add(registered=ground("D04", date(2025, 11, 21))),),
    ),
    "R028": (
        (_add(), _status(WITHDRAWN, date(2023, 11, 20))),
        (_status(WITHDRAWN, date(2023, 11, 21)),),
    ),
    "R029": (
        (_add(), _add(registered={"false_material_on": date(2025, 11, 20)})),
        (_add(registered={"false_material_on": date(2025, 11, 21)}),),
    ),
    "R030": ((_add(),), (_add(registered=ground("D06", date(2026, 1, 1))),)),
    "R031": (
        (_add(),),
        (_add(registered=ground("D08", date(2010, 1, 1))), _add(registered=ground("D09", date(2010, 1, 1)))),
    ),
    "R032": (
        (
            FACTS,
            application(registered={"assessments": ()}),
            application(
                registered={
                    "assessments": (
                        Assessment("不合格", date(2024, 6, 30), SOURCE),
                        Assessment("合格", date(2024, 12, 1), SOURCE),
                    )
                }
            ),
        ),
        (application(registered={"assessments": (Assessment("不合格", date(2025, 6, 30), SOURCE),)}),),
    ),
    "R033": (
        (
            FACTS,
            application(registered={"assessments": (), "first_registered": date(2024, 1, 1)}),
            application(registered={"assessments": (Assessment("合格", None, SOURCE),)}),
        ),
        (
            application(registered={"assessments": ()}),
            application(registered={"assessments": (Assessment("合格", date(2023, 11, 20), SOURCE),)}),
        ),
    ),
    "R036": (
        (SITE, assistant(T.SITE_FILE)),
        (assistant(T.SITE_FILE, place="460105"), assistant(T.XPROV_FILE, place="440105", province="44")),
    ),
    "R037": ((SITE, assistant(T.SITE_FILE, place="460105")), (assistant(T.SITE_FILE),)),
    "R038": ((FACTS, application(level=None)), (application(level="2"), application(registered={"level": "2"}))),
    "R039": ((FACTS,), (application(category="3"),)),
    "R050": (
        (SITE, application(type=T.SITE_FILE, registration={"status": SUSPENDED})),
        (application(type=T.SITE_FILE, registration={"place": "44", "province": "44"}),),
    ),
    "R051": ((_add(),), (_add(registration={"place": "46", "province": "46"}),)),
    "R052": ((_add(),), (assistant(T.ADD_REG),)),
    "R053": (
        (_add(), _add(registered={"qualification_code": None})),
        (
            application(type=T.ADD_REG),
            _add(registration={"category": "2"}),
            _add(registered={"qualification_code": QUALIFICATION.replace("1974", "1975")}),
        ),
    ),
    "R054": (
        (
            application(type=T.CHANGE_MAIN, old_registration_ends=True),
            application(type=T.CHANGE, registration={"place": "46", "province": "46"}),
        ),
        (application(type=T.CHANGE_MAIN), application(type=T.CHANGE)),
    ),
    "R055": (
        (FACTS, application(registration={"main_institution": None})),
        (
            application(registration={"main_institution": None, "main_institution_name": ""}),
            application(registered={"registrations": _two_rows({"main_institution": TARGET})}),
        ),
    ),
    "R056": ((SITE,), (application(type=T.SITE_FILE, registration={"main_institution": TARGET}),)),
    "R057": (
        (
            FACTS,
            application(practices=(practice(),)),
            application(practices=(practice(institution=TARGET, valid_to=date(2026, 12, 31)),)),
            application(practices=(practice(institution=TARGET, valid_from=date(2029, 1, 1), valid_to=None),)),
        ),
        (
            application(practices=(practice(institution=TARGET),)),
            application(practices=(practice(institution=TARGET, valid_to=None),)),
            application(practices=(practice(institution=TARGET, valid_to=date(2027, 1, 1), in_force=False),)),
            application(duplicate_of="1"),
        ),
    ),
    "R058": (
        (FACTS, application(activity="互联网诊疗")),
        (application(activity="会诊"), application(activity="E04")),
    ),
    "R060": (
        (FACTS,),
        (application(institution={"authority": "460100"}), application(institution={"authority": None})),
    ),
    "R062": (
        (FACTS,),
        (
            application(policy={"cross_province_mode": "ADD_REG"}),
            application(policy={"cross_province_basis": None}),
            application(registration={"place": "46", "province": "46"}),
        ),
    ),
    "R070": (
        (FACTS, application(scopes=frozenset({"11", "12"})), application(type=T.CHANGE, scopes=frozenset({"16"}))),
        (application(scopes=frozenset({"11", "16"})),),
    ),
    "R071": ((FACTS,), (application(category="2"),)),
    "R072": (
        (FACTS, application(institution={"subjects": frozenset({"02"})})),
        (application(institution={"subjects": frozenset({"13"})}),),
    ),
    "R073": (
        (FACTS, application(institution={"subjects": frozenset({"13"})})),
        (
            application(institution={"subjects": frozenset({"02"})}),
            application(scopes=frozenset({"L01"})),
        ),
    ),
    "R074": (
        (FACTS, application(institution={"licence_until": TODAY})),
        (
            application(institution={"licence_until": TODAY - DAY}),
            application(institution={"status": "SUSPENDED"}),
            application(institution={"status": "CLOSED", "licence_until": None}),
        ),
    ),
    "R075": (
        (FACTS, application(institution={"authority": None})),
        (
            application(institution={"province": "44", "division": "440103"}),
            application(institution={"authority": "440000"}),
        ),
    ),
    "R076": (
        (FACTS, application(institution={"internet": False, "name": "海南省人民医院"})),
        (
            application(institution=PHYSICAL),
            application(institution={"internet": False, "name": "海南省人民医院"}, activity="互联网诊疗"),
        ),
    ),
    "R077": ((FACTS,), (application(scopes=frozenset({"11", "12"})),)),
    "R080": (
        (_first_registered(date(2023, 11, 21)), _unmeasured()),
        (
            _first_registered(date(2023, 11, 22)),
            _first_registered(date(2023, 11, 1), Suspension(date(2024, 1, 1), date(2024, 6, 30))),
        ),
    ),
    "R081": (
        (FACTS, _first_registered(date(2023, 8, 21)), _first_registered(date(2025, 1, 1))),
        (_first_registered(date(2023, 8, 22)), _first_registered(date(2023, 11, 21)), _unmeasured()),
    ),
    "R082": (
        (
            FACTS,
            _papers(main_institution_consented=True),
            application(papers=Papers(), registration={"main_institution": TARGET}),
        ),
        (NO_PAPERS, _papers(physician_consented=True)),
    ),
    "R083": (
        (
            application(type=T.SITE_FILE, institution=PHYSICAL, papers=Papers(main_institution_consented=True)),
            application(type=T.SITE_FILE, papers=Papers()),
        ),
        (application(type=T.SITE_FILE, institution=PHYSICAL, papers=Papers()),),
    ),
    "R087": ((FACTS, _papers(physician_consented=True), _papers(undertaken=True)), (NO_PAPERS,)),
    "R100": (
        (FACTS,),
        (
            application(valid_from=None),
            application(valid_to=None),
            application(valid_to=date(2027, 1, 1)),
            application(valid_from=date(2028, 12, 31), valid_to=date(2027, 1, 1)),
        ),
    ),
    "R101": ((FACTS, application(valid_from=TODAY)), (application(valid_from=TODAY - DAY),)),
    "R103": (
        (FACTS, application(valid_to=date(2031, 12, 31))),
        (application(valid_to=date(2032, 1, 1)),),
    ),
    "R104": (
        (FACTS, application(valid_to=FACTS.today + timedelta(days=1000), policy={"max_term_days": 1000})),
        (application(policy={"max_term_days": 729}), application(valid_to=date(2031, 1, 1))),
    ),
    "R108": (
        (
            application(practices=tuple(practice(ref=str(n)) for n in range(4))),
            application(practices=tuple(practice(ref=str(n), in_force=False) for n in range(9))),
        ),
        (
            application(practices=tuple(practice(ref=str(n)) for n in range(5))),
            application(practices=(practice(),), policy={"max_sites": 1}),
        ),
    ),
    "R124": ((FACTS, _papers(physician_consented=True)), (NO_PAPERS, _papers(institution_confirmed=True))),
    "R125": ((FACTS, _papers(physician_consented=True), _papers(undertaken=True)), (NO_PAPERS,)),
    "R126": ((FACTS, _papers(institution_confirmed=True)), (NO_PAPERS, _papers(physician_consented=True))),
    "R160": ((FACTS, _papers(physician_consented=True)), (NO_PAPERS,)),
}

# Rules that the filing machine keeps as guards: (act, who does it, facts with which it goes, facts with which it does not).
GUARDED: Final[dict[str, tuple[Act, str, FilingFacts, FilingFacts]]] = {
    "R131": (
        Act.RETURN,
        "reviewer",
        filing(State.REVIEW, claimed_by="reviewer"),
        filing(State.REVIEW, claimed_by="reviewer", returned_before=True),
    ),
    "R138": (Act.CLAIM, "reviewer", filing(State.SUBMITTED), filing(State.SUBMITTED, actor_conflicts=True)),
    "R139": (
        Act.APPROVE,
        "senior",
        filing(State.SENIOR, claimed_by="senior", recommended_by="reviewer"),
        filing(State.SENIOR, claimed_by="senior", recommended_by="senior"),
    ),
}

"""The decision, without a database: every answer, every reason, and what must never happen."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.verification.answer import (
    Answer,
    Facts,
    Reason,
    Registration,
    SiteState,
    Span,
    Stretch,
    Verdict,
    answer,
)
from registry.verification.question import Question
from workflows.rules.facts import RegistrationStatus

NOW = datetime(2026, 11, 21, 1, tzinfo=UTC)
TODAY = date(2026, 11, 21)
HOME, HOST, ELSEWHERE = "MAIN0000000000000000A1", "HOST0000000000000000A1", "ELSE0000000000000000A1"

ASKED = Question("110440000000001", "key", None, None, TODAY, None)
REGISTERED = Registration(
    place="44",
    registration_no=HOME,
    institution="Home",
    level="1",
    category="clinical",
    scopes=("1", "2"),
    status=RegistrationStatus.ACTIVE,
    status_from=None,
    span=Span(date(2015, 1, 1), None),
    source_at=NOW - timedelta(days=1),
)
SITE = Stretch("s1", HOST, "Host", "44", ("1",), SiteState.EFFECTIVE, Span(date(2026, 12, 1), date(2027, 11, 30)))
DURING, BEFORE, AFTER = date(2026, 12, 1), date(2026, 11, 30), date(2027, 12, 1)
KNOWN = Facts("p1", "Name", "key", "1", (REGISTERED,), (SITE,), {"44": NOW - timedelta(days=1)})


def registered(status: RegistrationStatus, since: date | None = None) -> Registration:
    return replace(REGISTERED, status=status, status_from=since)


def asked(facts: Facts | None, **question: object) -> Answer:
    return answer(facts, replace(ASKED, **question), NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("question", "verdict", "reasons"),
    [
        ({}, Verdict.AUTHORISED, ()),
        ({"institution": HOME}, Verdict.AUTHORISED, ()),
        ({"institution": HOME, "scope": "2"}, Verdict.AUTHORISED, ()),
        ({"institution": HOME, "scope": "3"}, Verdict.NOT_AUTHORISED, (Reason.SCOPE,)),
        ({"institution": HOME, "on": date(2014, 12, 31)}, Verdict.NOT_AUTHORISED, (Reason.NOT_STARTED,)),
        ({"institution": HOST}, Verdict.NOT_AUTHORISED, (Reason.NOT_STARTED,)),
        ({"institution": HOST, "on": BEFORE}, Verdict.NOT_AUTHORISED, (Reason.NOT_STARTED,)),
        ({"institution": HOST, "on": DURING}, Verdict.AUTHORISED, ()),
        ({"institution": HOST, "on": SITE.span.last}, Verdict.AUTHORISED, ()),
        ({"institution": HOST, "on": AFTER}, Verdict.NOT_AUTHORISED, (Reason.ENDED,)),
        ({"institution": HOST, "on": DURING, "scope": "1"}, Verdict.AUTHORISED, ()),
        ({"institution": HOST, "on": DURING, "scope": "2"}, Verdict.NOT_AUTHORISED, (Reason.SCOPE,)),
        ({"institution": ELSEWHERE}, Verdict.NOT_AUTHORISED, (Reason.NO_SITE,)),
        ({"scope": "3", "on": DURING}, Verdict.NOT_AUTHORISED, (Reason.SCOPE,)),
        ({"scope": "3"}, Verdict.NOT_AUTHORISED, (Reason.NOT_STARTED, Reason.SCOPE)),
        ({"name_key": "other"}, Verdict.UNKNOWN, ()),
        ({"name_key": "other", "institution": HOME}, Verdict.UNKNOWN, ()),
        ({"name_key": None, "institution": HOME}, Verdict.AUTHORISED, ()),
        ({"name_key": None, "institution": ELSEWHERE}, Verdict.UNKNOWN, ()),
        ({"name_key": None, "institution": HOST}, Verdict.NOT_AUTHORISED, (Reason.NOT_STARTED,)),
    ],
)
def test_the_first_that_holds_is_answered(
    question: dict[str, object], verdict: Verdict, reasons: tuple[Reason, ...]
) -> None:
    found = asked(KNOWN, **question)
    assert (found.verdict, found.reasons) == (verdict, reasons)


@pytest.mark.parametrize(
    ("state", "verdict", "reasons"),
    [
        (SiteState.EFFECTIVE, Verdict.AUTHORISED, ()),
        (SiteState.SUSPENDED, Verdict.SUSPENDED, (Reason.SITE_SUSPENDED,)),
        (SiteState.ENDED, Verdict.NOT_AUTHORISED, (Reason.ENDED,)),
        (SiteState.EXPIRED, Verdict.NOT_AUTHORISED, (Reason.ENDED,)),
        (SiteState.LAPSED, Verdict.NOT_AUTHORISED, (Reason.CANCELLED,)),
        (SiteState.REVOKED, Verdict.NOT_AUTHORISED, (Reason.CANCELLED,)),
    ],
)
def test_the_state_of_the_site_decides(state: SiteState, verdict: Verdict, reasons: tuple[Reason, ...]) -> None:
    facts = replace(KNOWN, stretches=(replace(SITE, state=state),))
    found = asked(facts, institution=HOST, on=DURING)
    assert (found.verdict, found.reasons) == (verdict, reasons)
    assert asked(facts, on=DURING).verdict is Verdict.AUTHORISED, "the main institution does not fall with a site"


def test_a_suspended_site_is_not_the_answer_while_another_fits() -> None:
    facts = replace(KNOWN, stretches=(replace(SITE, state=SiteState.SUSPENDED),))
    found = asked(facts, on=DURING)
    assert [site.registration_no for site in found.sites] == [HOME]


@pytest.mark.parametrize(
    "gone", [RegistrationStatus.CANCELLED, RegistrationStatus.REVOKED, RegistrationStatus.WITHDRAWN]
)
def test_without_its_registration_no_site_stands(gone: RegistrationStatus) -> None:
    facts = replace(KNOWN, registrations=(registered(gone, TODAY),))
    for institution in (HOME, HOST, None):
        found = asked(facts, institution=institution, on=DURING)
        assert (found.verdict, found.reasons) == (Verdict.NOT_AUTHORISED, (Reason.CANCELLED,))
    assert asked(facts, institution=HOME, on=TODAY - timedelta(days=1)).verdict is Verdict.AUTHORISED


def test_a_site_rests_on_its_own_place_alone() -> None:
    other = replace(registered(RegistrationStatus.CANCELLED), place="46", registration_no=ELSEWHERE)
    facts = replace(KNOWN, registrations=(REGISTERED, other), confirmed={**KNOWN.confirmed, "46": NOW})
    assert asked(facts, institution=HOST, on=DURING).verdict is Verdict.AUTHORISED
    assert asked(facts, institution=ELSEWHERE).reasons == (Reason.CANCELLED,)


def test_one_suspended_registration_suspends_the_person_everywhere() -> None:
    other = replace(registered(RegistrationStatus.SUSPENDED, TODAY), place="46", registration_no=ELSEWHERE)
    facts = replace(KNOWN, registrations=(REGISTERED, other), confirmed={**KNOWN.confirmed, "46": NOW})
    found = asked(facts, institution=HOST, on=DURING)
    assert (found.verdict, found.reasons) == (Verdict.SUSPENDED, (Reason.REGISTRATION_SUSPENDED,))
    assert [site.state for site in found.sites] == [SiteState.SUSPENDED]
    assert asked(facts, on=TODAY - timedelta(days=1)).verdict is Verdict.AUTHORISED, "not before its first day"


def test_a_suspension_outlives_its_printed_end_until_the_register_says_otherwise() -> None:
    facts = replace(KNOWN, registrations=(registered(RegistrationStatus.SUSPENDED, date(2020, 1, 1)),))
    assert asked(facts, on=date(2099, 1, 1)).verdict is Verdict.SUSPENDED


@pytest.mark.parametrize(("days", "verdict"), [(35, Verdict.AUTHORISED), (36, Verdict.CANNOT_CONFIRM)])
def test_a_source_older_than_its_limit_confirms_nothing(days: int, verdict: Verdict) -> None:
    found = asked(replace(KNOWN, confirmed={"44": NOW - timedelta(days=days)}))
    assert (found.verdict, found.source_age) == (verdict, days * 86_400)
    assert not found.sites or verdict is Verdict.AUTHORISED


def test_the_limit_is_the_authoritys() -> None:
    facts = replace(KNOWN, confirmed={"44": NOW - timedelta(days=9)}, max_age_days=8)
    assert asked(facts).verdict is Verdict.CANNOT_CONFIRM


def test_one_stale_place_is_enough_since_it_could_hide_a_suspension() -> None:
    other = replace(REGISTERED, place="46", registration_no=ELSEWHERE)
    facts = replace(
        KNOWN, registrations=(REGISTERED, other), confirmed={**KNOWN.confirmed, "46": NOW - timedelta(days=90)}
    )
    assert asked(facts).verdict is Verdict.CANNOT_CONFIRM
    over = replace(other, span=Span(date(2010, 1, 1), date(2014, 1, 1)))
    assert asked(replace(facts, registrations=(REGISTERED, over))).verdict is Verdict.AUTHORISED, (
        "one that is over cannot"
    )


def test_a_place_nobody_confirmed_is_not_fresh() -> None:
    assert asked(replace(KNOWN, confirmed={})).verdict is Verdict.CANNOT_CONFIRM


def test_the_limit_does_not_judge_what_was_known_in_the_past() -> None:
    then = NOW - timedelta(hours=12)
    found = asked(replace(KNOWN, confirmed={}), as_known_on=then)
    assert (found.verdict, found.as_of, found.source_age) == (Verdict.AUTHORISED, then, 12 * 3600)


def test_the_main_institution_of_the_day_is_the_one_that_counts() -> None:
    moved = date(2026, 6, 1)
    facts = replace(
        KNOWN,
        registrations=(
            replace(REGISTERED, span=Span(date(2015, 1, 1), moved - timedelta(days=1))),
            replace(REGISTERED, registration_no=ELSEWHERE, span=Span(moved, None)),
        ),
    )
    assert asked(facts, institution=HOME).reasons == (Reason.ENDED,)
    assert asked(facts, institution=ELSEWHERE).verdict is Verdict.AUTHORISED
    assert asked(facts, institution=HOME, on=moved - timedelta(days=1)).verdict is Verdict.AUTHORISED
    assert asked(facts, institution=ELSEWHERE, on=moved - timedelta(days=1)).reasons == (Reason.NOT_STARTED,)


def test_unknown_says_the_same_whatever_is_behind_it() -> None:
    nobody = asked(None)
    assert nobody == asked(KNOWN, name_key="other") == asked(KNOWN, name_key=None, institution=ELSEWHERE)
    assert (nobody.physician, nobody.sites, nobody.reasons, nobody.source_age) == (None, (), (), None)


days = st.dates(date(2024, 1, 1), date(2029, 1, 1))
spans = st.builds(lambda a, b: Span(min(a, b), max(a, b)), days, days) | st.builds(Span, days, st.none())
places = st.sampled_from(["44", "46"])
institutions = st.sampled_from([HOME, HOST, ELSEWHERE])
scope_lists = st.lists(st.sampled_from(["1", "2", "3"]), unique=True).map(tuple)
registrations = st.builds(
    Registration,
    place=places,
    registration_no=institutions,
    institution=st.just("Home"),
    level=st.just("1"),
    category=st.just("clinical"),
    scopes=scope_lists,
    status=st.sampled_from(RegistrationStatus),
    status_from=st.none() | days,
    span=spans,
    source_at=st.just(NOW),
)
states = st.sampled_from([state for state in SiteState if state is not SiteState.NOT_STARTED])
stretches = st.builds(
    Stretch, st.sampled_from(["s1", "s2"]), institutions, st.just("Host"), places, scope_lists, states, spans
)
people = st.builds(
    Facts,
    st.just("p1"),
    st.just("Name"),
    st.sampled_from(["key", "other"]),
    st.just("1"),
    st.lists(registrations, max_size=3).map(tuple),
    st.lists(stretches, max_size=3).map(tuple),
    st.just({"44": NOW, "46": NOW}),
)
questions = st.builds(
    Question,
    st.just("110440000000001"),
    st.sampled_from(["key", None]),
    institutions,
    st.none() | st.sampled_from(["1", "2", "3"]),
    days,
    st.none(),
)


@given(people, questions, places)
def test_adding_a_suspension_never_authorises(facts: Facts, question: Question, place: str) -> None:
    held = replace(REGISTERED, place=place, status=RegistrationStatus.SUSPENDED, span=Span(None, None))
    worse = replace(facts, registrations=(*facts.registrations, held))
    assert answer(worse, question, NOW).verdict is not Verdict.AUTHORISED


@given(people, questions)
def test_whoever_is_authorised_has_a_site_that_fits_and_a_living_registration(facts: Facts, question: Question) -> None:
    found = answer(facts, question, NOW)
    if found.verdict is not Verdict.AUTHORISED:
        assert found.verdict in (Verdict.SUSPENDED, Verdict.CANNOT_CONFIRM, Verdict.UNKNOWN) or found.reasons
        return
    assert found.sites
    for site in found.sites:
        assert site.state is SiteState.EFFECTIVE
        assert site.span.covers(question.on)
        assert question.institution in (None, site.registration_no)
        assert question.scope is None or question.scope in site.scopes
    assert any(r.span.covers(question.on) for r in facts.registrations)


@given(people, questions)
def test_a_narrower_question_never_finds_more(facts: Facts, question: Question) -> None:
    wide, narrow = answer(facts, replace(question, scope=None), NOW), answer(facts, question, NOW)
    assert narrow.verdict is not Verdict.AUTHORISED or wide.verdict is Verdict.AUTHORISED


@given(people, questions)
def test_a_wrong_name_is_indistinguishable_from_nobody(facts: Facts, question: Question) -> None:
    wrong = replace(question, name_key="nobody's")
    assert answer(facts, wrong, NOW) == answer(None, wrong, NOW)

"""What may be asked: every field read strictly, and the identity number nowhere."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import Invalid
from registry.verification.question import FIELDS, Question, ask
from workflows.codes import Code, CodeTables

NOW = datetime(2026, 11, 20, 16, 30, tzinfo=UTC)  # the 21st in China
CODES = CodeTables({"practice_scope": {"101": Code("101", "内科专业", "Internal medicine", "internal_medicine")}})
GOOD = {"practising_code": "110440000000001", "name": "王伟"}


def asked(**fields: object) -> Question:
    return ask({**GOOD, **fields}, CODES, NOW)


def refused(**fields: object) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        ask({**GOOD, **fields}, CODES, NOW)
    for error in caught.value.errors:
        assert error.text.zh
        assert error.text.en
    return {error.field: error.code for error in caught.value.errors}


def test_defaults_are_today_in_china_and_what_is_known_now() -> None:
    assert asked() == Question("110440000000001", "王伟", None, None, date(2026, 11, 21), None)


def test_numbers_are_read_as_people_write_them() -> None:
    question = asked(practising_code=" １１０44 0000000001", institution="16099382-211010011a1001")
    assert (question.practising_code, question.institution) == ("110440000000001", "16099382211010011A1001")


@pytest.mark.parametrize("scope", ["101", "内科专业", "internal_medicine"])
def test_a_scope_goes_by_code_name_or_key(scope: str) -> None:
    assert asked(scope=scope).scope == "101"


def test_a_name_is_compared_by_its_key() -> None:
    assert asked(name="阿不都・热合曼").name_key == asked(name="阿不都·热合曼").name_key


@pytest.mark.parametrize(
    "text", ["2026-11-20T08:00:00Z", "2026-11-20T16:00:00+08:00", "2026-11-20t08:00:00.000z", "2026-11-20T16:30:00Z"]
)
def test_a_time_of_knowledge_carries_its_offset(text: str) -> None:
    known = asked(as_known_on=text).as_known_on
    assert known is not None
    assert known.utcoffset() is not None
    assert known <= NOW


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"practising_code": None}, "practising_code", "missing"),
        ({"practising_code": "no/such"}, "practising_code", "format"),
        ({"practising_code": "1" * 33}, "practising_code", "format"),
        ({"name": None}, "name", "missing"),
        ({"name": "  "}, "name", "empty"),
        ({"name": "王\x00伟"}, "name", "characters"),
        ({"name": "王\ud800"}, "name", "characters"),
        ({"name": "王\ue000"}, "name", "characters"),
        ({"name": "王" * 101}, "name", "too_long"),
        ({"name": 5}, "name", "type"),
        ({"institution": "十六"}, "institution", "format"),
        ({"institution": ["a"]}, "institution", "type"),
        ({"scope": "no such scope"}, "scope", "unknown_code"),
        ({"on": "20261121"}, "on", "date"),
        ({"on": "2026-02-30"}, "on", "date"),
        ({"on": "1026-02-03"}, "on", "date"),
        ({"on": "２026-02-03"}, "on", "date"),
        ({"as_known_on": "2026-11-20T08:00:00"}, "as_known_on", "instant"),
        ({"as_known_on": "2026-11-20"}, "as_known_on", "instant"),
        ({"as_known_on": "2026-11-20T16:00:00 08:00"}, "as_known_on", "instant"),
        ({"as_known_on": "0001-01-01T00:00:00+10:00"}, "as_known_on", "instant"),
        ({"as_known_on": "2026-11-20T16:30:01Z"}, "as_known_on", "future"),
        ({"birthday": "2000-01-01"}, "birthday", "unknown_field"),
        ({"\ud800": "x"}, "?", "unknown_field"),
    ],
)
def test_each_fault_is_named_by_its_field(fields: dict[str, object], field: str, code: str) -> None:
    assert refused(**fields)[field] == code


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize(
    "number",
    ["110101199003070011", "11010119900307001x", "110101 19900307 0011", "１１０１０１１９９００３０７００１Ｘ"],
)
def test_an_identity_number_is_refused_in_every_field(field: str, number: str) -> None:
    assert refused(**{field: number})[field] == "identity_number"


def test_an_identity_number_beside_a_name_is_refused_too() -> None:
    assert refused(name="王伟110101199003070011") == {"name": "identity_number"}


def test_all_faults_are_told_at_once() -> None:
    assert refused(practising_code=None, name=None, on="soon").keys() == {"practising_code", "name", "on"}


def test_what_a_receipt_repeats_never_holds_the_name() -> None:
    stated = asked(as_known_on="2026-11-20T08:00:00Z", scope="101", institution="16099382211010011A1001").stated()
    assert stated == {
        "practising_code": "110440000000001",
        "name_given": True,
        "institution": "16099382211010011A1001",
        "scope": "101",
        "on": "2026-11-21",
        "as_known_on": "2026-11-20T08:00:00Z",
    }


@given(st.dictionaries(st.sampled_from(FIELDS), st.text(st.characters(), max_size=120) | st.none() | st.integers()))
def test_any_text_is_a_question_or_named_faults(fields: dict[str, object]) -> None:
    named: set[str] = set()
    try:
        ask(fields, CODES, NOW)
    except Invalid as invalid:
        named = {error.field for error in invalid.errors}
    assert named <= set(FIELDS)
    assert named or (fields.get("practising_code") and (fields.get("name") or fields.get("institution")))

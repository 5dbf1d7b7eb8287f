"""Verification through its routes, on a real PostgreSQL."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from fastapi.testclient import TestClient
from sqlalchemy.dialects.postgresql import Range
from sqlmodel import Session, select, update

from auth import tokens
from auth.errors import InvalidToken
from auth.keys import KeyStore, Purpose
from auth.roles import Role
from auth.tables import AccountGrant, SignIn
from registry.api.access import ACCESS
from registry.authorities.tables import AuthoritySetting
from registry.errors import Invalid
from registry.log.tables import AuditEvent
from registry.physicians.tables import Physician
from registry.transaction import transaction
from registry.verification import routes
from registry.verification.queries import who_looked
from registry.verification.tables import AccessRecord
from tests.registry.verification.conftest import HOSPITAL, INTERNET, LONG_AGO, NOW, SCOPE, Register

START = "2026-12-01"
REALM = tokens.Realm("https://registry.test")


@pytest.fixture
def asked(http: TestClient, verifier: dict[str, str]) -> Any:
    def ask(expected: int = 200, headers: Any = None, **question: Any) -> dict[str, Any]:
        answer = http.get("/api/v1/verify", params=question, headers=verifier if headers is None else headers)
        assert answer.status_code == expected, answer.text
        found: dict[str, Any] = answer.json()
        return found

    return ask


def records(register: Register, code: str) -> list[AccessRecord]:
    with Session(register.database.engine) as session:
        found = session.exec(select(AccessRecord).where(AccessRecord.practising_code == code))
        return list(found.all())


def test_a_physician_is_authorised_at_the_main_institution_of_the_register(asked: Any, register: Register) -> None:
    found = asked(practising_code=register.physician(), name="王伟", scope=SCOPE)
    assert found["answer"] == "authorised"
    assert found["physician"]["name"] == "王伟"
    assert found["physician"]["level"] == {"code": "1", "zh": "执业医师", "en": found["physician"]["level"]["en"]}
    assert found["sites"] == [
        {
            "institution": "北京市人民医院",
            "registration_no": HOSPITAL,
            "scopes": found["sites"][0]["scopes"],
            "from": "2015-01-01",
            "to": None,
            "state": "EFFECTIVE",
            "main": True,
        }
    ]
    assert found["sites"][0]["scopes"][0]["zh"] == SCOPE
    assert found["as_of"] == "2026-11-21T01:00:00Z"
    assert found["source_age_s"] == 86_400


def test_an_approved_site_is_authorised_from_its_first_to_its_last_day(asked: Any, register: Register) -> None:
    code = register.physician()
    register.site(code)

    def on(day: str) -> tuple[str, list[str]]:
        found = asked(practising_code=code, institution=INTERNET, on=day)
        return found["answer"], found["reasons"]

    assert on("2026-11-30") == ("not_authorised", ["not_started"])
    assert on(START) == ("authorised", [])
    assert on("2027-11-30") == ("authorised", [])
    assert on("2027-12-01") == ("not_authorised", ["ended"])
    assert asked(practising_code=code, institution=INTERNET, on=START)["sites"][0]["to"] == "2027-11-30"


def test_get_and_post_give_one_answer(http: TestClient, verifier: dict[str, str], register: Register) -> None:
    question = {"practising_code": register.physician(), "name": "王伟", "institution": HOSPITAL}
    got = http.get("/api/v1/verify", params=question, headers=verifier).json()
    posted = http.post("/api/v1/verify", json={**question, "scope": None}, headers=verifier).json()
    assert got.pop("receipt") != posted.pop("receipt")
    assert got == posted


def test_a_correction_is_known_from_its_recording_on(asked: Any, register: Register) -> None:
    """The register said ACTIVE, and later that it had been suspended since the first of November."""
    corrected = NOW - timedelta(days=5)
    code = register.physician(recorded=Range(LONG_AGO, corrected))
    with transaction(register.database) as session:
        person = session.exec(select(Physician).where(Physician.practising_code == code)).one()
        since = date(2026, 11, 1)
        for span, status in ((Range(date(2015, 1, 1), since), "ACTIVE"), (Range(since, None), "SUSPENDED")):
            session.add(register.registration(person.id, valid=span, status=status, recorded=Range(corrected, None)))

    def on_the_tenth(**known: str) -> str:
        return str(asked(practising_code=code, name="王伟", on="2026-11-10", **known)["answer"])

    assert on_the_tenth() == "suspended"
    assert on_the_tenth(as_known_on="2026-11-12T00:00:00Z") == "authorised"
    assert on_the_tenth(as_known_on="2026-11-16T01:00:00Z") == "suspended"
    assert asked(practising_code=code, name="王伟", on="2026-10-31")["answer"] == "authorised"
    assert asked(practising_code=code, name="王伟", as_known_on="2019-01-01T00:00:00Z")["reasons"] == ["no_site"]


def test_a_back_dated_end_of_a_site_changes_the_past_only_for_those_who_ask_now(asked: Any, register: Register) -> None:
    code = register.physician()
    ended = NOW - timedelta(minutes=10)
    began = date(2026, 10, 1)
    site = register.site(code, valid=Range(began, date(2027, 10, 1)), recorded=Range(NOW - timedelta(days=40), ended))
    register.site(code, site_id=site, valid=Range(began, date(2026, 11, 1)), recorded=Range(ended, None))
    register.site(code, site_id=site, valid=Range(date(2026, 11, 1), None), recorded=Range(ended, None), state="ENDED")
    question = {"practising_code": code, "institution": INTERNET, "on": "2026-11-10"}
    assert asked(**question)["reasons"] == ["ended"]
    assert asked(**question, as_known_on="2026-11-20T00:00:00Z")["answer"] == "authorised"
    assert asked(**{**question, "on": "2026-10-31"})["answer"] == "authorised"


def test_unknown_is_the_same_bytes_whatever_is_unknown(
    http: TestClient, verifier: dict[str, str], register: Register
) -> None:
    code = register.physician()
    register.site(code)
    questions = [
        {"practising_code": "199990000999999", "name": "何某某"},
        {"practising_code": code, "name": "何某某"},
        {"practising_code": code, "name": "何某某", "institution": INTERNET},
        {"practising_code": code, "institution": "99999999999999999A1001"},
        {"practising_code": "199990000999999", "institution": INTERNET},
    ]
    answers = [http.get("/api/v1/verify", params=question, headers=verifier) for question in questions]
    bodies = {answer.text.replace(answer.json()["receipt"], "") for answer in answers}
    assert len(bodies) == 1
    assert answers[0].json()["answer"] == "unknown"
    assert len({tuple(answer.headers.keys()) for answer in answers}) == 1


def test_a_source_past_its_limit_cannot_confirm_and_the_authority_sets_the_limit(
    asked: Any, register: Register
) -> None:
    code = register.physician(confirmed=NOW - timedelta(days=40))
    found = asked(practising_code=code, name="王伟")
    assert (found["answer"], found["reasons"]) == ("cannot_confirm", ["source_stale"])
    assert asked(practising_code=code, name="王伟", as_known_on="2026-11-21T00:59:59Z")["answer"] == "authorised"
    setting: dict[str, Any] = {"key": "register_max_age_days", "basis": "test", "set_by": "operator", "at": NOW}
    with transaction(register.database) as session:
        session.add(AuthoritySetting(authority="000000", value="20", **setting))
        session.add(AuthoritySetting(authority="460000", value="50", **setting))
    try:
        assert asked(practising_code=code, name="王伟")["answer"] == "authorised"
    finally:
        with transaction(register.database) as session:
            session.add(AuthoritySetting(authority="460000", value="35", **setting))


def test_the_receipt_is_checked_offline_and_opens_nothing(asked: Any, register: Register, keys: KeyStore) -> None:
    from jose import jwt

    code = register.physician()
    found = asked(practising_code=code, name="王伟", institution=HOSPITAL, on=START)
    receipt = found["receipt"]
    header = jwt.get_unverified_header(receipt)
    published = {key["kid"]: key for key in keys.jwks(NOW)["keys"]}[header["kid"]]
    claims = jwt.decode(receipt, published, algorithms=["ES256"])
    assert header == {"alg": "ES256", "typ": "receipt+jwt", "kid": header["kid"]}
    assert claims == {
        "iss": "https://registry.test",
        "iat": int(NOW.timestamp()),
        "jti": claims["jti"],
        "question": {"practising_code": code, "name_given": True, "institution": HOSPITAL, "on": START},
        "answer": "authorised",
        "as_of": found["as_of"],
        "source_age_s": 86_400,
    }
    assert header["kid"] not in keys.verifying(Purpose.TOKEN, NOW)
    every = {**keys.verifying(Purpose.TOKEN, NOW), **keys.verifying(Purpose.RECEIPT, NOW)}
    with pytest.raises(InvalidToken):
        tokens.read(receipt, every, REALM, NOW)
    asked(401, headers={"Authorization": f"Bearer {receipt}"}, practising_code=code, name="王伟")


def test_every_answer_has_its_record_without_the_name(asked: Any, register: Register, verifier: dict[str, str]) -> None:
    code = register.physician()
    asked(practising_code=code, name="王伟", institution=HOSPITAL, scope=SCOPE, on=START)
    asked(practising_code=code, name="何某某", headers=verifier | {"Purpose": "入职核验".encode()})
    first, second = sorted(records(register, code), key=lambda record: record.id)
    assert (first.answer, first.purpose, first.organisation, first.institution) == (
        "authorised",
        "unstated",
        "460000",
        HOSPITAL,
    )
    assert (first.scope, first.valid_on, first.at) == (register.scope(), date(2026, 12, 1), NOW)
    assert (second.answer, second.purpose, second.physician_id) == ("unknown", "入职核验", None)
    with Session(register.database.engine) as session:
        assert first.physician_id
        assert [record.id for record in who_looked(session, first.physician_id)] == [first.id]
        assert who_looked(session, first.physician_id, before=first.id) == []


def test_a_machine_asks_for_its_registered_purpose_unless_it_states_one(
    asked: Any, register: Register, keys: KeyStore
) -> None:
    code = register.physician()
    machine = register.machine(keys, "verify", "医保结算")
    asked(practising_code=code, name="王伟", headers=machine)
    asked(practising_code=code, name="王伟", headers=machine | {"Purpose": "audit"})
    assert [record.purpose for record in sorted(records(register, code), key=lambda r: r.id)] == ["医保结算", "audit"]
    asked(403, practising_code=code, name="王伟", headers=register.machine(keys, "directory", None))


ORGANISATION = {role: HOSPITAL if role in (Role.PHYSICIAN, Role.FILER, Role.MANAGER) else "460000" for role in Role}


@pytest.mark.parametrize("role", Role)
def test_who_may_ask_is_the_access_tables_word(asked: Any, register: Register, keys: KeyStore, role: Role) -> None:
    may = role in ACCESS["GET /api/v1/verify"].roles
    headers = register.bearer(keys, role, ORGANISATION[role])
    asked(200 if may else 403, practising_code=(code := register.physician()), name="王伟", headers=headers)
    assert len(records(register, code)) == may
    with Session(register.database.engine) as session:
        denials = session.exec(select(AuditEvent).where(AuditEvent.type == "access.denied")).all()
    account = tokens.read(headers["Authorization"][7:], keys.verifying(Purpose.TOKEN, NOW), REALM, NOW).subject
    assert any(event.actor == str(account) for event in denials) is not may


def test_whoever_may_not_ask_is_not_told_what_is_wrong_with_the_question(
    asked: Any, register: Register, keys: KeyStore
) -> None:
    asked(403, headers=register.bearer(keys, Role.AUDITOR, "460000"), on="nonsense")
    asked(401, headers={}, on="nonsense")
    asked(401, headers={"Authorization": "Bearer a.b.c"}, on="nonsense")
    asked(401, headers={"Authorization": "Basic YTpi"}, on="nonsense")


def test_a_token_ends_with_its_sign_in_at_once(asked: Any, register: Register, keys: KeyStore) -> None:
    headers = register.bearer(keys, Role.VERIFIER, "460000")
    code = register.physician()
    asked(200, headers=headers, practising_code=code, name="王伟")
    claims = tokens.read(headers["Authorization"][7:], keys.verifying(Purpose.TOKEN, NOW), REALM, NOW)
    with transaction(register.database) as session:
        session.execute(update(SignIn).where(SignIn.id == claims.sign_in).values(ended_at=NOW))  # type: ignore[arg-type]
    asked(401, headers=headers, practising_code=code, name="王伟")


def test_a_role_taken_away_ends_at_once(asked: Any, register: Register, keys: KeyStore) -> None:
    headers = register.bearer(keys, Role.VERIFIER, "460000")
    code = register.physician()
    asked(200, headers=headers, practising_code=code, name="王伟")
    claims = tokens.read(headers["Authorization"][7:], keys.verifying(Purpose.TOKEN, NOW), REALM, NOW)
    with transaction(register.database) as session:
        session.delete(session.get_one(AccountGrant, (claims.subject, str(Role.VERIFIER), "460000")))
    asked(403, headers=headers, practising_code=code, name="王伟")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("practising_code=110440000000001", "name"),
        ("name=%E7%8E%8B", "practising_code"),
        ("practising_code=1&name=%E7%8E%8B%00", "name"),
        ("practising_code=1&name=%ED%A0%80", "query"),
        ("practising_code=1&name=%FF", "query"),
        ("practising_code=1&name=" + "a" * 101, "name"),
        ("practising_code=1&name=a&name=b", "name"),
        ("practising_code=1&name=a&x=1&x=2", "query"),
        ("practising_code=1&name=a&born=2000-01-01", "born"),
        ("practising_code=1&name=a&as_known_on=2026-11-21T01:00:01Z", "as_known_on"),
        ("practising_code=1&name=110101199003070011", "name"),
        ("practising_code=11010119900307001X&name=a", "practising_code"),
        ("practising_code=1&institution=", "institution"),
        ("&".join(f"f{n}=1" for n in range(30)), "query"),
    ],
)
def test_a_question_that_cannot_be_read_is_422_by_field(
    http: TestClient, verifier: dict[str, str], query: str, field: str
) -> None:
    answer = http.get(f"/api/v1/verify?{query}", headers=verifier)
    assert answer.status_code == 422, answer.text
    assert field in {error["field"] for error in answer.json()["errors"]}
    assert "110101199003070011" not in answer.text


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b'{"practising_code": "1", "name": "\\ud800"}', "application/json", 422),
        (b'{"practising_code": "1", "name": "a\\u0000"}', "application/json", 422),
        (b'{"practising_code": "1", "name": "a", "name": "b"}', "application/json", 422),
        (b'{"practising_code": "1", "\\ud800": "a"}', "application/json", 422),
        (b'{"practising_code": 1, "name": "a"}', "application/json", 422),
        (b'["practising_code"]', "application/json", 422),
        (b"{", "application/json", 422),
        (b"\xff", "application/json", 422),
        (b'{"practising_code": "1", "name": "a"}', "text/plain", 422),
        (b" " * 5000, "application/json", 413),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(
    http: TestClient, verifier: dict[str, str], body: bytes, kind: str, status: int
) -> None:
    answer = http.post("/api/v1/verify", content=body, headers=verifier | {"Content-Type": kind})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("purpose", ["x" * 201, "110101199003070011", "a\x7fb"])
def test_a_purpose_that_cannot_be_kept_is_422(asked: Any, verifier: dict[str, str], purpose: str) -> None:
    found = asked(422, headers=verifier | {"Purpose": purpose}, practising_code="1", name="a")
    assert found["errors"][0]["field"] == "Purpose"


def test_a_purpose_in_no_encoding_of_ours_is_refused() -> None:
    with pytest.raises(Invalid):
        routes.stated_purpose("\xff")


@pytest.mark.parametrize("purpose", ["审\u202e计", "审\u2028计", "审\u200b计", "审\u2066计"])
def test_a_purpose_that_turns_or_hides_what_stands_beside_it_is_refused(purpose: str) -> None:
    with pytest.raises(Invalid):
        routes.stated_purpose(purpose.encode().decode("latin-1"))


def test_a_purpose_travels_as_utf_8() -> None:
    assert routes.stated_purpose("入职\u3000核验".encode().decode("latin-1")) == "入职\u3000核验"
    assert routes.stated_purpose("入职核验".encode().decode("latin-1")) == "入职核验"
    assert routes.stated_purpose("  ") is None


def test_the_reading_connection_cannot_write(register: Register, keys: KeyStore, http: TestClient) -> None:
    desk = http.app.state.desk  # type: ignore[attr-defined]
    assert http.portal
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        http.portal.call(desk._line.execute, "insert into audit_event (type) values ($1)", ("x",))


def test_lost_connections_are_replaced_unseen(asked: Any, register: Register) -> None:
    code = register.physician()
    asked(practising_code=code, name="王伟")
    with register.database.owner_engine.begin() as connection:
        connection.exec_driver_sql(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'registry-verify'"
            " and datname = current_database()"
        )
    assert asked(practising_code=code, name="王伟")["answer"] == "authorised"


def test_a_main_institution_without_a_number_is_a_site_nobody_can_ask_for(asked: Any, register: Register) -> None:
    code = register.physician(main_registration_no=None, main_name="某门诊部")
    found = asked(practising_code=code, name="王伟")
    assert [(site["institution"], site["registration_no"]) for site in found["sites"]] == [("某门诊部", None)]
    assert asked(practising_code=code, institution=HOSPITAL)["answer"] == "unknown"

"""The token endpoint and the door behind it, attacked from outside."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import FastAPI, Request
from httpx2 import Response
from sqlmodel import Session, col, delete, select
from starlette.testclient import TestClient

from auth import accounts, clients
from auth.actor import Grant
from auth.errors import UnfitKey
from auth.keys import KeyStore, Purpose
from auth.p256 import Es256, private_pem, public_pem, thumbprint
from auth.roles import Role
from auth.tables import SignIn, SignInAttempt
from auth.tokens import sign
from registry import problems
from registry.api import tokens
from registry.api.authentication import authenticate, realm
from registry.keys import Sealing
from registry.log.tables import AuditEvent
from registry.settings import Environment, Settings
from registry.transaction import Database

PASSWORD = "tulip-harbour-29"
HOSPITAL = "16099382211010011A1001"
JSON = dict[str, Any]


@dataclass
class House:
    """The doors under attack, with a clock that tests turn."""

    client: TestClient
    state: Any
    engine: sa.Engine
    now: datetime

    def post(self, path: str, form: dict[str, str], **headers: str) -> Response:
        return self.client.post(path, data=form, headers=headers)

    def signed_in(self, name: str, password: str = PASSWORD, **more: str) -> JSON:
        answer = self.sign_in(name, password, **more)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def sign_in(self, name: str, password: str = PASSWORD, **more: str) -> Response:
        return self.post("/auth/token", {"grant_type": "password", "username": name, "password": password, **more})

    def refresh(self, token: str) -> Response:
        return self.post("/auth/token", {"grant_type": "refresh_token", "refresh_token": token})

    def knock(self, token: str) -> Response:
        return self.client.get("/probe", headers={"Authorization": f"Bearer {token}"})

    def account(self, *grants: Grant, password: str | None = PASSWORD) -> tuple[str, uuid.UUID]:
        """A new account's name and id."""
        name = f"person-{uuid.uuid4().hex}"
        first, *rest = grants or (Grant(Role.FILER, HOSPITAL),)
        with Session(self.engine) as session:
            account = accounts.add(session, name, first, password=password, now=self.now)
            for grant in rest:
                accounts.give(session, account.id, grant, now=self.now)
            account_id = account.id
            session.commit()
        return name, account_id

    def machine(self, *scopes: str, public_key: str | None = None) -> tuple[str, str]:
        """A new client's name and secret."""
        name = f"machine-{uuid.uuid4().hex}"
        with Session(self.engine) as session:
            _, secret = clients.add(
                session, name, HOSPITAL, frozenset(scopes or ("verify",)), public_key=public_key, now=self.now
            )
            session.commit()
        return name, secret or ""

    def change(self, act: Callable[[Session], object]) -> None:
        with Session(self.engine) as session:
            act(session)
            session.commit()

    def events(self, subject: uuid.UUID) -> list[str]:
        with Session(self.engine) as session:
            rows = session.exec(
                select(AuditEvent.type).where(AuditEvent.subject_id == subject).order_by(col(AuditEvent.seq))
            )
            return list(rows.all())


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


@pytest.fixture
def house(database: Database, keys: Path, now: datetime) -> House:
    app = FastAPI()
    problems.install(app)
    app.include_router(tokens.router)

    @app.get("/probe")
    def probe(request: Request) -> JSON:
        actor = authenticate(request, request.headers.get("authorization"))
        return {"id": actor.id, "grants": sorted(f"{g.role} {g.organisation}" for g in actor.grants)}

    house = House(TestClient(app), app.state, database.engine, now)
    app.state.database = database
    app.state.keys = KeyStore(keys)
    app.state.keys.make_missing(now, generated=True)
    app.state.seal = Sealing(app.state.keys)
    app.state.clock = lambda: house.now
    app.state.settings = Settings(
        _env_file=None, env=Environment.DEMO, key_dir=keys, public_url="https://registry.example"
    )
    house.change(lambda session: session.exec(delete(SignInAttempt)))  # of other tests, from the same address
    return house


# ---- tokens forged in every way we know

Forge = Callable[["Smith"], str]


@dataclass
class Smith:
    """What a forger has: a good token taken apart, the public keys, a key of their own; and our keys, to prove each check."""

    header: JSON
    body: JSON
    token: str
    now: int
    signer: Any
    receipts: Any
    public: ec.EllipticCurvePublicKey

    def signed(self, header: JSON | None = None, **claims: Any) -> str:
        """Signed by our own key: only the content is wrong. `...` leaves a claim out."""
        body = {name: value for name, value in {**self.body, **claims}.items() if value is not ...}
        return sign({"typ": "at+jwt", **(header or {})}, body, self.signer)

    def raw(self, header: JSON | str, body: JSON | str, *, by: Any = None) -> str:
        """Whatever is written, signed as it stands."""
        parts = [b64(part if isinstance(part, str) else json.dumps(part)) for part in (header, body)]
        message = ".".join(parts)
        return f"{message}.{b64((by or self.signer).sign(message.encode()))}"

    def headed(self, **changes: Any) -> str:
        return self.raw({name: v for name, v in {**self.header, **changes}.items() if v is not ...}, self.body)

    def unsigned(self, alg: str, signature: str = "") -> str:
        return f"{b64(json.dumps({**self.header, 'alg': alg}))}.{b64(json.dumps(self.body))}.{signature}"

    def hmac(self, secret: bytes, alg: str = "HS256", digest: str = "sha256") -> str:
        message = f"{b64(json.dumps({**self.header, 'alg': alg}))}.{b64(json.dumps(self.body))}"
        return f"{message}.{b64(hmac.digest(secret, message.encode(), digest))}"


def b64(raw: str | bytes) -> str:
    return base64.urlsafe_b64encode(raw.encode() if isinstance(raw, str) else raw).rstrip(b"=").decode()


def own() -> Es256:
    key = ec.generate_private_key(ec.SECP256R1())
    return Es256(thumbprint(key.public_key()), key)


def der(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def own_jwk() -> JSON:
    key = own().key.public_key().public_numbers()
    return {"kty": "EC", "crv": "P-256", "x": b64(key.x.to_bytes(32)), "y": b64(key.y.to_bytes(32))}


def as_der_signature(smith: Smith) -> str:
    message = smith.token.rpartition(".")[0]
    key: ec.EllipticCurvePrivateKey = smith.signer.key
    from cryptography.hazmat.primitives.hashes import SHA256

    return f"{message}.{b64(key.sign(message.encode(), ec.ECDSA(SHA256())))}"


def spare_bits(smith: Smith) -> str:
    """The same signature bytes in a second base64 spelling: the last letter's unused bits are set."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return smith.token[:-1] + letters[letters.index(smith.token[-1]) ^ 1]


FORGERIES: dict[str, Forge] = {
    "alg none": lambda s: s.unsigned("none"),
    "alg None": lambda s: s.unsigned("None"),
    "alg nOnE": lambda s: s.unsigned("nOnE"),
    "alg NONE with the old signature": lambda s: s.unsigned("NONE", s.token.rpartition(".")[2]),
    "alg empty": lambda s: s.unsigned("", "AAAA"),
    "alg missing": lambda s: s.headed(alg=...),
    "alg null": lambda s: s.headed(alg=None),
    "alg as a list": lambda s: s.headed(alg=["ES256"]),
    "alg es256 in small letters": lambda s: s.headed(alg="es256"),
    "alg ES384": lambda s: s.headed(alg="ES384"),
    "alg RS256": lambda s: s.headed(alg="RS256"),
    "alg EdDSA": lambda s: s.headed(alg="EdDSA"),
    "HS256 with the public PEM": lambda s: s.hmac(public_pem(s.public).encode()),
    "HS256 with the public PEM without its last line break": lambda s: s.hmac(public_pem(s.public).strip().encode()),
    "HS256 with the public DER": lambda s: s.hmac(der(s.public)),
    "HS256 with the JWK": lambda s: s.hmac(json.dumps(jwk_of(s.public)).encode()),
    "HS256 with the JWK's x": lambda s: s.hmac(base64.urlsafe_b64decode(jwk_of(s.public)["x"] + "=")),
    "HS256 with an empty secret": lambda s: s.hmac(b""),
    "HS512 with the public PEM": lambda s: s.hmac(public_pem(s.public).encode(), "HS512", "sha512"),
    "kid a path": lambda s: s.headed(kid="../../../../dev/null"),
    "kid an absolute path": lambda s: s.headed(kid="/etc/passwd"),
    "kid SQL": lambda s: s.headed(kid="x' union select 'key' --"),
    "kid a URL": lambda s: s.headed(kid="https://attacker.example/key"),
    "kid unknown": lambda s: s.headed(kid=own().kid),
    "kid missing": lambda s: s.headed(kid=...),
    "kid empty": lambda s: s.headed(kid=""),
    "kid a number": lambda s: s.headed(kid=0),
    "kid a list": lambda s: s.headed(kid=[s.header["kid"]]),
    "kid of the receipts": lambda s: s.headed(kid=s.receipts.kid),
    "jku": lambda s: s.headed(jku="https://attacker.example/jwks.json"),
    "x5u": lambda s: s.headed(x5u="https://attacker.example/cert.pem"),
    "x5c": lambda s: s.headed(x5c=["MIIB"]),
    "jwk": lambda s: s.headed(jwk=own_jwk()),
    "crit unknown": lambda s: s.headed(crit=["exp"], exp=1),
    "crit empty": lambda s: s.headed(crit=[]),
    "b64 false": lambda s: s.headed(b64=False),
    "zip": lambda s: s.headed(zip="DEF"),
    "cty": lambda s: s.headed(cty="JWT"),
    "typ JWT, as an ID token": lambda s: s.headed(typ="JWT"),
    "typ in capitals": lambda s: s.headed(typ="AT+JWT"),
    "typ in full": lambda s: s.headed(typ="application/at+jwt"),
    "typ of a receipt": lambda s: s.headed(typ="receipt+jwt"),
    "typ missing": lambda s: s.headed(typ=...),
    "signed by a stranger": lambda s: s.raw(s.header, s.body, by=own()),
    "signed by the receipts' key": lambda s: s.raw({**s.header, "kid": s.receipts.kid}, s.body, by=s.receipts),
    "a receipt": lambda s: sign({"typ": "receipt+jwt"}, {"iss": s.body["iss"], "jti": "r"}, s.receipts),
    "a receipt that says it is a token": lambda s: sign({"typ": "at+jwt"}, s.body, s.receipts),
    "the signature of another token": lambda s: f"{s.token.rpartition('.')[0]}.{s.signed(jti='x').rpartition('.')[2]}",
    "the body of another token": lambda s: ".".join(
        [s.token.split(".")[0], s.signed(sub=str(uuid.uuid4())).split(".")[1], s.token.split(".")[2]]
    ),
    "no signature": lambda s: s.token.rpartition(".")[0] + ".",
    "a signature of zeros": lambda s: f"{s.token.rpartition('.')[0]}.{b64(bytes(64))}",
    "half a signature": lambda s: s.token[:-43],
    "a DER signature": as_der_signature,
    "the signature in a second spelling": spare_bits,
    "two segments": lambda s: s.token.rpartition(".")[0],
    "a dot at the end": lambda s: s.token + ".",
    "a dot before": lambda s: "." + s.token,
    "padding": lambda s: s.token + "=",
    "five segments, as a JWE": lambda s: s.token + ".AAAA.AAAA",
    "JSON form of a JWS": lambda s: json.dumps({"payload": s.token.split(".")[1]}),
    "iss missing": lambda s: s.signed(iss=...),
    "iss of another": lambda s: s.signed(iss="https://attacker.example"),
    "iss with a slash": lambda s: s.signed(iss=s.body["iss"] + "/"),
    "iss as a list": lambda s: s.signed(iss=[s.body["iss"]]),
    "aud missing": lambda s: s.signed(aud=...),
    "aud of another": lambda s: s.signed(aud="https://other.example/api/v1"),
    "aud a prefix": lambda s: s.signed(aud=s.body["aud"][:-1]),
    "aud in a list with another": lambda s: s.signed(aud=[s.body["aud"], "https://other.example"]),
    "aud empty": lambda s: s.signed(aud=[]),
    "sub missing": lambda s: s.signed(sub=...),
    "sub empty": lambda s: s.signed(sub=""),
    "sub a number": lambda s: s.signed(sub=1),
    "sub of nobody": lambda s: s.signed(sub=str(uuid.uuid4())),
    "sub in another spelling": lambda s: s.signed(sub=f"urn:uuid:{s.body['sub']}"),
    "sub SQL": lambda s: s.signed(sub="' or 1=1 --"),
    "sid missing": lambda s: s.signed(sid=...),
    "sid of nobody": lambda s: s.signed(sid=str(uuid.uuid4())),
    "kind missing": lambda s: s.signed(kind=...),
    "kind operator": lambda s: s.signed(kind="operator"),
    "kind client for a person": lambda s: s.signed(kind="client"),
    "jti missing": lambda s: s.signed(jti=...),
    "jti a list": lambda s: s.signed(jti=["x"]),
    "jti with a half character": lambda s: s.raw(s.header, {**s.body, "jti": "\ud800"}),
    "jti with NUL": lambda s: s.signed(jti="\0"),
    "exp missing": lambda s: s.signed(exp=...),
    "exp now": lambda s: s.signed(iat=s.now - 600, nbf=s.now - 600, exp=s.now),
    "exp past": lambda s: s.signed(iat=s.now - 601, nbf=s.now - 601, exp=s.now - 1),
    "exp in a year": lambda s: s.signed(exp=s.now + 31_536_000),
    "exp a text": lambda s: s.signed(exp=str(s.now + 60)),
    "exp a fraction": lambda s: s.signed(exp=s.now + 60.5),
    "exp true": lambda s: s.signed(exp=True),
    "exp null": lambda s: s.signed(exp=None),
    "exp beyond all time": lambda s: s.signed(exp=10**30),
    "exp negative": lambda s: s.signed(exp=-1),
    "exp NaN": lambda s: s.raw(s.header, json.dumps(s.body).replace(str(s.body["exp"]), "NaN")),
    "exp Infinity": lambda s: s.raw(s.header, json.dumps(s.body).replace(str(s.body["exp"]), "Infinity")),
    "nbf missing": lambda s: s.signed(nbf=...),
    "nbf 61 seconds ahead": lambda s: s.signed(nbf=s.now + 61),
    "nbf a text": lambda s: s.signed(nbf="0"),
    "iat missing": lambda s: s.signed(iat=...),
    "iat 61 seconds ahead": lambda s: s.signed(iat=s.now + 61, exp=s.now + 120),
    "iat a year ahead": lambda s: s.signed(iat=s.now + 31_536_000, exp=s.now + 31_536_060),
    "iat false": lambda s: s.signed(iat=False),
    "auth_time missing": lambda s: s.signed(auth_time=...),
    "scope a list": lambda s: s.signed(scope=["verify"]),
    "client_id missing": lambda s: s.signed(client_id=...),
    "a claim twice": lambda s: s.raw(s.header, json.dumps(s.body)[:-1] + f', "sub": "{uuid.uuid4()}"}}'),
    "a header twice": lambda s: s.raw(json.dumps(s.header)[:-1] + ', "alg": "ES256"}', s.body),
    "body a list": lambda s: s.raw(s.header, json.dumps([s.body])),
    "body not JSON": lambda s: s.raw(s.header, "claims"),
    "body with a byte order mark": lambda s: s.raw(s.header, "\ufeff" + json.dumps(s.body)),
    "body nested too deep": lambda s: s.raw(s.header, "[" * 2500),
    "a huge claim": lambda s: s.signed(extra="x" * 5000),
    "2 MB": lambda s: s.signed(extra="x" * 2_000_000),
}


def jwk_of(key: ec.EllipticCurvePublicKey) -> JSON:
    numbers = key.public_numbers()
    return {"kty": "EC", "crv": "P-256", "x": b64(numbers.x.to_bytes(32)), "y": b64(numbers.y.to_bytes(32))}


@pytest.fixture
def smith(house: House) -> Smith:
    name, _ = house.account()
    token = house.signed_in(name)["access_token"]
    header, body = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in token.split(".")[:2])
    signer = house.state.keys.signer(Purpose.TOKEN, house.now)
    receipts = house.state.keys.signer(Purpose.RECEIPT, house.now)
    return Smith(header, body, token, int(house.now.timestamp()), signer, receipts, signer.key.public_key())


def test_no_forged_token_is_accepted_and_all_are_answered_alike(house: House, smith: Smith) -> None:
    assert len(FORGERIES) >= 35
    assert house.knock(smith.token).status_code == 200
    assert house.knock(smith.signed()).status_code == 200  # what the forgeries change is all that is wrong with them
    assert house.knock(smith.raw(smith.header, smith.body)).status_code == 200
    answers = {name: house.knock(forge(smith)) for name, forge in FORGERIES.items()}
    assert [name for name, answer in answers.items() if answer.status_code != 401] == []
    assert {answer.content for answer in answers.values()} == {house.client.get("/probe").content}
    assert {answer.headers["www-authenticate"] for answer in answers.values()} == {"Bearer"}


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic {}", "bearer\t{}", "{}", "Bearer {} {}", "Bearer {},", "Token {}"],
)
def test_only_a_bearer_token_counts(house: House, smith: Smith, header: str) -> None:
    value = header.replace("{}", smith.token)
    assert house.client.get("/probe", headers={"Authorization": value}).status_code == 401


def test_the_edges_of_time_are_exact(house: House, smith: Smith) -> None:
    assert house.knock(smith.signed(iat=smith.now - 599, nbf=smith.now - 599, exp=smith.now + 1)).status_code == 200
    assert house.knock(smith.signed(nbf=smith.now + 60)).status_code == 200
    assert house.knock(smith.signed(iat=smith.now + 60, exp=smith.now + 600)).status_code == 200


# ---- signing in


def test_a_person_signs_in_with_a_password(house: House) -> None:
    name, account_id = house.account(Grant(Role.FILER, HOSPITAL), Grant(Role.REVIEWER, "460000"))
    answer = house.sign_in(name)
    body = answer.json()
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 600
    assert answer.headers["cache-control"] == "no-store"
    assert house.knock(body["access_token"]).json() == {
        "id": str(account_id),
        "grants": [f"filer {HOSPITAL}", "reviewer 460000"],
    }
    assert house.events(account_id) == ["account.sign_in"]


def test_unknown_wrong_disabled_and_passwordless_are_answered_with_the_same_bytes(house: House) -> None:
    right, _ = house.account()
    disabled, disabled_id = house.account()
    without, _ = house.account(password=None)
    house.change(lambda session: accounts.disable(session, disabled_id, now=house.now))
    answers = [
        house.sign_in("nobody-of-this-name"),
        house.sign_in("nobody\0"),
        house.sign_in(right, "not the password"),
        house.sign_in(disabled),
        house.sign_in(without),
    ]
    assert {answer.status_code for answer in answers} == {400}
    assert {answer.json()["error"] for answer in answers} == {"invalid_grant"}
    assert len({answer.content for answer in answers}) == 1
    assert len({str(sorted(answer.headers.items())) for answer in answers}) == 1


def test_a_failure_is_counted_and_recorded_though_it_is_refused(house: House) -> None:
    name, account_id = house.account()
    for _ in range(10):
        assert house.sign_in(name, "not the password").status_code == 400
    throttled = house.sign_in(name)  # the right one, too late
    assert throttled.status_code == 429
    assert throttled.headers["retry-after"] == "300"
    assert throttled.json()["code"] == "too_many_requests"
    assert house.events(account_id) == ["account.sign_in_failed"] * 10
    house.now += timedelta(minutes=5)
    house.signed_in(name)


def test_guessing_in_parallel_is_counted_like_guessing_in_line(house: House) -> None:
    name, _ = house.account()
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda: answers.append(house.sign_in(name, "not the password").status_code))
        for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(answers) == [400] * 10 + [429] * 6


def test_in_production_a_reviewer_without_a_second_factor_stays_outside(house: House) -> None:
    reviewer, _ = house.account(Grant(Role.REVIEWER, "460000"))
    filer, _ = house.account()
    house.state.settings = SimpleNamespace(demo=False, demo_mfa=False, base_url=house.state.settings.base_url)
    assert house.sign_in(reviewer).status_code == 400
    assert house.sign_in(reviewer, otp="000000").status_code == 400
    assert house.sign_in(filer).status_code == 200


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("", "invalid_request"),
        ("grant_type=password", "invalid_request"),
        ("grant_type=password&username=a", "invalid_request"),
        ("grant_type=password&username=a&username=b&password=c", "invalid_request"),
        ("grant_type=password&grant_type=password&username=a&password=c", "invalid_request"),
        ("grant_type=password&username=%FF&password=c", "invalid_request"),
        ("grant_type=refresh_token&refresh_token=", "invalid_request"),
        ("grant_type=authorization_code&code=x", "unsupported_grant_type"),
        ("grant_type=implicit", "unsupported_grant_type"),
        ("grant_type=Password&username=a&password=c", "unsupported_grant_type"),
        ("&".join(f"f{n}=1" for n in range(100)), "invalid_request"),
        ("username=张&grant_type=password", "invalid_request"),
    ],
)
def test_a_form_that_is_not_plain_is_refused(house: House, body: str, error: str) -> None:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = house.client.post("/auth/token", content=body.encode(), headers=kind)
    assert answer.status_code == 400
    assert answer.json()["error"] == error
    assert answer.json()["error_description"].isascii()
    assert answer.headers["cache-control"] == "no-store"


def test_json_an_address_with_a_query_and_a_huge_body_are_refused(house: House) -> None:
    form = {"grant_type": "password", "username": "a", "password": "b"}
    assert house.client.post("/auth/token", json=form).json()["error"] == "invalid_request"
    assert house.post("/auth/token?grant_type=password", form).json()["error"] == "invalid_request"
    assert house.post("/auth/token", {**form, "password": "x" * 70_000}).status_code == 413


def test_errors_speak_the_callers_language(house: House) -> None:
    form = {"grant_type": "password", "username": "nobody", "password": "b"}
    assert "不正确" in house.post("/auth/token", form).json()["detail"]
    assert "not right" in house.post("/auth/token", form, **{"Accept-Language": "en"}).json()["detail"]


# ---- the end of a session (R33)


def test_a_withdrawn_role_is_gone_at_the_next_request(house: House) -> None:
    filer = Grant(Role.FILER, HOSPITAL)
    name, account_id = house.account(filer)
    token = house.signed_in(name)["access_token"]
    house.change(lambda session: accounts.withdraw(session, account_id, filer))
    assert house.knock(token).json()["grants"] == []


@pytest.mark.parametrize("how", ["disabled", "signed out everywhere", "access token revoked", "refresh token revoked"])
def test_a_token_dies_at_once_when_its_session_does(house: House, how: str) -> None:
    name, account_id = house.account()
    given = house.signed_in(name)
    assert house.knock(given["access_token"]).status_code == 200
    match how:
        case "disabled":
            house.change(lambda session: accounts.disable(session, account_id, now=house.now))
        case "signed out everywhere":
            house.change(lambda session: accounts.end_sign_ins(session, account_id, now=house.now))
        case "access token revoked":
            assert house.post("/auth/revoke", {"token": given["access_token"]}).status_code == 200
        case _:
            assert house.post("/auth/revoke", {"token": given["refresh_token"]}).status_code == 200
    assert house.knock(given["access_token"]).status_code == 401
    if how != "access token revoked":
        assert house.refresh(given["refresh_token"]).status_code == 400


def test_revoking_one_session_leaves_another(house: House) -> None:
    name, account_id = house.account()
    first, second = house.signed_in(name), house.signed_in(name)
    house.post("/auth/revoke", {"token": first["refresh_token"]})
    assert house.knock(first["access_token"]).status_code == 401
    assert house.knock(second["access_token"]).status_code == 200
    assert house.events(account_id)[-1] == "account.sign_out"


def test_revoking_what_is_no_token_is_answered_alike(house: House) -> None:
    answers = [house.post("/auth/revoke", {"token": token}) for token in ("nonsense", "a.b.c", "x" * 5000)]
    assert {(answer.status_code, answer.content) for answer in answers} == {(200, b"")}


# ---- refresh


def test_a_refresh_rotates_and_keeps_the_time_of_the_proof(house: House) -> None:
    name, _ = house.account()
    proven_at = int(house.now.timestamp())
    first = house.signed_in(name)
    house.now += timedelta(minutes=30)
    second = house.refresh(first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    body = json.loads(base64.urlsafe_b64decode(second["access_token"].split(".")[1] + "=="))
    assert body["auth_time"] == proven_at
    assert house.knock(second["access_token"]).status_code == 200


def test_a_refresh_token_used_twice_kills_the_whole_family(house: House) -> None:
    name, account_id = house.account()
    first = house.signed_in(name)
    second = house.refresh(first["refresh_token"]).json()
    assert house.refresh(first["refresh_token"]).status_code == 400  # the thief, or the owner after the thief
    assert house.refresh(second["refresh_token"]).status_code == 400
    assert house.knock(second["access_token"]).status_code == 401
    assert house.events(account_id) == ["account.sign_in", "account.refresh_reused"]


def test_of_many_refreshes_at_once_one_succeeds_and_the_family_dies(house: House) -> None:
    name, account_id = house.account()
    token = house.signed_in(name)["refresh_token"]
    answers: list[Response] = []
    threads = [threading.Thread(target=lambda: answers.append(house.refresh(token))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 7
    (won,) = [answer.json() for answer in answers if answer.status_code == 200]
    assert house.refresh(won["refresh_token"]).status_code == 400
    with Session(house.engine) as session:
        assert session.exec(select(SignIn.ended_at).where(SignIn.account_id == account_id)).one() is not None


def test_twelve_hours_after_the_proof_nothing_refreshes(house: House) -> None:
    name, _ = house.account()
    token = house.signed_in(name)["refresh_token"]
    house.now += timedelta(hours=11, minutes=59)
    last = house.refresh(token).json()
    assert last["expires_in"] == 60  # no access token outlives its sign-in
    house.now += timedelta(minutes=1)
    assert house.refresh(last["refresh_token"]).status_code == 400
    assert house.knock(last["access_token"]).status_code == 401


# ---- machine clients


def client_credentials(**more: str) -> dict[str, str]:
    return {"grant_type": "client_credentials", **more}


def basic(name: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


def test_a_client_proves_itself_by_secret_in_two_ways(house: House) -> None:
    name, secret = house.machine("verify", "changes")
    by_header = house.post("/auth/token", client_credentials(), Authorization=basic(name, secret))
    by_form = house.post("/auth/token", client_credentials(client_id=name, client_secret=secret, scope="verify"))
    assert by_header.json()["scope"] == "changes verify"
    assert by_form.json()["scope"] == "verify"
    assert "refresh_token" not in by_header.json()
    assert house.knock(by_form.json()["access_token"]).json()["grants"] == [f"verifier {HOSPITAL}"]


def test_a_client_that_is_not_proven_gets_nothing(house: House) -> None:
    name, secret = house.machine()
    keyed, _ = house.machine(public_key=public_pem(own().key.public_key()))
    answers = [
        house.post("/auth/token", client_credentials()),
        house.post("/auth/token", client_credentials(client_id=name)),
        house.post("/auth/token", client_credentials(client_id=name, client_secret="wrong")),
        house.post("/auth/token", client_credentials(client_id="nobody", client_secret=secret)),
        house.post("/auth/token", client_credentials(client_id=keyed, client_secret="\0" * 32)),
        house.post("/auth/token", client_credentials(), Authorization="Basic !!!"),
        house.post("/auth/token", client_credentials(), Authorization=f"Bearer {secret}"),
        house.post("/auth/token", client_credentials(client_id="another"), Authorization=basic(name, secret)),
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1
    assert answers[0].json()["error"] == "invalid_client"
    assert answers[0].headers["www-authenticate"].startswith("Basic")


def test_two_proofs_a_scope_too_far_and_a_persons_grant_are_refused(house: House) -> None:
    name, secret = house.machine("verify")
    both = house.post("/auth/token", client_credentials(client_secret=secret), Authorization=basic(name, secret))
    assert both.json()["error"] == "invalid_request"
    far = house.post("/auth/token", client_credentials(scope="verify directory"), Authorization=basic(name, secret))
    assert far.json()["error"] == "invalid_scope"
    person = {"grant_type": "password", "username": "a", "password": "b"}
    assert house.post("/auth/token", person, Authorization=basic(name, secret)).json()["error"] == "unauthorized_client"


def test_a_disabled_clients_tokens_die_at_once(house: House) -> None:
    name, secret = house.machine()
    given = house.post("/auth/token", client_credentials(), Authorization=basic(name, secret)).json()
    assert house.knock(given["access_token"]).status_code == 200

    def disable(session: Session) -> None:
        client = clients.find(session, name)
        assert client
        clients.disable(session, client.id, now=house.now)

    house.change(disable)
    assert house.knock(given["access_token"]).status_code == 401
    assert house.post("/auth/token", client_credentials(), Authorization=basic(name, secret)).status_code == 401


def test_a_client_guessed_at_is_throttled_too(house: House) -> None:
    name, _ = house.machine()
    guesses = [house.post("/auth/token", client_credentials(), Authorization=basic(name, "x")) for _ in range(11)]
    assert [answer.status_code for answer in guesses] == [401] * 10 + [429]
    house.now += timedelta(minutes=5)


def test_a_client_with_a_key_proves_itself_once_per_assertion(house: House) -> None:
    signer = own()
    name, _ = house.machine(public_key=json.dumps(jwk_of(signer.key.public_key())))
    where, now = realm(house.state.settings), int(house.now.timestamp())

    def asked(audience: str, by: Es256 = signer, jti: str = "") -> Response:
        body = {"iss": name, "sub": name, "aud": audience, "jti": jti or uuid.uuid4().hex, "iat": now, "exp": now + 300}
        kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        assertion = sign({"typ": "JWT"}, body, by)
        return house.post("/auth/token", client_credentials(client_assertion_type=kind, client_assertion=assertion))

    assert asked(where.issuer, jti="a").status_code == 200
    assert asked(where.token_endpoint, jti="b").status_code == 200
    assert asked(where.issuer, jti="a").status_code == 401
    assert asked(where.audience).status_code == 401
    assert asked(where.issuer, by=own()).status_code == 401


def test_a_private_key_is_never_registered() -> None:
    key = own().key
    with pytest.raises(UnfitKey, match="private"):
        clients.public_key_pem(private_pem(key))
    with pytest.raises(UnfitKey, match="private"):
        clients.public_key_pem(json.dumps({**jwk_of(key.public_key()), "d": "AAAA"}))
    for text in ("", "{}", "nonsense", json.dumps({"kty": "RSA", "n": "AQAB", "e": "AQAB"}), '{"kty": 1}'):
        with pytest.raises(UnfitKey):
            clients.public_key_pem(text)


# ---- introspection, metadata


def test_introspection_says_what_counts_and_only_to_a_proven_client(house: House) -> None:
    name, account_id = house.account()
    token = house.signed_in(name)["access_token"]
    machine = basic(*house.machine())
    assert house.post("/auth/introspect", {"token": token}).status_code == 401
    seen = house.post("/auth/introspect", {"token": token}, Authorization=machine).json()
    assert seen["active"] is True
    assert seen["sub"] == str(account_id)
    assert name not in json.dumps(seen)
    house.post("/auth/revoke", {"token": token})
    for dead in (token, "nonsense"):
        assert house.post("/auth/introspect", {"token": dead}, Authorization=machine).json() == {"active": False}


def test_a_clients_token_is_ended_by_that_client_only(house: House) -> None:
    mine, other = basic(*house.machine()), basic(*house.machine())
    token = house.post("/auth/token", client_credentials(), Authorization=mine).json()["access_token"]
    assert house.post("/auth/revoke", {"token": token}).status_code == 401
    assert house.post("/auth/revoke", {"token": token}, Authorization=other).status_code == 200
    assert house.knock(token).status_code == 200
    assert house.post("/auth/revoke", {"token": token}, Authorization=mine).status_code == 200
    assert house.knock(token).status_code == 401


def test_the_metadata_names_what_there_is(house: House) -> None:
    found = house.client.get("/.well-known/oauth-authorization-server").json()
    assert found["issuer"] == "https://registry.example"
    paths = {found[name].removeprefix(found["issuer"]) for name in found if name.endswith(("_endpoint", "_uri"))}
    assert paths == {"/auth/token", "/auth/revoke", "/auth/introspect", "/.well-known/jwks.json"}
    assert "authorization_code" not in found["grant_types_supported"]


def test_the_key_set_holds_the_keys_that_sign_and_nothing_private(house: House, smith: Smith) -> None:
    answer = house.client.get("/.well-known/jwks.json")
    found = answer.json()["keys"]
    assert {smith.signer.kid, smith.receipts.kid} <= {key["kid"] for key in found}
    assert not any("d" in key for key in found)
    assert answer.headers["cache-control"] == "public, max-age=300"


def test_no_event_and_no_counter_holds_a_name_or_a_secret(house: House) -> None:
    name, account_id = house.account()
    given = house.signed_in(name)
    house.sign_in(name, "not the password")
    house.post("/auth/revoke", {"token": given["refresh_token"]})
    with Session(house.engine) as session:
        payloads = session.scalars(
            sa.text("select payload from audit_payload join audit_event using (seq) where subject_id = :id").bindparams(
                id=account_id
            )
        ).all()
    assert len(payloads) == 3
    told = " ".join(payloads)
    for secret in (name, PASSWORD, given["refresh_token"], hashlib.sha256(given["refresh_token"].encode()).hexdigest()):
        assert secret not in told

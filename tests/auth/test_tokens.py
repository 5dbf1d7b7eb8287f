from __future__ import annotations

import base64
import json
import uuid
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auth.actor import ActorKind
from auth.errors import InvalidToken
from auth.keys import KeyStore, Purpose
from auth.p256 import Es256, public_pem, thumbprint
from auth.tokens import LIFETIME, Claims, Realm, issue, new_jti, read, read_assertion, sign, verify

REALM = Realm("https://registry.example")
SECOND = timedelta(seconds=1)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> KeyStore:
    store = KeyStore(tmp_path_factory.mktemp("keys"))
    store.make_missing(datetime.fromisoformat("2026-11-21T09:00:00+08:00"), generated=True)
    return store


@pytest.fixture
def claims(now: datetime) -> Claims:
    return Claims(
        kind=ActorKind.ACCOUNT,
        subject=uuid.UUID(int=1),
        client_id="registry",
        jti=new_jti(),
        issued_at=now,
        expires_at=now + LIFETIME,
        auth_time=now - timedelta(hours=1),
        sign_in=uuid.UUID(int=2),
    )


def accepted(token: str, store: KeyStore, now: datetime) -> Claims:
    return read(token, store.verifying(Purpose.TOKEN, now), REALM, now)


def test_what_was_issued_is_read_back(store: KeyStore, claims: Claims, now: datetime) -> None:
    assert accepted(issue(claims, REALM, store.signer(Purpose.TOKEN, now)), store, now) == claims
    client = replace(
        claims, kind=ActorKind.CLIENT, auth_time=None, sign_in=None, scopes=frozenset({"verify", "changes"})
    )
    assert accepted(issue(client, REALM, store.signer(Purpose.TOKEN, now)), store, now) == client


def test_an_access_token_has_the_shape_of_rfc_9068(store: KeyStore, claims: Claims, now: datetime) -> None:
    token = issue(claims, REALM, store.signer(Purpose.TOKEN, now))
    header, body = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in token.split(".")[:2])
    assert header == {"typ": "at+jwt", "alg": "ES256", "kid": store.signer(Purpose.TOKEN, now).kid}
    assert {"iss", "exp", "aud", "sub", "client_id", "iat", "jti", "auth_time"} <= body.keys()


def test_a_token_dies_at_its_second_and_not_before(store: KeyStore, claims: Claims, now: datetime) -> None:
    token = issue(claims, REALM, store.signer(Purpose.TOKEN, now))
    assert accepted(token, store, now + LIFETIME - SECOND) == claims
    with pytest.raises(InvalidToken, match="exp"):
        accepted(token, store, now + LIFETIME)


def test_clocks_may_differ_by_a_minute_and_no_more(store: KeyStore, claims: Claims, now: datetime) -> None:
    token = issue(claims, REALM, store.signer(Purpose.TOKEN, now))
    assert accepted(token, store, now - 60 * SECOND) == claims
    with pytest.raises(InvalidToken, match="nbf"):
        accepted(token, store, now - 61 * SECOND)


def test_a_token_signed_with_the_retired_key_counts_until_it_expires(
    tmp_path: Path, claims: Claims, now: datetime
) -> None:
    store = KeyStore(tmp_path)
    store.make_missing(now, generated=False)
    store.rotate(Purpose.TOKEN, now)
    late = now + 299 * SECOND
    token = issue(replace(claims, issued_at=late, expires_at=late + LIFETIME), REALM, store.signer(Purpose.TOKEN, late))
    assert accepted(token, store, late + LIFETIME - SECOND)


def test_a_receipt_is_never_a_token_nor_a_token_a_receipt(store: KeyStore, claims: Claims, now: datetime) -> None:
    token = issue(claims, REALM, store.signer(Purpose.TOKEN, now))
    receipts = store.verifying(Purpose.RECEIPT, now)
    with pytest.raises(InvalidToken):
        verify(token, receipts, "receipt+jwt")
    receipt = sign(
        {"typ": "receipt+jwt"}, {"iss": REALM.issuer, "answer": "authorised"}, store.signer(Purpose.RECEIPT, now)
    )
    assert verify(receipt, receipts, "receipt+jwt")["answer"] == "authorised"
    with pytest.raises(InvalidToken):
        accepted(receipt, store, now)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(0, 10_000), letter=st.sampled_from("AZaz09-_.=+/ \n\0é"))
def test_a_token_with_one_letter_changed_is_refused(
    store: KeyStore, claims: Claims, now: datetime, position: int, letter: str
) -> None:
    token = issue(claims, REALM, store.signer(Purpose.TOKEN, now))
    at = position % len(token)
    if token[at] != letter:
        with pytest.raises(InvalidToken):
            accepted(token[:at] + letter + token[at + 1 :], store, now)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=300) | st.binary(max_size=100).map(lambda raw: raw.decode("latin-1")))
def test_any_text_is_refused_and_never_an_error(store: KeyStore, now: datetime, text: str) -> None:
    with pytest.raises(InvalidToken):
        accepted(text, store, now)


class TestAssertion:
    """private_key_jwt (RFC 7523)."""

    key = ec.generate_private_key(ec.SECP256R1())

    def made(self, now: datetime, header: dict[str, Any] | None = None, **changes: Any) -> str:
        body: dict[str, Any] = {
            "iss": "hospital",
            "sub": "hospital",
            "aud": REALM.issuer,
            "jti": "once",
            "iat": int(now.timestamp()),
            "exp": int(now.timestamp()) + 60,
        }
        body = {name: value for name, value in {**body, **changes}.items() if value is not None}
        return sign(header or {}, body, Es256(thumbprint(self.key.public_key()), self.key))

    def accepted(self, assertion: str, now: datetime) -> str:
        return read_assertion(assertion, public_pem(self.key.public_key()), REALM, now).client_id

    @pytest.mark.parametrize(
        "changes",
        [
            {},
            {"aud": REALM.token_endpoint},  # as Authlib sends it
            {"aud": [REALM.issuer]},
            {"iat": None},
        ],
    )
    def test_both_audiences_in_use_are_accepted(self, now: datetime, changes: dict[str, Any]) -> None:
        assert self.accepted(self.made(now, **changes), now) == "hospital"

    def test_an_hour_is_accepted_and_more_is_not(self, now: datetime) -> None:
        hour = int(now.timestamp()) + 3600
        assert self.accepted(self.made(now, exp=hour), now) == "hospital"
        with pytest.raises(InvalidToken):
            self.accepted(self.made(now, exp=hour + 3600), now)

    @pytest.mark.parametrize(
        "changes",
        [
            {"aud": "https://elsewhere.example"},
            {"aud": REALM.audience},
            {"aud": REALM.issuer + "/"},
            {"aud": [REALM.issuer, "https://elsewhere.example"]},
            {"aud": None},
            {"sub": "another"},
            {"jti": None},
            {"jti": "with blank"},
            {"jti": "张"},
            {"exp": None},
            {"exp": 0},
            {"iat": 99999999999},
        ],
    )
    def test_any_other_is_refused(self, now: datetime, changes: dict[str, Any]) -> None:
        with pytest.raises(InvalidToken):
            self.accepted(self.made(now, **changes), now)

    @pytest.mark.parametrize("header", [{"jku": "https://x.example"}, {"crit": ["exp"]}, {"typ": "at+jwt"}])
    def test_foreign_headers_are_refused(self, now: datetime, header: dict[str, Any]) -> None:
        with pytest.raises(InvalidToken):
            self.accepted(self.made(now, header), now)

    def test_anothers_signature_is_refused(self, now: datetime) -> None:
        stranger = public_pem(ec.generate_private_key(ec.SECP256R1()).public_key())
        with pytest.raises(InvalidToken):
            read_assertion(self.made(now), stranger, REALM, now)

from __future__ import annotations

import os
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from auth.errors import KeyFault
from auth.keys import IDENTITIES, KeyStore, Purpose
from auth.tokens import sign, verify

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


@pytest.fixture
def store(tmp_path: Path, now: datetime) -> KeyStore:
    store = KeyStore(tmp_path / "keys")
    store.make_missing(now, generated=False)
    return store


def kids(store: KeyStore, now: datetime) -> set[str]:
    return {key["kid"] for key in store.jwks(now)["keys"]}


def test_the_first_keys_sign_at_once(store: KeyStore, now: datetime) -> None:
    for purpose in (Purpose.TOKEN, Purpose.RECEIPT):
        assert store.signer(purpose, now).kid in kids(store, now)
    assert list(store.masters()) == [1]
    assert len(store.masters()[1]) == 32


def test_a_new_key_is_published_at_once_and_signs_after_five_minutes(store: KeyStore, now: datetime) -> None:
    old = store.signer(Purpose.TOKEN, now).kid
    new = store.rotate(Purpose.TOKEN, now + MINUTE).kid
    assert {old, new} <= kids(store, now + MINUTE)
    assert store.signer(Purpose.TOKEN, now + MINUTE + 299 * SECOND).kid == old
    assert store.signer(Purpose.TOKEN, now + MINUTE + 300 * SECOND).kid == new


def test_the_old_key_verifies_until_its_last_token_has_expired(store: KeyStore, now: datetime) -> None:
    old = store.signer(Purpose.TOKEN, now).kid
    store.rotate(Purpose.TOKEN, now)
    last_token_expires = now + 299 * SECOND + 10 * MINUTE
    assert old in store.verifying(Purpose.TOKEN, last_token_expires)
    assert old not in store.verifying(Purpose.TOKEN, now + 20 * MINUTE)
    assert old not in kids(store, now + 20 * MINUTE)


def test_a_receipt_stays_checkable_for_ever_though_its_key_can_sign_no_more(
    store: KeyStore, now: datetime, tmp_path: Path
) -> None:
    receipt = sign({"typ": "receipt+jwt"}, {"answer": "authorised"}, store.signer(Purpose.RECEIPT, now))
    store.rotate(Purpose.RECEIPT, now)
    years = now + timedelta(days=4000)
    store.rotate(Purpose.RECEIPT, years)
    assert verify(receipt, store.verifying(Purpose.RECEIPT, years), "receipt+jwt") == {"answer": "authorised"}
    assert "PRIVATE" not in (tmp_path / "keys" / "receipt-1.pem").read_text()
    assert "PRIVATE" in (tmp_path / "keys" / "receipt-2.pem").read_text()


def test_an_outlived_token_key_is_deleted_by_the_next_rotation(store: KeyStore, now: datetime, tmp_path: Path) -> None:
    store.rotate(Purpose.TOKEN, now)
    store.rotate(Purpose.TOKEN, now + timedelta(days=1))
    assert sorted(file.name for file in (tmp_path / "keys").glob("token-*")) == ["token-2.pem", "token-3.pem"]


def test_another_process_sees_a_rotation_without_a_restart(store: KeyStore, now: datetime, tmp_path: Path) -> None:
    other = KeyStore(tmp_path / "keys")
    before = kids(other, now)
    new = store.rotate(Purpose.TOKEN, now).kid
    assert kids(other, now) == before | {new}


def test_a_new_master_seals_and_the_old_one_still_opens(store: KeyStore, now: datetime) -> None:
    first = store.masters()[1]
    store.rotate(Purpose.PERSONAL, now)
    assert sorted(store.masters()) == [1, 2]
    assert store.masters()[1] == first


def test_the_published_set_is_public_and_says_what_each_key_is_for(store: KeyStore, now: datetime) -> None:
    keys = store.jwks(now)["keys"]
    assert len(keys) == 2
    for key in keys:
        assert set(key) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
        assert (key["kty"], key["crv"], key["use"], key["alg"]) == ("EC", "P-256", "sig", "ES256")


def test_no_two_purposes_share_a_key(store: KeyStore, now: datetime) -> None:
    assert not store.verifying(Purpose.TOKEN, now).keys() & store.verifying(Purpose.RECEIPT, now).keys()


def test_key_files_are_closed_to_others(store: KeyStore, now: datetime, tmp_path: Path) -> None:
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "keys").iterdir()} == {0o600}


def test_a_demos_own_keys_are_told_from_an_operators(tmp_path: Path, now: datetime) -> None:
    store = KeyStore(tmp_path)
    assert store.missing() == list(Purpose)
    store.make_missing(now, generated=True)
    assert store.missing() == []
    assert store.generated(now) == list(Purpose)
    for purpose in set(Purpose) - IDENTITIES:
        store.rotate(purpose, now)
    # The new ones do not sign yet.
    assert store.generated(now) == [Purpose.TOKEN, Purpose.RECEIPT, *sorted(IDENTITIES)]
    assert store.generated(now + 5 * MINUTE) == sorted(IDENTITIES)


def test_the_log_keeps_its_one_key(tmp_path: Path, now: datetime) -> None:
    store = KeyStore(tmp_path)
    with pytest.raises(KeyFault, match="no log key"):
        store.log_key()
    store.make_missing(now, generated=False)
    kept = store.log_key().private_bytes_raw()
    with pytest.raises(KeyFault, match="not rotated"):
        store.rotate(Purpose.LOG, now)
    assert KeyStore(tmp_path).log_key().private_bytes_raw() == kept
    (tmp_path / "log-1.pem").write_text((tmp_path / "token-1.pem").read_text())
    with pytest.raises(KeyFault, match="another kind"):
        KeyStore(tmp_path).log_key()


def test_two_processes_that_start_at_once_make_one_key(tmp_path: Path, now: datetime) -> None:
    first, second = KeyStore(tmp_path), KeyStore(tmp_path)
    assert second.missing() == list(Purpose)  # both have looked
    assert first.make_missing(now, generated=True) == list(Purpose)
    assert second.make_missing(now, generated=True) == []
    assert first.jwks(now) == second.jwks(now)


def test_a_key_made_elsewhere_is_taken_as_it_is(tmp_path: Path, now: datetime) -> None:
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    path = tmp_path / "token-7.pem"
    path.write_bytes(pem)
    path.chmod(0o600)
    store = KeyStore(tmp_path)
    assert store.signer(Purpose.TOKEN, now).kid in kids(store, now)
    assert Purpose.TOKEN not in store.generated(now)


def _pem(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a key",
        b"\xff\xfe",
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
        b"Published: yesterday\n" + _pem(ec.generate_private_key(ec.SECP256R1())),
        _pem(ec.generate_private_key(ec.SECP384R1())),
        _pem(ed25519.Ed25519PrivateKey.generate()),
    ],
)
def test_a_damaged_key_is_one_clear_line_that_names_the_file(tmp_path: Path, now: datetime, content: bytes) -> None:
    path = tmp_path / "token-1.pem"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(KeyFault, match=re.escape(str(path))) as fault:
        KeyStore(tmp_path).signer(Purpose.TOKEN, now)
    assert "\n" not in fault.value.en + fault.value.zh


def test_a_damaged_master_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "personal-1.pem"
    path.write_text("-----BEGIN MASTER KEY-----\nshort\n-----END MASTER KEY-----\n")
    path.chmod(0o600)
    with pytest.raises(KeyFault, match="damaged"):
        KeyStore(tmp_path).masters()


@pytest.mark.skipif(os.name != "posix", reason="permissions as POSIX has them")
def test_a_key_that_others_can_read_is_refused(store: KeyStore, now: datetime, tmp_path: Path) -> None:
    (tmp_path / "keys" / "token-1.pem").chmod(0o644)
    with pytest.raises(KeyFault, match="chmod 600"):
        KeyStore(tmp_path / "keys").signer(Purpose.TOKEN, now)


def test_a_missing_folder_asks_for_new_keys(tmp_path: Path, now: datetime) -> None:
    with pytest.raises(KeyFault, match="registry keys new"):
        KeyStore(tmp_path / "nowhere").signer(Purpose.TOKEN, now)

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auth.errors import UnfitPassword
from auth.passwords import ensure_fit, hash_password, matches

GOOD = "tulip-harbour-29"


def test_a_password_fits_its_hash_and_no_other() -> None:
    kept = hash_password(GOOD)
    assert matches(GOOD, kept)
    assert not matches(GOOD + "x", kept)
    assert not matches("", kept)


def test_the_hash_is_argon2id_of_the_agreed_size() -> None:
    assert hash_password(GOOD).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_full_width_typing_is_the_same_password() -> None:
    assert matches("ｔｕｌｉｐ-harbour-29", hash_password(GOOD))


@pytest.mark.parametrize("tried", [GOOD, "", "\0", "x" * 10_000, "\ud800" * 20, "ﷺ" * 128])
def test_nobodys_password_is_never_right_and_never_an_error(tried: str) -> None:
    assert not matches(tried, None)


@pytest.mark.parametrize(
    "password",
    [
        "short-one-9",
        "x" * 129,
        "ﷺ" * 100,  # a sign that its normal form spells out in eighteen letters
        "aaaaaaaaaaaaaaaa",
        "ababababababab",
        "0123456789012345",
        "987654321098",
        "abcdefghijklmn",
        "qwertyuiopas",
        "Password2026!!",
        "woaini5201314",
        "Admin@1234567",
        "li.wei-li.wei-1",
        "tab\tin-the-middle",
        "half-character-\ud800",
    ],
)
def test_passwords_that_everybody_tries_or_nobody_can_type_are_refused(password: str) -> None:
    with pytest.raises(UnfitPassword) as refused:
        ensure_fit(password, "li.wei")
    assert refused.value.zh
    assert refused.value.en
    assert password not in refused.value.zh + refused.value.en


@pytest.mark.parametrize(
    "password", [GOOD, "马到成功 旗开得胜 万事如意", "x" * 100 + "abcd tulip", "correct horse battery"]
)
def test_long_passwords_of_any_script_are_fit(password: str) -> None:
    ensure_fit(password, "li.wei")


@settings(max_examples=200)
@given(st.text(max_size=140))
def test_any_text_is_either_fit_or_refused(password: str) -> None:
    try:
        ensure_fit(password, "li.wei")
    except UnfitPassword:
        return
    assert 12 <= len(password) <= 128

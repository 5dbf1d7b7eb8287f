"""The text the physician is shown, and its hash."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any

import pytest

from workflows.codes import Code, FilingType
from workflows.consent import MATTERS, UNDERTAKINGS, Undertaking, consent_text

TERMS: dict[str, Any] = {
    "physician": "医师甲",
    "practising_code": "110440000000001",
    "institution": "某互联网医院",
    "registration_no": "49850124-X45010611G1001",
    "type_": FilingType.XPROV_FILE,
    "category": Code("1", "临床", "Clinical"),
    "scopes": [Code("101", "内科专业", "Internal medicine"), Code("102", "外科专业", "Surgery")],
    "valid_from": date(2026, 12, 1),
    "valid_to": date(2027, 11, 30),
}


def shown(**changes: Any) -> Undertaking:
    return consent_text(**TERMS | changes)


def test_it_says_who_asks_what_where_and_for_how_long_in_both_languages() -> None:
    chinese, english = shown().text.split("\n----\n")
    for words in ("医师甲", "某互联网医院", "110440000000001", "49850124-X45010611G1001", "2026-12-01", "2027-11-30"):
        assert words in chinese
        assert words in english
    assert "内科专业、外科专业" in chinese
    assert "Internal medicine, Surgery" in english
    assert MATTERS[FilingType.XPROV_FILE].zh in chinese


def test_every_undertaking_is_in_the_text() -> None:
    text = shown().text
    assert all(words.zh in text and words.en in text for words in UNDERTAKINGS)
    assert "人工智能" in text
    assert "真实、准确、完整" in text


def test_the_hash_is_over_the_bytes_of_what_is_shown() -> None:
    given = shown()
    assert given.sha256 == hashlib.sha256(given.text.encode("utf-8")).hexdigest()


def test_the_order_of_the_scopes_does_not_change_the_text() -> None:
    assert shown(scopes=list(reversed(TERMS["scopes"]))) == shown()


@pytest.mark.parametrize(
    "change",
    [
        {"institution": "另一医院"},
        {"type_": FilingType.SITE_FILE},
        {"category": Code("2", "口腔", "Dental")},
        {"scopes": TERMS["scopes"][:1]},
        {"valid_to": date(2027, 11, 29)},
        {"valid_from": None},
        {"physician": "医师乙"},
    ],
    ids=str,
)
def test_whatever_is_changed_changes_the_hash(change: dict[str, Any]) -> None:
    assert shown(**change).sha256 != shown().sha256


def test_a_name_with_braces_is_only_a_name() -> None:
    assert "{institution}" in shown(physician="{institution}").text


def test_every_matter_has_words() -> None:
    assert set(MATTERS) == set(FilingType)

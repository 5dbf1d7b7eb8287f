"""The reason catalogue and the public rule book."""

from __future__ import annotations

import re
from pathlib import Path

from workflows.rules.book import BOOK
from workflows.rules.catalogue import REASONS
from workflows.rules.page import rule_book

PAGE = Path(__file__).parents[3] / "docs" / "rules.md"


def test_the_committed_rule_book_is_the_rendered_one() -> None:
    assert PAGE.read_text(encoding="utf-8") == rule_book(), "run: python -m docs.generate"


def test_the_rule_book_has_one_line_for_each_rule() -> None:
    assert len(re.findall(r"^\| R\d{3} ", rule_book(), re.MULTILINE)) == len(BOOK)


def test_the_rule_book_prints_the_basis_and_no_keys_of_anybodys_notes() -> None:
    assert not re.findall(r"\(?\b(?:S\d{1,2}|P\d{1,2}b?|GK)\b\)?", "\n".join(rule.basis for rule in BOOK))


def test_a_bar_in_a_rule_does_not_break_its_line() -> None:
    lines = [line for line in rule_book().splitlines() if line.startswith("| R")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {7}


def test_every_rule_is_a_reason_in_both_languages_with_its_basis() -> None:
    assert {rule.id for rule in BOOK} <= set(REASONS)
    assert all(reason.text.zh and reason.text.en and reason.basis for reason in REASONS.values())
    assert not [reason for reason in REASONS.values() if "{" in reason.text.zh + reason.text.en]


def test_false_material_is_a_reason_of_its_own_with_its_article() -> None:
    assert REASONS["FALSE_MATERIAL"].basis == "行政许可法 78"

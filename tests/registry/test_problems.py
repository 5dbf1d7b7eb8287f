"""Every error becomes the problem the documentation says, in the caller's language, without personal data."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry import errors, problems
from registry.language import language
from workflows.text import Text

DOCS = Path(__file__).parents[2] / "docs" / "errors.md"


@pytest.mark.parametrize("kind", sorted(problems.STATUS, key=str))
def test_each_code_stands_in_the_documentation_with_its_status(kind: type[errors.DomainError]) -> None:
    error = kind(Text("字", "words"))
    assert f"| `{error.code}` | {problems.STATUS[kind]} |" in DOCS.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("accepted", "tag"),
    [
        (None, "zh-CN"),
        ("en", "en"),
        ("en-GB,zh;q=0.9", "en"),
        ("zh-TW,en;q=0.8", "zh-CN"),
        ("fr", "zh-CN"),
        ("en;q=oops", "zh-CN"),
        ("fr, en;q=0.1", "en"),
    ],
)
def test_the_language_is_the_one_preferred_of_the_two(accepted: str | None, tag: str) -> None:
    assert language(accepted).tag == tag

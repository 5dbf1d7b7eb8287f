from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.tabular import plain_cell, safe_cell

DANGEROUS = "=+-@\t\r\n\x00＝＋－＠"


@given(st.text() | st.from_regex(r"'{0,3}[=+\-@＝＋－＠\t].*"))
def test_a_cell_comes_back_as_it_was(text: str) -> None:
    assert plain_cell(safe_cell(text)) == text


@given(st.sampled_from(DANGEROUS), st.text())
def test_no_cell_can_be_taken_for_a_formula(first: str, rest: str) -> None:
    assert safe_cell(first + rest)[0] == "'"


@pytest.mark.parametrize("text", ["", "符", "110101", "'90s", "a=b"])
def test_ordinary_cells_are_left_alone(text: str) -> None:
    assert safe_cell(text) == text

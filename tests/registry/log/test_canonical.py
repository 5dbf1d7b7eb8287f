from __future__ import annotations

import string

import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from registry.log.events import canonical

names = st.text(string.ascii_letters + string.digits + "_.-", max_size=8)
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
whole = st.integers(-(2**53) + 1, 2**53 - 1)
values = st.recursive(
    st.none() | st.booleans() | whole | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(names, values, max_size=6))
def test_what_events_tell_is_written_as_rfc_8785_writes_it(payload: dict[str, object]) -> None:
    assert canonical(payload) == rfc8785.dumps(payload).decode()  # type: ignore[arg-type]

"""JSON that two readers could read differently, or that no field can hold, is refused; and refusing it is quick."""

import time

import pytest

from registry.api.body import MAX_BODY, strict_json
from registry.errors import Invalid

HALF = MAX_BODY // 2


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{} x",
        b'\xef\xbb\xbf{"a": 1}',
        b'{"a": "\xff"}',
        b'{"a": 1, "a": 2}',
        b'{"a": {"b": 1, "b": 1}}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": 1.0}',
        b'{"a": 9223372036854775808}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b"[" * 33 + b"]" * 33,
        b"[" * 100_000,
        b'{"a":' * 40_000,
    ],
)
def test_what_is_not_strict_json_is_refused(raw: bytes) -> None:
    with pytest.raises(Invalid):
        strict_json(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a": "' + b'\\"' * HALF,
        b'{"a": "' + b'\\"' * HALF + b"\\",
        b'{"a": "' + b"\\\\" * HALF,
        b'{"a": "' + b'\\"' * HALF + b'\n"}',
        b'"' * MAX_BODY,
    ],
)
def test_a_string_that_never_ends_is_refused_in_one_pass(raw: bytes) -> None:
    began = time.process_time()
    with pytest.raises(Invalid):
        strict_json(raw)
    assert time.process_time() - began < 1


def test_brackets_and_quotes_within_strings_are_text() -> None:
    assert strict_json(b'{"a": "' + b'[{\\"' * 100 + b'", "b": [[1]]}') == {"a": '[{"' * 100, "b": [[1]]}

"""The body that a log sends its witness, byte for byte, and what is not one."""

from __future__ import annotations

import pytest

from registry.log.checkpoint import Checkpoint
from registry.log.note import Malformed, Note, Signature
from registry.witness.submission import Submission, parse_size

TEXT = str(Checkpoint("log.example", 7, bytes(32)))
NOTE = Note(TEXT, (Signature("log.example", b"abcd", b"mark"),))
HASH = bytes(range(32))


def test_a_submission_is_read_as_it_was_written() -> None:
    for submission in (Submission(0, (), NOTE), Submission(5, (HASH, bytes(32)), NOTE)):
        assert Submission.parse(str(submission).encode()) == submission


def test_its_lines_are_those_of_the_specification() -> None:
    assert str(Submission(5, (HASH,), NOTE)) == (
        "old 5\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\n"
        "log.example\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n— log.example YWJjZG1hcms=\n"
    )


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 5\n",
        f"old 05\n\n{NOTE}".encode(),
        f"old -1\n\n{NOTE}".encode(),
        f"old  5\n\n{NOTE}".encode(),
        f"Old 5\n\n{NOTE}".encode(),
        f"old 5\r\n\r\n{NOTE}".encode(),
        f"old 5\nAAAA\n\n{NOTE}".encode(),  # no hash
        f"old 5\nnot base64\n\n{NOTE}".encode(),
        ("old 5\n" + "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n" * 64 + f"\n{NOTE}").encode(),
        f"old 5\n\n{TEXT}".encode(),  # no signature
        b"old 5\n\n\xff\xfe",
        b"old 99999999999999999999\n\nx",
    ],
)
def test_anything_else_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        Submission.parse(body)


def test_a_size_is_one_line() -> None:
    assert parse_size(b"20852014\n") == 20852014
    for body in (b"", b"7", b"07\n", b"7\n7\n", b"-7\n", b"\xff\n"):
        with pytest.raises(Malformed):
            parse_size(body)

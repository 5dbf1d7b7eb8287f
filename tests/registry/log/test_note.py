"""Signed notes, verifier keys, cosignatures and checkpoints, against vectors published with other implementations."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from registry.log.checkpoint import Checkpoint
from registry.log.note import (
    COSIGNATURE,
    Malformed,
    Note,
    Signature,
    Untrusted,
    VerifierKey,
    cosign,
    sign,
    verifier_key,
)

# Signed by golang.org/x/mod/sumdb/note, from its documentation.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETERS = """If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
"""
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
NAME = "registry.example/log"
TEXT = str(Checkpoint(NAME, 7, bytes(range(32))))


def test_a_note_of_another_implementation_is_accepted() -> None:
    key = VerifierKey.parse(PETER)
    assert str(key) == PETER
    assert Note.parse(PETERS).ensure_by(key).text.endswith("your problem is.\n")
    assert str(Note.parse(PETERS)) == PETERS


def test_a_signed_text_verifies_with_the_key_that_was_handed_over() -> None:
    note = Note(TEXT).signed(sign(TEXT, NAME, KEY))
    key = VerifierKey.parse(str(verifier_key(NAME, KEY)))
    assert Checkpoint.of(Note.parse(str(note)).ensure_by(key)) == Checkpoint(NAME, 7, bytes(range(32)))


@pytest.mark.parametrize("place", [0, 5, 21, len(TEXT) - 2])
def test_one_changed_letter_is_refused(place: int) -> None:
    note = str(Note(TEXT).signed(sign(TEXT, NAME, KEY)))
    letter = "8" if note[place] != "8" else "9"
    with pytest.raises(Untrusted):
        Note.parse(note[:place] + letter + note[place + 1 :]).ensure_by(verifier_key(NAME, KEY))


def test_a_wrong_key_has_not_signed() -> None:
    note = Note(TEXT).signed(sign(TEXT, NAME, KEY))
    with pytest.raises(Untrusted, match="has not signed"):
        note.ensure_by(verifier_key(NAME, OTHER))
    with pytest.raises(Untrusted, match="has not signed"):
        note.ensure_by(verifier_key("other.example", KEY))


def test_a_line_that_only_claims_the_key_condemns_the_note() -> None:
    key = verifier_key(NAME, KEY)
    forged = Signature(NAME, key.id, OTHER.sign(TEXT.encode()))
    with pytest.raises(Untrusted, match="does not verify"):
        Note(TEXT).signed(forged).by([key])


def test_a_line_that_comes_twice_condemns_the_note() -> None:
    line = sign(TEXT, NAME, KEY)
    with pytest.raises(Untrusted):
        Note(TEXT).signed(line, line).by([verifier_key(NAME, KEY)])


def test_lines_of_unknown_keys_are_passed_over() -> None:
    note = Note(TEXT).signed(sign(TEXT, "other.example", OTHER), sign(TEXT, NAME, KEY))
    assert [key.name for key, _ in note.by([verifier_key(NAME, KEY)])] == [NAME]


def test_a_cosignature_carries_its_time_and_binds_it() -> None:
    witness = verifier_key("witness.example", OTHER, COSIGNATURE)
    line = cosign(TEXT, "witness.example", OTHER, 1_795_000_000)
    assert line.time == 1_795_000_000
    assert witness.verifies(TEXT, line)
    moved = Signature(line.name, line.key_id, (1_795_000_001).to_bytes(8) + line.mark[8:])
    assert not witness.verifies(TEXT, moved)
    assert not witness.verifies(TEXT, Signature(line.name, line.key_id, line.mark[:-1]))


def test_a_cosignature_is_no_signature_and_the_other_way_round() -> None:
    assert not verifier_key(NAME, KEY).verifies(TEXT, cosign(TEXT, NAME, KEY, 5))
    assert not verifier_key(NAME, KEY, COSIGNATURE).verifies(TEXT, sign(TEXT, NAME, KEY))
    assert verifier_key(NAME, KEY).id != verifier_key(NAME, KEY, COSIGNATURE).id


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "name",
        PETER[:-4],
        PETER.replace("c74f20a3", "c74f20a4"),
        PETER.replace("PeterNeumann", "Peter Neumann"),
        PETER.replace("PeterNeumann", ""),
        PETER.replace("+ARpc", "+BRpc"),
        PETER[:-1] + "X",
    ],
)
def test_a_damaged_vkey_is_refused(vkey: str) -> None:
    with pytest.raises(Malformed):
        VerifierKey.parse(vkey)


@pytest.mark.parametrize(
    "note",
    [
        "",
        "text\n",
        "text\n\n",
        PETERS.rstrip("\n"),
        PETERS.replace("— ", "- "),
        PETERS.replace("x08go", "x08g!"),
        PETERS.replace("PeterNeumann ", "PeterNeumann  "),
        PETERS.replace("the answer", "the\tanswer"),
        PETERS.replace("JnAM=", "JnAN="),
        PETERS + PETERS.splitlines(keepends=True)[-1] * 100,
    ],
)
def test_what_is_no_note_is_refused(note: str) -> None:
    with pytest.raises(Malformed):
        Note.parse(note)


@given(st.text())
def test_no_text_at_all_breaks_the_parser(text: str) -> None:
    for parse in (Note.parse, VerifierKey.parse, Checkpoint.parse):
        try:
            assert str(parse(text)).strip() == text.strip()
        except Malformed:
            continue


@given(st.integers(0, 10**19 - 1), st.binary(min_size=32, max_size=32))
def test_a_checkpoint_is_read_as_it_was_written(size: int, root: bytes) -> None:
    checkpoint = Checkpoint("registry.example/log", size, root)
    assert Checkpoint.parse(str(checkpoint)) == checkpoint


def test_extension_lines_are_kept() -> None:
    assert Checkpoint.parse(TEXT + "more\n").extensions == ("more",)


@pytest.mark.parametrize(
    "text",
    [
        "",
        TEXT.rstrip("\n"),
        TEXT + "\n",
        TEXT.replace("\n7\n", "\n07\n"),
        TEXT.replace("\n7\n", "\n-7\n"),
        TEXT.replace("\n7\n", "\n٧\n"),
        TEXT.replace(NAME, ""),
        TEXT.replace("AAEC", "AAE"),
        "a\n1\nAAAA\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        Checkpoint.parse(text)

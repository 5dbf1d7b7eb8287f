from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.sealed import Seal, SealBroken, mask_id_number, mask_phone, mask_qualification

OLD, NEW = bytes(32), bytes(range(32))
ROW, OTHER = uuid.UUID(int=1), uuid.UUID(int=2)
COLUMN = "physician.id_number"

seal = Seal({1: OLD})


@given(st.text())
def test_what_is_sealed_opens(text: str) -> None:
    assert seal.open(COLUMN, ROW, seal.seal(COLUMN, ROW, text)) == text


def test_the_same_text_is_never_sealed_alike() -> None:
    assert seal.seal(COLUMN, ROW, "x") != seal.seal(COLUMN, ROW, "x")


def test_a_sealed_identity_number_takes_49_bytes() -> None:
    assert len(seal.seal(COLUMN, ROW, "11010519491231002X")) == 49


@pytest.mark.parametrize(("column", "row"), [(COLUMN, OTHER), ("physician.qualification", ROW)])
def test_a_value_moved_to_another_row_or_column_does_not_open(column: str, row: uuid.UUID) -> None:
    with pytest.raises(SealBroken):
        seal.open(column, row, seal.seal(COLUMN, ROW, "11010519491231002X"))


@given(st.integers(min_value=0, max_value=48), st.integers(min_value=1, max_value=255))
def test_no_altered_byte_opens(position: int, change: int) -> None:
    sealed = bytearray(seal.seal(COLUMN, ROW, "11010519491231002X"))
    sealed[position] ^= change
    with pytest.raises(SealBroken):
        seal.open(COLUMN, ROW, bytes(sealed))


@given(st.binary(max_size=60))
def test_bytes_that_nobody_sealed_are_refused_by_name(blob: bytes) -> None:
    with pytest.raises(SealBroken):
        seal.open(COLUMN, ROW, blob)


def test_a_refusal_tells_nothing_of_the_content() -> None:
    with pytest.raises(SealBroken) as broken:
        seal.open(COLUMN, OTHER, seal.seal(COLUMN, ROW, "11010519491231002X"))
    assert "110105" not in str(broken.value)


def test_after_a_rotation_old_values_open_and_new_ones_carry_the_new_key() -> None:
    rotated = Seal({1: OLD, 2: NEW})
    assert rotated.open(COLUMN, ROW, seal.seal(COLUMN, ROW, "x")) == "x"
    assert rotated.seal(COLUMN, ROW, "x")[1:3] == b"\0\2"
    with pytest.raises(SealBroken):
        seal.open(COLUMN, ROW, rotated.seal(COLUMN, ROW, "x"))


def test_a_look_up_finds_both_keys_while_two_live() -> None:
    rotated = Seal({1: OLD, 2: NEW})
    assert rotated.indexes("phone", "13800000000") == [
        rotated.index("phone", "13800000000"),
        seal.index("phone", "13800000000"),
    ]
    assert rotated.matches("phone", "13800000000", seal.index("phone", "13800000000"))
    assert not rotated.matches("phone", "13800000001", seal.index("phone", "13800000000"))


def test_an_index_is_18_bytes_and_differs_by_purpose_and_key() -> None:
    found = {seal.index("phone", "1"), seal.index("id_number", "1"), Seal({1: NEW}).index("phone", "1")}
    assert len(found) == 3
    assert {len(index) for index in found} == {18}


@pytest.mark.parametrize("masters", [{}, {1: b"short"}, {70000: OLD}])
def test_no_seal_is_made_without_a_proper_key(masters: dict[int, bytes]) -> None:
    with pytest.raises(ValueError):
        Seal(masters)


@given(st.text(alphabet="0123456789X", min_size=3, max_size=30))
def test_no_mask_shows_the_whole_number(number: str) -> None:
    for mask in (mask_id_number, mask_phone, mask_qualification):
        shown = mask(number)
        assert len(shown) == len(number)
        assert shown.count("*") >= min(3, len(number) - 1)


def test_masks_show_what_people_are_used_to() -> None:
    assert mask_id_number("11010519491231002X") == "110*************2X"
    assert mask_phone("13812345678") == "138****5678"
    assert mask_qualification("20084611011010519491231002X") == "200846110110*************2X"

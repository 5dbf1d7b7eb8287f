"""Numbers by their standards."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows import numbers

TODAY = date(2026, 11, 21)
ID = "11010519491231002X"

births = st.dates(date(1900, 1, 1), TODAY)
digits = st.text("0123456789", min_size=3, max_size=3)


@st.composite
def resident_ids(draw: st.DrawFn) -> str:
    division = draw(st.integers(110000, 999999))
    first17 = f"{division}{draw(births):%Y%m%d}{draw(digits)}"
    return first17 + numbers.mod_11_2(first17)


@given(resident_ids())
def test_every_number_with_its_check_character_is_a_resident_id_whatever_its_division(number: str) -> None:
    assert numbers.resident_id_fault(number, TODAY) is None


@given(resident_ids(), st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_is_always_noticed(number: str, place: int, shift: int) -> None:
    wrong = str((int(number[place]) + shift) % 10)
    assert numbers.resident_id_fault(number[:place] + wrong + number[place + 1 :], TODAY) is not None


@given(resident_ids(), st.integers(0, 15))
def test_two_neighbours_exchanged_are_always_noticed(number: str, place: int) -> None:
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    assert swapped == number or numbers.resident_id_fault(swapped, TODAY) is not None


@pytest.mark.parametrize(
    ("number", "position"),
    [
        (ID, None),
        ("440524188001010014", None),
        ("34052419800101001X", None),
        ("110105194912310021", 18),
        ("11010519491331002X", 11),
        ("11010519490231002X", 13),
        ("11010517491231002X", 7),
        ("0" + ID[1:], 1),
        ("11010S19491231002X", 6),
        (ID[:17], 18),
        (ID + "1", 19),
        ("", 1),
        (ID[:17] + "Х", 18),  # a Cyrillic letter that looks like X
    ],
)
def test_the_first_position_that_cannot_stand_is_named(number: str, position: int | None) -> None:
    assert numbers.resident_id_fault(number, TODAY) == position


def test_nobody_is_born_tomorrow() -> None:
    first17 = "11010520261122002"
    number = first17 + numbers.mod_11_2(first17)
    assert numbers.resident_id_fault(number, TODAY) == 7
    assert numbers.resident_id_fault(number, date(2026, 11, 22)) is None


@pytest.mark.parametrize(
    ("id_type", "number", "fits"),
    [
        ("01-HK", "81000019800101001" + numbers.mod_11_2("81000019800101001"), True),
        ("F23", "932682198501010017", True),
        ("F23", "911124198108030024", True),
        ("F23", "932682198501010018", False),
        ("F23", ID, False),
        ("F17", "USA110000010101", True),
        ("F17", "USA11000001010", False),
        ("03", "E12345678", True),
        ("03", "E123", False),
        ("06", "H12345678", True),
        ("06", "M1234567890", True),
        ("06", "A12345678", False),
        ("06", "H123456789", False),
        ("07", "12345678", True),
        ("07", "1234567890A", True),
        ("07", "123456789", False),
        ("04", "军字第1号", True),
        ("99", "", False),
    ],
)
def test_each_document_has_its_pattern(id_type: str, number: str, fits: bool | None) -> None:
    if fits is None:  # the check character decides
        number = number[:17] + numbers.mod_11_2(number[:17])
    assert (numbers.document_fault(id_type, number, TODAY) is None) is (fits is not False)


def test_a_foreign_card_is_named_by_its_first_digit_date_and_check() -> None:
    assert numbers.foreign_resident_fault("832682198501010017", TODAY) == 1
    assert numbers.foreign_resident_fault("932682198513010017", TODAY) == 11
    assert numbers.foreign_resident_fault("932682198501010018", TODAY) == 18


@given(births, digits)
def test_birth_date_and_sex_are_read_from_the_number(born: date, sequence: str) -> None:
    first17 = f"110105{born:%Y%m%d}{sequence}"
    number = first17 + numbers.mod_11_2(first17)
    assert numbers.birth_date("01", number) == born
    assert numbers.sex("01", number) == ("男" if int(sequence) % 2 else "女")


def test_a_passport_carries_neither_birth_date_nor_sex() -> None:
    assert numbers.birth_date("03", ID) is None
    assert numbers.sex("03", ID) is None
    assert numbers.birth_date("01", "11010519491331002X") is None


def test_the_number_of_before_1999_is_the_same_number() -> None:
    assert numbers.fifteen_digits(ID) == "110105491231002"
    assert numbers.same_number(ID, "110105491231002")
    assert numbers.same_number("110105491231002", ID)
    assert not numbers.same_number(ID, "110105491231003")
    first17 = "11010520000101002"
    assert numbers.fifteen_digits(first17 + numbers.mod_11_2(first17)) is None


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (" 11010519491231002x ", ID),
        ("１１０１０５１９４９１２３１００２Ｘ", ID),
        ("110105 19491231 002X", ID),
        ("110105\u200b19491231\u00a0002X\ufeff", ID),
        ("110105\u300019491231002ｘ", ID),
        ("h12345678", "H12345678"),
    ],
)
def test_numbers_are_read_as_people_mean_them(typed: str, meant: str) -> None:
    assert numbers.normalised(typed) == meant


@given(st.text())
def test_a_normalised_number_stays_as_it_is(text: str) -> None:
    once = numbers.normalised(text)
    assert numbers.normalised(once) == once


@pytest.mark.parametrize(
    ("code", "valid"),
    [
        ("91350100M000100Y43", True),
        ("91440300708461136T", True),
        ("91110108551385082Q", True),
        ("12330000470051726F", True),
        ("91350100M000100Y44", False),
        ("91350100I000100Y43", False),
        ("91350100M000100Y4", False),
    ],
)
def test_credit_codes_pass_gb_32100(code: str, *, valid: bool) -> None:
    assert numbers.is_uscc(code) is valid


@given(st.integers(0, 16), st.sampled_from("0123456789ABCDEFGHJKLMNPQRTUWXY"))
def test_one_wrong_character_of_a_credit_code_is_always_noticed(place: int, character: str) -> None:
    code = "91350100M000100Y43"
    changed = code[:place] + character + code[place + 1 :]
    assert changed == code or not numbers.is_uscc(changed)


@pytest.mark.parametrize(("code", "valid"), [("D2143569X", True), ("D21435690", False), ("d2143569X", False)])
def test_organisation_codes_pass_gb_11714(code: str, *, valid: bool) -> None:
    assert numbers.is_organisation_code(code) is valid


@pytest.mark.parametrize(
    "written",
    ["44490745543011111G1001", "49850124-X45010611G1001", "08818209861011311A5181", "44488501443010511A1001"],
)
def test_registration_numbers_split_and_begin_with_an_organisation_code(written: str) -> None:
    found = numbers.find_registration_number(numbers.registration_number(written))
    assert found is not None
    assert numbers.is_organisation_code(found.organisation)
    assert (len(found.division), len(found.category)) == (6, 4)


@pytest.mark.parametrize("written", ["", "4449074554301111G1001", "44490745543011111G1003", "4449074554301111111001"])
def test_other_strings_are_no_registration_numbers(written: str) -> None:
    assert numbers.find_registration_number(numbers.registration_number(written)) is None


def test_a_qualification_code_is_split_into_its_segments() -> None:
    found = numbers.find_qualification(f"200846110{ID}")
    assert found == numbers.Qualification(2008, "46", "1", "10", ID)
    assert numbers.find_qualification("200846110" + "110105491231002") is not None
    assert numbers.find_qualification("200846B10" + ID) is None
    assert numbers.find_qualification(f"1899461{ID}10") is None


def test_a_practising_code_is_split_into_its_segments() -> None:
    assert numbers.find_practising("110440000000001") == numbers.Practising("1", "10", "440000", "000001")
    assert numbers.find_practising("11044000000001") is None
    assert numbers.find_practising("１10440000000001") is None

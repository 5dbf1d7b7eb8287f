"""Numbers that identify people, certificates and organisations, as the standards define them.

Nothing here looks a division code up: the six digits say where a number was first issued, often long ago, and a holder keeps
the number for life.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

RESIDENT_ID = "01"
# Residence permits carry a GB 11643 number whose first six digits name the document (rule R004).
RESIDENCE_PERMITS = {"01-HK": "810000", "01-MO": "820000", "01-TW": "830000"}
GB_11643 = frozenset({RESIDENT_ID, *RESIDENCE_PERMITS})
FOREIGN_RESIDENT_2023 = "F23"
FOREIGN_RESIDENT_OLD = "F17"
# Household register (02) and driving licence (05) have codes but cannot carry a filing.
NOT_ACCEPTED = frozenset({"02", "05"})

_SHAPES = {
    FOREIGN_RESIDENT_OLD: re.compile(r"[A-Z]{3}\d{12}", re.ASCII),
    "03": re.compile(r"[A-Z0-9]{5,17}", re.ASCII),
    "06": re.compile(r"[HM]\d{8}(\d{2})?", re.ASCII),
    "07": re.compile(r"\d{8}|\d{10}[A-Z]?", re.ASCII),
}
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS = tuple(pow(3, i, 31) for i in range(17))
_USCC = re.compile(rf"[{_USCC_ALPHABET}]{{2}}\d{{6}}[{_USCC_ALPHABET}]{{10}}", re.ASCII)
_ORGANISATION = re.compile(r"[0-9A-Z]{8}[0-9X]", re.ASCII)
_REGISTRATION = re.compile(r"([0-9A-Z]{9})(\d{6})(\d{2})([A-Z]\d{3})([129])", re.ASCII)
_QUALIFICATION = re.compile(r"((?:19|20)\d{2})([1-8]\d)([12])([0-9AB]\d)(\d{15}|\d{17}[\dX])", re.ASCII)
_PRACTISING = re.compile(r"(\d)(\d{2})(\d{6})(\d{6})", re.ASCII)


def normalised(text: str) -> str:
    """A number as people mean it: full-width forms folded, blanks and invisible characters dropped, upper case."""
    if text.isascii():
        return "".join(text.split()).upper()
    folded = unicodedata.normalize("NFKC", text)
    kept = (c for c in folded if not c.isspace() and unicodedata.category(c) != "Cf")
    return unicodedata.normalize("NFKC", "".join(kept).upper())


def mod_11_2(first17: str) -> str:
    """Check character of the first 17 digits (ISO 7064 MOD 11-2, as GB 11643 uses it)."""
    return "10X98765432"[sum(int(d) * w for d, w in zip(first17, _WEIGHTS, strict=True)) % 11]


def resident_id_fault(number: str, today: date) -> int | None:
    """The first position (from 1) that cannot stand in a GB 11643 number on `today`, or None.

    A missing character counts at the place where it is missing, a surplus one as position 19, a false date at its first digit.
    """
    return _first_odd(number) or _date_fault(number, 6, today) or (None if mod_11_2(number[:17]) == number[17] else 18)


def foreign_resident_fault(number: str, today: date) -> int | None:
    """The same for the 2023 foreign permanent resident card: 9, province, nationality, birth date, sequence, check."""
    if fault := _first_odd(number):
        return fault
    if number[0] != "9":
        return 1
    return _date_fault(number, 6, today) or (None if mod_11_2(number[:17]) == number[17] else 18)


def document_fault(id_type: str, number: str, today: date) -> int | None:
    """The first position that cannot stand in a number of this document (code of identity_document), or None.

    Documents without a published pattern (04, 99) need only be there. Where a pattern has no positions to name, it is 1.
    """
    if id_type in GB_11643:
        return resident_id_fault(number, today)
    if id_type == FOREIGN_RESIDENT_2023:
        return foreign_resident_fault(number, today)
    shape = _SHAPES.get(id_type)
    return None if number and (shape is None or shape.fullmatch(number)) else 1


def birth_date(id_type: str, number: str) -> date | None:
    """The date inside the number, for documents that carry one; None for others or when it is no date."""
    if id_type not in GB_11643 and id_type != FOREIGN_RESIDENT_2023:
        return None
    return None if _first_odd(number) else _date(number[6:14])


def sex(id_type: str, number: str) -> str | None:
    """男 or 女 as the sequence says (odd for men), for documents that carry one."""
    if birth_date(id_type, number) is None:
        return None
    return "男" if int(number[16]) % 2 else "女"


def fifteen_digits(number: str) -> str | None:
    """The form of before 1999: without the century and the check character. None for people born in this century."""
    return number[:6] + number[8:17] if number[6:8] == "19" and not _first_odd(number) else None


def same_number(one: str, other: str) -> bool:
    """Whether two identity numbers are one, also when one of them is in its 15-digit form."""
    return one == other or one == fifteen_digits(other) or other == fifteen_digits(one)


@dataclass(frozen=True)
class Qualification:
    """医师资格证书编码: no check digit, but it contains the holder's identity number."""

    year: int
    province: str
    level: str
    category: str
    id_number: str


def find_qualification(code: str) -> Qualification | None:
    """The segments of a 24- or 27-character code; None when it is no such code."""
    if not (found := _QUALIFICATION.fullmatch(code)):
        return None
    year, province, level, category, id_number = found.groups()
    return Qualification(int(year), province, level, category, id_number)


@dataclass(frozen=True)
class Practising:
    """医师执业证书编码. `division` is where the code was first issued, never where the physician works."""

    level: str
    category: str
    division: str
    serial: str


def find_practising(code: str) -> Practising | None:
    """The segments of a 15-digit code; None when it is none. There is no check digit, whatever some pages say."""
    found = _PRACTISING.fullmatch(code)
    return Practising(*found.groups()) if found else None


def is_uscc(code: str) -> bool:
    """GB 32100: 18 characters of 31 (no I, O, S, V, Z) with a MOD 31 check character."""
    if not _USCC.fullmatch(code):
        return False
    total = sum(_USCC_ALPHABET.index(c) * w for c, w in zip(code, _USCC_WEIGHTS, strict=False))
    return _USCC_ALPHABET[-total % 31] == code[17]


def is_organisation_code(code: str) -> bool:
    """GB 11714: eight characters and a check character. Locally assigned codes need not pass it."""
    if not _ORGANISATION.fullmatch(code):
        return False
    remainder = -sum(int(c, 36) * w for c, w in zip(code, _WEIGHTS[9:], strict=False)) % 11
    return code[8] == "0123456789X"[remainder]


@dataclass(frozen=True)
class RegistrationNumber:
    """登记号 of an institution's licence (WS 218). There is no branch segment and no check over the whole."""

    organisation: str
    division: str
    economic_type: str
    category: str
    management: str  # 1 non-profit, 2 for profit, 9 other


def registration_number(text: str) -> str:
    """The number as it is stored: some certificates print a hyphen before the ninth character."""
    return normalised(text).replace("-", "")


def find_registration_number(number: str) -> RegistrationNumber | None:
    """The segments of a stored number; None when it is not one of 22 characters."""
    found = _REGISTRATION.fullmatch(number)
    return RegistrationNumber(*found.groups()) if found else None


def _first_odd(number: str) -> int | None:
    """First position that no 17 digits and a digit or X can have."""
    for position, character in enumerate(number[:18], 1):
        digit = "0" <= character <= "9"
        if not digit and not (position == 18 and character == "X"):
            return position
        if position == 1 and character == "0":
            return 1
    return None if len(number) == 18 else min(len(number) + 1, 19)


def _date_fault(number: str, start: int, today: date) -> int | None:
    written = number[start : start + 8]
    if written[:2] not in ("18", "19", "20"):
        return start + 1
    if not "01" <= written[4:6] <= "12":
        return start + 5
    born = _date(written)
    if born is None:
        return start + 7
    return start + 1 if born > today else None


def _date(digits: str) -> date | None:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None

"""Days as people and spreadsheets write them."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, timedelta
from functools import lru_cache

_SERIAL_ZERO = date(1899, 12, 30)  # so counted, day 60 is the 29 February 1900 that spreadsheets believe in
_SERIALS = range(3654, 73051)  # 1910 to 2099: what a physician's record can speak of

_EIGHT = re.compile(r"(\d{4})(\d\d)(\d\d)", re.ASCII)
_SERIAL = re.compile(r"\d{4,5}", re.ASCII)
_WRITTEN = re.compile(
    r"(?P<year>\d{4})"
    r"(?:(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})| *年 *(?P<m>\d{1,2}) *月 *(?P<d>\d{1,2}) *日?)"
    r"(?:[T ]00:00(?::00(?:\.0+)?)?)?",
    re.ASCII,
)


@lru_cache(maxsize=65536)  # a register repeats its days
def parse_date(text: str) -> date:
    """The day that `text` names.

    Takes 2026-11-21, 2026/11/21, 2026.11.21, 2026年11月21日 and 20261121, also in full-width digits or with midnight
    behind, and a spreadsheet's serial day (1900 system). Years of two digits and days before the year are refused: they
    can be read in two ways. Raises ValueError.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    if eight := _EIGHT.fullmatch(plain):
        return date(int(eight[1]), int(eight[2]), int(eight[3]))
    if _SERIAL.fullmatch(plain) and int(plain) in _SERIALS:
        return _SERIAL_ZERO + timedelta(days=int(plain))
    found = _WRITTEN.fullmatch(plain)
    if not found:
        raise ValueError("not a day")
    return date(int(found["year"]), int(found["month"] or found["m"]), int(found["day"] or found["d"]))

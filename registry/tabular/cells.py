"""Cells that a spreadsheet cannot take for a formula (ASVS 5.0, 1.2.10), written and read back unchanged."""

from __future__ import annotations

# The full-width signs too: some spreadsheets in Chinese locales take them for their narrow ones.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\x00", "＝", "＋", "－", "＠")
_QUOTE = "'"


def safe_cell(text: str) -> str:
    """`text` with an apostrophe before it when a spreadsheet could run it."""
    return _QUOTE + text if text.lstrip(_QUOTE).startswith(_FORMULA) else text


def plain_cell(text: str) -> str:
    """What `safe_cell` was given: a file of refused rows can be corrected and imported as it is."""
    return text[1:] if text.startswith(_QUOTE) and text.lstrip(_QUOTE).startswith(_FORMULA) else text

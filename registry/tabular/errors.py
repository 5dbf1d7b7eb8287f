"""Why a file cannot be read as a table. One sentence each, with the remedy."""

from __future__ import annotations

from dataclasses import dataclass

from registry.errors import Invalid
from workflows.text import Text


@dataclass
class Unreadable(Invalid):
    """The file as a whole; what is wrong with one row is said of that row."""

    code: str = "file_unreadable"


def unreadable(code: str, zh: str, en: str, **arguments: object) -> Unreadable:
    return Unreadable(Text(zh, en).filled(arguments), code)

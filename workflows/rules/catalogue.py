"""The reason catalogue: what an officer may give as a reason, each with its words and its legal basis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from workflows.rules.book import BOOK
from workflows.rules.file import FILE_REASONS
from workflows.text import Text


@dataclass(frozen=True)
class Reason:
    """A rule of the book by its id, or a reason that only a person can give, by a word."""

    code: str
    text: Text
    basis: str


_OFFICERS_OWN: Final = (
    Reason(
        "FALSE_MATERIAL",
        Text(
            "隐瞒有关情况或者提供虚假材料，一年内不得再次申请。",
            "Facts were hidden or false material was given: no new application for one year.",
        ),
        "行政许可法 78",
    ),
    Reason(
        "CONDITIONS_NOT_MET",
        Text(
            "不符合法定条件、标准（具体情形见说明）。",
            "The statutory conditions or standards are not met, as the note explains.",
        ),
        "行政许可法 38",
    ),
    Reason(
        "NOT_VERIFIABLE",
        Text("申请材料的实质内容无法核实。", "The substance of the material could not be verified."),
        "行政许可法 34",
    ),
    Reason(
        "ILLEGIBLE",
        Text("材料不清晰或不符合法定形式。", "The material is illegible or not in the form the law asks for."),
        "行政许可法 32(4)",
    ),
    Reason(
        "DISPUTED",
        Text("医师本人对本次申报提出异议。", "The physician disputes this filing."),
        "行政许可法 31",
    ),
)

# For a rule named without a case, the places of its words that a case would fill stay open.
REASONS: Final[Mapping[str, Reason]] = {
    reason.code: reason
    for reason in (
        *(Reason(rule.id, rule.text.filled({}), rule.basis) for rule in BOOK),
        *(Reason(found.code, found.text.filled({}), found.basis) for found in FILE_REASONS),
        *_OFFICERS_OWN,
    )
}

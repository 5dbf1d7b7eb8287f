"""Whether there is anything to file at all."""

from __future__ import annotations

from workflows.codes import FilingType
from workflows.rules.facts import Facts, Practice
from workflows.rules.reading import live_here
from workflows.rules.rule import SITES, Outcome, Remark, Section, Stage

RULES = Section("是否需要备案", "Need")


@RULES.rule(
    "R056",
    Stage.JUDGE,
    Outcome.REJECT,
    "A",
    when="SITE_FILE",
    what="target is not the main institution of the same row",
    basis="医师执业注册管理办法 10",
    zh="拟执业机构已是主要执业机构，无需备案。",
    en="This is already the main institution.",
    types={FilingType.SITE_FILE},
    needs_match=True,
)
def not_the_main_institution(facts: Facts) -> Remark | None:
    rows = [r for r in live_here(facts) if r.main_institution == facts.institution.registration_no]
    return Remark(source=rows[0].source) if rows else None


@RULES.rule(
    "R057",
    Stage.JUDGE,
    Outcome.RETURN,
    "A",
    when="SITE_FILE|XPROV_FILE",
    what="no EFFECTIVE or pending filing for the same physician and institution with overlapping term",
    basis="一事一案 one open case for one matter",
    zh="该机构已有有效或在办备案。",
    en="An active or pending filing already exists.",
    types=SITES,
)
def nothing_stands_already(facts: Facts) -> Remark | None:
    if facts.duplicate_of:
        return Remark(evidence={"same_as": facts.duplicate_of, "equal": False})
    same = [p for p in facts.practices if p.institution == facts.institution.registration_no and _overlaps(p, facts)]
    if not same:
        return None
    equal = next((p for p in same if _equal(p, facts)), None)
    practice = equal or same[0]
    return Remark(evidence={"kind": practice.kind, "ref": practice.ref, "equal": equal is not None})


@RULES.rule(
    "R058",
    Stage.JUDGE,
    Outcome.REJECT,
    "A",
    when="any filing",
    what="declared activity is in exempt_activity",
    basis="医师法 18; 医师执业注册管理办法 20",
    zh="该活动依法无需办理变更注册或备案（不予受理，告知即可）。",
    en="No registration or filing is needed for this activity.",
)
def not_exempt(facts: Facts) -> Remark | None:
    activity = facts.codes.find("exempt_activity", facts.activity) if facts.activity else None
    return Remark(evidence={"activity": activity.code}) if activity else None


RULES.note(
    "R059",
    Stage.SUBMIT,
    Outcome.SENIOR,
    "A",
    when="any filing, reason=医联体",
    what="consortium agreement lists both institutions",
    basis="医师法 18(3)",
    zh="医疗联合体内执业可免备案，请人工核对协议名单。",
    en="Inside a consortium no filing is needed; senior check of the list.",
)


RULES.note(
    "R079",
    Stage.JUDGE,
    Outcome.WARN,
    "B",
    when="SITE_FILE",
    what="target has its own licence number (a branch under the same licence needs no filing)",
    basis="医师执业注册管理办法 10",
    zh="院区与主要执业机构为同一许可证，无需备案。",
    en="Same licence as the main institution: no filing needed.",
)


def _overlaps(practice: Practice, facts: Facts) -> bool:
    """Whether the terms share a day. A term still to be given (R100) may be any."""
    starts_too_late = facts.valid_to is not None and practice.valid_from > facts.valid_to
    ended_before = (
        practice.valid_to is not None and facts.valid_from is not None and practice.valid_to < facts.valid_from
    )
    return not starts_too_late and not ended_before


def _equal(practice: Practice, facts: Facts) -> bool:
    asked = (facts.valid_from, facts.valid_to, facts.scopes)
    return (practice.valid_from, practice.valid_to, practice.scopes) == asked

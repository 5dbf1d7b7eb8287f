"""What the physician may do, and whether the institution is licensed for it."""

from __future__ import annotations

from enum import Enum

from workflows.codes import FilingType
from workflows.rules.facts import Facts
from workflows.rules.reading import bases
from workflows.rules.rule import EVERY, Outcome, Remark, Section, Stage

RULES = Section("类别与范围", "Category and scope")


# A change of category or scope, and a registration not yet there, cannot be measured by the registered scope.
_KEEPS = EVERY - {FilingType.FIRST_REG, FilingType.RE_REG, FilingType.CHANGE}


class Cover(Enum):
    """How the licensed subjects of an institution cover a practice scope (codes: scope_to_subject)."""

    PRIMARY = "primary"
    WITH_REVIEW = "with_review"
    NONE = "none"


@RULES.rule(
    "R070",
    Stage.JUDGE,
    Outcome.RETURN,
    "A",
    when="any filing except FIRST_REG/RE_REG/CHANGE",
    what="filed scopes are a subset of registered scopes",
    basis="医师法 14, 57",
    zh="申报执业范围超出注册范围。",
    en="Filed scope exceeds the registered scope.",
    types=_KEEPS,
    needs_match=True,
)
def within_registered_scopes(facts: Facts) -> Remark | None:
    rows = bases(facts)
    if not rows:
        return None
    beyond = min((facts.scopes - r.scopes for r in rows), key=len)
    return Remark(evidence={"scopes": sorted(beyond)}, source=rows[0].source) if beyond else None


@RULES.rule(
    "R071",
    Stage.JUDGE,
    Outcome.REJECT,
    "A",
    when="any filing except FIRST_REG/RE_REG/CHANGE",
    what="filed category = registered category",
    basis="医师法 14, 57",
    zh="执业类别与注册不一致。",
    en="Category differs from the registration.",
    types=_KEEPS,
    needs_match=True,
)
def registered_category(facts: Facts) -> Remark | None:
    rows = bases(facts)
    categories = {r.category for r in rows}
    if not rows or facts.category in categories:
        return None
    return Remark(evidence={"registered": sorted(categories)}, source=rows[0].source)


@RULES.rule(
    "R072",
    Stage.JUDGE,
    Outcome.RETURN,
    "B",
    when="any filing",
    what="each filed scope is covered by a licensed subject of the institution, primary or with_review (scope_to_subject)",
    basis="医疗机构管理条例 27",
    zh="拟执业机构诊疗科目未覆盖该执业范围。",
    en="The institution is not licensed for this scope.",
    needs_match=True,
)
def subject_covers_scope(facts: Facts) -> Remark | None:
    return _covered(facts, Cover.NONE)


@RULES.rule(
    "R073",
    Stage.JUDGE,
    Outcome.SENIOR,
    "C",
    when="any filing",
    what="no filed scope is covered only by a with_review subject",
    basis="医疗机构管理条例 27",
    zh="执业范围与诊疗科目需人工判断。",
    en="Scope and subject need judgement.",
    needs_match=True,
)
def subject_needs_judgement(facts: Facts) -> Remark | None:
    return _covered(facts, Cover.WITH_REVIEW)


@RULES.rule(
    "R077",
    Stage.JUDGE,
    Outcome.WARN,
    "B",
    when="any filing",
    what="number of scopes <= 1, or more with an approval on record",
    basis="执业范围暂行规定",
    zh="注册多个执业范围，请核对批准依据。",
    en="More than one scope: check the approval.",
)
def one_scope(facts: Facts) -> Remark | None:
    return Remark(evidence={"scopes": sorted(facts.scopes)}) if len(facts.scopes) > 1 else None


RULES.note(
    "R078",
    Stage.SUBMIT,
    Outcome.WARN,
    "B",
    when="any filing, special work (母婴保健, 医疗美容主诊, 放射, 麻精处方)",
    what="matching permit number given",
    basis="医师法 14 para 3 (special qualification)",
    zh="从事特定执业活动需相应资质，请补充。",
    en="Special activities need their own permit.",
)


def _cover(facts: Facts, scope: str) -> Cover:
    row = facts.codes.tables.get("scope_to_subject", {}).get(scope)
    if row is None:
        return Cover.WITH_REVIEW  # a scope of local use, which nobody has mapped yet
    subjects = row.attributes or {}
    for cover in (Cover.PRIMARY, Cover.WITH_REVIEW):
        listed = subjects.get(cover.value)
        if isinstance(listed, (list, tuple)) and not facts.institution.subjects.isdisjoint(listed):
            return cover
    return Cover.NONE


def _covered(facts: Facts, cover: Cover) -> Remark | None:
    scopes = sorted(scope for scope in facts.scopes if _cover(facts, scope) is cover)
    return Remark(evidence={"scopes": scopes}, source=facts.institution.source) if scopes else None

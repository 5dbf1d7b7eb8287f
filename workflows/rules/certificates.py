"""The codes of the qualification and practising certificates."""

from __future__ import annotations

from workflows import numbers
from workflows.rules.facts import Facts
from workflows.rules.rule import EXCEPT_FIRST, Outcome, Remark, Section, Stage
from workflows.text import Text

RULES = Section("资格与执业证书", "Certificates")


_OTHER_THAN_REGISTERED = Text(
    "证件号码与国家医师注册系统登记的不一致，请更正或上传换号证明。",
    "The identity number is not the one in the national register; correct it or add proof of change.",
)


@RULES.rule(
    "R009",
    Stage.JUDGE,
    Outcome.RETURN,
    "A",
    when="any filing",
    what="qualification code matches regex (24 or 27 characters)",
    basis="原卫生部 证书发放工作通知",
    zh="医师资格证书编码位数或格式有误。",
    en="The qualification certificate code has a wrong length or format.",
)
def qualification_code(facts: Facts) -> Remark | None:
    return None if numbers.find_qualification(facts.person.qualification_code) else Remark()


@RULES.rule(
    "R010",
    Stage.JUDGE,
    Outcome.RETURN,
    "A",
    when="any filing",
    what="ID number inside the qualification code, and the one in the national register, = applicant ID (or its 15-digit form)",
    basis="原卫生部 医师资格证书编码规则",
    zh="资格证书编码中的身份证号与申请人不一致，请上传更名/换号证明或更正。",
    en="The ID number inside the qualification code is not the applicant's; correct it or add proof of change.",
)
def one_identity_number(facts: Facts) -> Remark | None:
    declared = facts.person.id_number
    code = numbers.find_qualification(facts.person.qualification_code)
    # Other documents than the resident's cannot stand in the code, which was printed with a resident number.
    if code and facts.person.id_type in numbers.GB_11643 and not numbers.same_number(code.id_number, declared):
        return Remark(evidence={"differs_from": "qualification_code"})
    registered = facts.matched.id_number if facts.matched else None
    if registered and not numbers.same_number(registered, declared):
        return Remark(evidence={"differs_from": "register"}, text=_OTHER_THAN_REGISTERED)
    return None


@RULES.rule(
    "R011",
    Stage.JUDGE,
    Outcome.RETURN,
    "A",
    when="any filing",
    what="7th digit of qualification code = physician level; if level 1 filed on a level-2 qualification",
    basis="原卫生部 医师资格证书编码规则",
    zh="资格级别与申报级别不一致。",
    en="Qualification level and declared level differ.",
)
def qualification_level(facts: Facts) -> Remark | None:
    code = numbers.find_qualification(facts.person.qualification_code)
    declared = facts.level or (facts.matched.level if facts.matched else None)
    if code is None or declared is None or code.level == declared:
        return None
    return Remark(evidence={"qualification": code.level, "declared": declared})


@RULES.rule(
    "R012",
    Stage.JUDGE,
    Outcome.RETURN,
    "A",
    when="any filing except FIRST_REG",
    what="practising code is exactly 15 digits",
    basis="医师执业证书编码规则",
    zh="执业证书编码应为15位数字。",
    en="The practising certificate code must be 15 digits.",
    types=EXCEPT_FIRST,
)
def practising_code(facts: Facts) -> Remark | None:
    return None if numbers.find_practising(facts.person.practising_code) else Remark()


@RULES.rule(
    "R013",
    Stage.JUDGE,
    Outcome.WARN,
    "C",
    when="any filing except FIRST_REG",
    what="1st digit = level; digits 2-3 fit category",
    basis="医师执业证书编码规则",
    zh="执业证书编码的级别/类别位与申报信息不符，请核对。",
    en="Level or category digits of the practising code do not match.",
    types=EXCEPT_FIRST,
)
def practising_code_segments(facts: Facts) -> Remark | None:
    code = numbers.find_practising(facts.person.practising_code)
    if code is None:
        return None
    level = facts.level or (facts.matched.level if facts.matched else code.level)
    category = facts.codes.find("practice_category", facts.category)
    digits = (category.attributes or {}).get("certificate_digits") if category else None
    # Without digits in the table there is nothing to compare with; the two schemes in use are both in it.
    if code.level == level and (not isinstance(digits, list) or code.category in digits):
        return None
    return Remark(evidence={"level": code.level, "category_digits": code.category})

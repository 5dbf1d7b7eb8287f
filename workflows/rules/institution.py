"""Codes and licence of the institution the practice is asked for, and who receives the filing."""

from __future__ import annotations

from workflows import numbers
from workflows.rules.facts import Facts
from workflows.rules.rule import Outcome, Remark, Section, Stage
from workflows.text import Text

RULES = Section("拟执业机构", "The institution")


_INTERNET = ("互联网医院", "互联网诊疗")
_TERM_UNKNOWN = Text(
    "拟执业机构执业许可证有效期不详，转人工核实。",
    "The end of the institution's licence is not known; senior check.",
)


@RULES.rule(
    "R015",
    Stage.JUDGE,
    Outcome.RETURN,
    "A",
    when="institution onboarding; any filing",
    what="USCC 18 characters, alphabet, MOD 31 check",
    basis="GB 32100-2015",
    zh="统一社会信用代码校验未通过。",
    en="The unified social credit code fails its check.",
)
def credit_code(facts: Facts) -> Remark | None:
    return None if numbers.is_uscc(facts.institution.uscc) else Remark(source=facts.institution.source)


@RULES.rule(
    "R016",
    Stage.JUDGE,
    Outcome.RETURN,
    "A",
    when="institution onboarding; any filing",
    what="registration number = 22 characters after removing '-', segments valid",
    basis="WS 218",
    zh="医疗机构登记号格式有误（应为22位）。",
    en="The institution registration number is not a valid 22-character code.",
)
def registration_number(facts: Facts) -> Remark | None:
    found = numbers.find_registration_number(facts.institution.registration_no)
    return None if found else Remark(source=facts.institution.source)


RULES.note(
    "R017",
    Stage.ONBOARD,
    Outcome.WARN,
    "B",
    when="institution onboarding",
    what="first 9 characters of registration number = USCC characters 9-17",
    basis="GB 11714 / GB 32100",
    zh="登记号与统一社会信用代码的机构代码段不一致，请核对。",
    en="Organisation code segments differ between licence number and USCC.",
)


RULES.note(
    "R018",
    Stage.ONBOARD,
    Outcome.WARN,
    "B",
    when="institution onboarding",
    what="division segment of registration number is in Hainan (46xxxx) when the authority is in Hainan",
    basis="WS 218",
    zh="登记号行政区划不在本省。",
    en="The licence number carries a division outside this province.",
)


RULES.note(
    "R019",
    Stage.ONBOARD,
    Outcome.WARN,
    "B",
    when="institution onboarding",
    what="last character 1/2/9 agrees with declared non-profit/for-profit",
    basis="WS 218 附录B",
    zh="机构经营性质与登记号末位不一致。",
    en="Management class differs from the last character.",
)


@RULES.rule(
    "R060",
    Stage.JUDGE,
    Outcome.REJECT,
    "A",
    when="any filing",
    what="receiving authority = authority that approved the target institution",
    basis="医师执业注册管理办法 10, 17; 行政许可法 32(2)",
    zh="不属于本机关职权范围，请向{authority}申请。",
    en="Not within this authority; apply to {authority}.",
)
def within_this_authority(facts: Facts) -> Remark | None:
    approved_by = facts.institution.authority
    if approved_by == facts.policy.authority:
        return None
    name = facts.institution.authority_name
    return Remark({"authority": name}, {"authority": approved_by, "name": name}, facts.institution.source)


@RULES.rule(
    "R074",
    Stage.JUDGE,
    Outcome.RETURN,
    "B",
    when="any filing",
    what="institution licence in force, not suspended, verification (校验) not overdue",
    basis="医疗机构管理条例; 医师法 14",
    zh="拟执业机构执业许可证已过期、被停业或未校验。",
    en="The institution's licence is expired, suspended or not verified.",
)
def licence_in_force(facts: Facts) -> Remark | None:
    institution = facts.institution
    until = institution.licence_until
    if institution.status == "ACTIVE" and until is None:
        return Remark(source=institution.source, outcome=Outcome.SENIOR, text=_TERM_UNKNOWN)
    if institution.status == "ACTIVE" and until and facts.today <= until:
        return None
    evidence = {"status": institution.status, "licence_until": until.isoformat() if until else None}
    return Remark(evidence=evidence, source=institution.source)


@RULES.rule(
    "R075",
    Stage.JUDGE,
    Outcome.REJECT,
    "A",
    when="any filing",
    what="institution address is in Hainan and its licence was issued by a Hainan authority",
    basis="医师执业注册管理办法 10, 17",
    zh="拟执业机构不在本省，不属于本平台受理范围。",
    en="The institution is outside this province.",
)
def in_this_province(facts: Facts) -> Remark | None:
    institution, province = facts.institution, facts.policy.province
    if institution.province == province and (institution.authority or province).startswith(province):
        return None
    return Remark(evidence={"province": institution.province}, source=institution.source)


@RULES.rule(
    "R076",
    Stage.JUDGE,
    Outcome.RETURN,
    "B",
    when="any filing, declared internet hospital",
    what="licence shows 互联网医院 as (second) name or 互联网诊疗 as service",
    basis="互联网诊疗管理办法; 海南省互联网医院管理办法",
    zh="该机构未取得互联网诊疗/互联网医院执业登记。",
    en="Not licensed for internet diagnosis.",
)
def licensed_for_the_internet(facts: Facts) -> Remark | None:
    declared = any(word in text for word in _INTERNET for text in (facts.institution.name, facts.activity or ""))
    return Remark(source=facts.institution.source) if declared and not facts.institution.internet else None

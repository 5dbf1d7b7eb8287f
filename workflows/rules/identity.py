"""Who the physician is: identity documents and age."""

from __future__ import annotations

from datetime import date

from workflows import numbers
from workflows.rules.facts import Facts
from workflows.rules.reading import years_after
from workflows.rules.rule import Outcome, Remark, Section, Stage, Status

RULES = Section("身份", "Identity")


@RULES.rule(
    "R001",
    Stage.JUDGE,
    Outcome.RETURN,
    "A",
    when="any filing, id_type=01 or 01-HK/MO/TW",
    what="GB 11643 regex AND real date AND MOD 11-2 check character",
    basis="GB 11643-1999; 居民身份证法",
    zh="身份证件号码校验未通过，请核对第{n}位。",
    en="The ID number fails its checksum; please re-check it.",
)
def resident_id(facts: Facts) -> Remark | None:
    if facts.person.id_type not in numbers.GB_11643:
        return None
    position = numbers.resident_id_fault(facts.person.id_number, facts.today)
    return Remark({"n": position}, {"position": position}) if position else None


@RULES.rule(
    "R002",
    Stage.JUDGE,
    Outcome.REJECT,
    "B",
    when="any filing",
    what="birth date gives age >= 18 on submission",
    basis="医师法 16(1) (full civil capacity)",
    zh="申请人未满18周岁。",
    en="The applicant is under 18.",
)
def adult(facts: Facts) -> Remark | None:
    born = _birth_date(facts)
    return Remark() if born and facts.today < years_after(born, 18) else None


@RULES.rule(
    "R003",
    Stage.JUDGE,
    Outcome.WARN,
    "C",
    when="any filing",
    what="age <= 75",
    basis="机关政策 operator policy (health fitness)",
    zh="申请人年龄超过{max}周岁，请核对健康状况。",
    en="The applicant is older than {max}; please check fitness to practise.",
    default=False,
)
def not_over_age(facts: Facts) -> Remark | None:
    born, most = _birth_date(facts), facts.policy.max_age
    return Remark({"max": most}) if born and facts.today >= years_after(born, most + 1) else None


@RULES.rule(
    "R004",
    Stage.JUDGE,
    Outcome.RETURN,
    "B",
    when="any filing, id_type in 01-HK/MO/TW",
    what="prefix 810000/820000/830000 matches the chosen document",
    basis="港澳台居民居住证申领发放办法 (article unknown)",
    zh="居住证号码前六位与证件类型不一致。",
    en="The first six digits do not match the chosen residence permit.",
)
def residence_permit(facts: Facts) -> Remark | None:
    prefix = numbers.RESIDENCE_PERMITS.get(facts.person.id_type)
    return Remark() if prefix and not facts.person.id_number.startswith(prefix) else None


@RULES.rule(
    "R005",
    Stage.JUDGE,
    Outcome.RETURN,
    "A",
    when="any filing, id_type=F23",
    what="starts with 9, nationality 3 digits, real date, MOD 11-2",
    basis="国家移民管理局 2023版永居证规则",
    zh="外国人永久居留身份证号码校验未通过。",
    en="The foreign permanent-resident ID number fails its checksum.",
)
def foreign_resident_card(facts: Facts) -> Remark | None:
    if facts.person.id_type != numbers.FOREIGN_RESIDENT_2023:
        return None
    position = numbers.foreign_resident_fault(facts.person.id_number, facts.today)
    return Remark(evidence={"position": position}) if position else None


@RULES.rule(
    "R006",
    Stage.JUDGE,
    Outcome.RETURN,
    "A",
    when="any filing, id_type=F17",
    what="3 letters + 12 digits",
    basis="国家移民管理局 旧版外国人永久居留身份证规则",
    zh="旧版永久居留证号码格式有误。",
    en="The old permanent-resident card number has a wrong format.",
)
def old_foreign_resident_card(facts: Facts) -> Remark | None:
    if facts.person.id_type != numbers.FOREIGN_RESIDENT_OLD:
        return None
    return Remark() if numbers.document_fault(facts.person.id_type, facts.person.id_number, facts.today) else None


@RULES.rule(
    "R007",
    Stage.JUDGE,
    Outcome.SENIOR,
    "B",
    when="any filing, id_type in 03/04/06/07/F17/F23",
    what="a foreign, HK, Macao, Taiwan or military document is used",
    basis="医师法 65, 66; 卫生部令62、63号",
    zh="持非居民身份证件申请，转人工复核执业资格依据。",
    en="Not a resident ID card: a senior reviewer must check the legal basis to practise.",
)
def other_document(facts: Facts) -> Remark | None:
    id_type = facts.person.id_type
    if id_type in numbers.GB_11643:
        return None
    fits = numbers.document_fault(id_type, facts.person.id_number, facts.today) is None
    return Remark(evidence={"id_type": id_type, "pattern_fits": fits})


RULES.note(
    "R008",
    Stage.SUBMIT,
    Outcome.RETURN,
    "B",
    when="any filing",
    what="name + ID number pass an authoritative real-name check within 24 h of submission",
    basis="互联网医院管理办法(电子实名认证); 网络安全法 (real identity)",
    zh="实名核验未通过，请本人重新认证。",
    en="Real-name check failed; the physician must verify again.",
    status=Status.SOURCE_NOT_CONNECTED,
)


RULES.note(
    "R014",
    Stage.SUBMIT,
    Outcome.RETURN,
    "B",
    when="ADD_REG|FIRST_REG|RE_REG",
    what="photo: 2-inch, white background, front view, taken in the last 6 months",
    basis="医师执业注册管理办法 (materials clause)",
    zh="照片不符合要求（近6个月二寸白底免冠正面半身照）。",
    en="The photo does not meet the requirement.",
)


RULES.note(
    "R020",
    Stage.JUDGE,
    Outcome.SENIOR,
    "C",
    when="any filing",
    what="mobile number not used by another physician account",
    basis="机关政策 operator policy (anti-impersonation)",
    zh="手机号已被其他医师使用，转人工核实。",
    en="This mobile number belongs to another physician; senior check.",
)


RULES.note(
    "R090",
    Stage.SUBMIT,
    Outcome.SENIOR,
    "C",
    when="target is internet hospital",
    what="face comparison of submitted photo, ID photo and live capture >= threshold",
    basis="互联网医院管理办法 (encouraged); 个保法 28, 29",
    zh="人像比对未达阈值，转人工复核。",
    en="Face comparison below threshold: senior review.",
    default=False,
    internet=True,
)


def _birth_date(facts: Facts) -> date | None:
    """What the number says, else the register: documents without a date in them need the register's."""
    registered = facts.matched.birth_date if facts.matched else None
    return numbers.birth_date(facts.person.id_type, facts.person.id_number) or registered

"""Contracts and other papers that come with a filing."""

from __future__ import annotations

from workflows.codes import FilingType
from workflows.rules.facts import Facts
from workflows.rules.rule import Outcome, Remark, Section, Stage, Status

RULES = Section("材料", "Papers")


@RULES.rule(
    "R083",
    Stage.SUBMIT,
    Outcome.WARN,
    "B",
    when="SITE_FILE, target is physical",
    what="main institution informed or consented",
    basis="国卫医发〔2014〕86号; not a condition of 医师执业注册管理办法",
    zh="尚未取得主要执业机构知情/同意（提示）。",
    en="Main institution not yet informed (information only).",
    types={FilingType.SITE_FILE},
)
def main_institution_informed(facts: Facts) -> Remark | None:
    if facts.institution.internet or facts.papers.main_institution_consented:
        return None
    return Remark()


RULES.note(
    "R105",
    Stage.SUBMIT,
    Outcome.RETURN,
    "B",
    when="FIRST_REG|ADD_REG|SITE_FILE",
    what="employment proof or contract attached, parties and dates readable, sealed or e-signed",
    basis="医师执业注册管理办法 (materials clause); 机关政策 operator policy for SITE_FILE",
    zh="缺少聘用证明或合同，或签章不全。",
    en="Employment proof is missing or unsigned.",
)


RULES.note(
    "R106",
    Stage.SUBMIT,
    Outcome.WARN,
    "B",
    when="SITE_FILE|XPROV_FILE",
    what="contract covers term, time, tasks, liability, pay, insurance",
    basis="国卫医发〔2014〕86号; 医师法 52",
    zh="协议未约定期限、时间、任务、责任、薪酬或保险。",
    en="The contract lacks term, time, task, liability, pay or insurance.",
)


RULES.note(
    "R107",
    Stage.SUBMIT,
    Outcome.WARN,
    "B",
    when="SITE_FILE|XPROV_FILE",
    what="weekly schedule does not overlap with other sites",
    basis="国卫医发〔2014〕86号; 医师法 15",
    zh="排班与其他执业机构冲突。",
    en="Schedule overlaps with another site.",
)


RULES.note(
    "R120",
    Stage.SUBMIT,
    Outcome.RETURN,
    "A",
    when="any filing",
    what="every item of the PUBLISHED material list present and readable; nothing beyond the list is demanded",
    basis="行政许可法 30, 31, 32(4)",
    zh="材料不齐：{list}（一次性告知）。",
    en="Missing material: {list} (all listed at once).",
    status=Status.SOURCE_NOT_CONNECTED,
)


RULES.note(
    "R121",
    Stage.SUBMIT,
    Outcome.WARN,
    "A",
    when="any filing",
    what="material obtainable by data sharing is not demanded from the applicant",
    basis="国务院令716号 7",
    zh="该材料可通过数据共享获取，不得要求提交。",
    en="This item is available by data sharing; do not demand it.",
)


RULES.note(
    "R122",
    Stage.SUBMIT,
    Outcome.RETURN,
    "B",
    when="any filing",
    what="declared data equal OCR/electronic-licence data (name, codes, scope, institution)",
    basis="行政许可法 31",
    zh="填报信息与证照不一致：{fields}。",
    en="Declared data differ from the licence: {fields}.",
    status=Status.SOURCE_NOT_CONNECTED,
)


RULES.note(
    "R123",
    Stage.SUBMIT,
    Outcome.SENIOR,
    "C",
    when="any filing",
    what="file hash not used for another physician",
    basis="行政许可法 78",
    zh="同一材料出现在其他医师申请中，转人工复核。",
    en="The same file was used for another physician.",
)


RULES.note(
    "R128",
    Stage.SUBMIT,
    Outcome.RETURN,
    "B",
    when="notified-commitment mode (告知承诺)",
    what="item is on the published 告知承诺 list and applicant has no dishonesty record",
    basis="国办发〔2020〕42号; 优化营商环境条例 40",
    zh="该事项不适用告知承诺或申请人不适用。",
    en="Commitment mode is not available here.",
    default=False,
)


RULES.note(
    "R129",
    Stage.SUBMIT,
    Outcome.WARN,
    "C",
    when="tolerant acceptance (容缺受理)",
    what="missing item is on the tolerable list and due date recorded",
    basis="local rule (text unknown)",
    zh="容缺受理，请于{date}前补齐。",
    en="Accepted with a gap; supply by {date}.",
    default=False,
)

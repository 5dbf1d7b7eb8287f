"""What the level, the service or the post of the physician allows."""

from __future__ import annotations

from workflows.codes import FilingType
from workflows.rules.facts import Facts
from workflows.rules.reading import ASSISTANT, live
from workflows.rules.rule import SITES, Outcome, Remark, Section, Stage

RULES = Section("执业人员", "The person's standing")


@RULES.rule(
    "R036",
    Stage.JUDGE,
    Outcome.REJECT,
    "A",
    when="SITE_FILE|ADD_REG|XPROV_FILE, level=2",
    what="target county = registered county",
    basis="医师执业注册管理办法 7, 17",
    zh="执业助理医师只能在一个县级执业地点内执业。",
    en="An assistant physician has one county-level practice place only.",
    types=SITES | {FilingType.ADD_REG},
    needs_match=True,
)
def assistant_in_the_county(facts: Facts) -> Remark | None:
    rows = live(facts)
    if not rows or not _is_assistant(facts) or _in_the_county(facts):
        return None
    return Remark(evidence={"places": sorted(r.place for r in rows)}, source=rows[0].source)


@RULES.rule(
    "R037",
    Stage.JUDGE,
    Outcome.SENIOR,
    "A",
    when="SITE_FILE, level=2, same county",
    what="local rule allows several institutions; otherwise a senior confirms",
    basis="医师执业注册管理办法 silent; allowed in Guangdong",
    zh="执业助理医师同县多机构备案，转人工确认。",
    en="Assistant physician, second institution in the same county: senior check.",
    types={FilingType.SITE_FILE},
    needs_match=True,
)
def assistant_at_a_second_institution(facts: Facts) -> Remark | None:
    return Remark(source=live(facts)[0].source) if _is_assistant(facts) and _in_the_county(facts) else None


RULES.note(
    "R040",
    Stage.JUDGE,
    Outcome.SENIOR,
    "A",
    when="any filing",
    what="registration issued by the armed forces",
    basis="医师法 65; 国务院 中央军委令290号",
    zh="军队医师，须核验军队主管部门批准，转人工复核。",
    en="Military physician: senior review of military approval.",
)


RULES.note(
    "R041",
    Stage.JUDGE,
    Outcome.SENIOR,
    "B",
    when="any filing",
    what="short-term practice certificate (外籍/港澳/台湾短期行医)",
    basis="医师法 66; 令62、63号",
    zh="短期行医证书不适用多机构备案，转人工复核。",
    en="Short-term certificate: ordinary multi-site filing does not apply.",
)


RULES.note(
    "R042",
    Stage.JUDGE,
    Outcome.REJECT,
    "C",
    when="any filing, 乡村全科执业助理医师",
    what="target is a township hospital or village clinic",
    basis="乡村全科执业助理医师规定",
    zh="乡村全科执业助理医师限乡镇卫生院、村卫生室执业。",
    en="Rural GP assistants may work only in township hospitals and village clinics.",
)


RULES.note(
    "R046",
    Stage.JUDGE,
    Outcome.WARN,
    "B",
    when="SITE_FILE|ADD_REG",
    what="professional title >= 中级 and >= 5 years in the same specialty",
    basis="国卫医发〔2014〕86号; dropped by Guangdong 2022",
    zh="职称/年限低于2014年意见的条件，仅作提示。",
    en="Below the 2014 guidance on title or years; shown for information.",
    default=False,
)


RULES.note(
    "R047",
    Stage.SUBMIT,
    Outcome.SENIOR,
    "B",
    when="SITE_FILE|ADD_REG",
    what="physician is not a leader (院级领导) of a public hospital, or reason is paired help/trusteeship/consortium",
    basis="国卫医发〔2014〕86号",
    zh="公立医院院级领导多点执业，转人工复核。",
    en="Leader of a public hospital: senior review.",
)


RULES.note(
    "R048",
    Stage.SUBMIT,
    Outcome.SENIOR,
    "C",
    when="main institution is public, target is private",
    what="Hainan notice on public-hospital multi-site practice satisfied",
    basis="海南省卫生健康委关于加强公立医疗机构医师多点执业管理的通知",
    zh="公立医疗机构医师赴民营机构多点执业，转人工复核。",
    en="Public-hospital physician to a private institution: senior review.",
)


@RULES.rule(
    "R052",
    Stage.JUDGE,
    Outcome.REJECT,
    "A",
    when="ADD_REG",
    what="level = 1",
    basis="医师执业注册管理办法 17",
    zh="执业助理医师不得增加执业地点。",
    en="Assistant physicians cannot add a practice place.",
    types={FilingType.ADD_REG},
    needs_match=True,
)
def assistants_have_one_place(facts: Facts) -> Remark | None:
    return Remark() if _is_assistant(facts) else None


def _is_assistant(facts: Facts) -> bool:
    return facts.matched is not None and facts.matched.level == ASSISTANT


def _in_the_county(facts: Facts) -> bool:
    return any(r.place == facts.institution.division for r in live(facts))

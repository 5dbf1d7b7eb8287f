"""What the national register says of the physician."""

from __future__ import annotations

from datetime import date

from workflows.codes import FilingType
from workflows.rules.facts import Facts, RegistrationStatus
from workflows.rules.reading import live, years_after
from workflows.rules.rule import EVERY, EXCEPT_FIRST, Outcome, Remark, Section, Stage
from workflows.text import Text

RULES = Section("现有注册", "The registration")


ASSESSMENT_CYCLE = 3  # years (医师法 42; the rule of 2007 said two)
_FURTHER_NOTICE = Text("另行通知", "further notice")


@RULES.rule(
    "R021",
    Stage.JUDGE,
    Outcome.REJECT,
    "A",
    when="any filing except FIRST_REG/RE_REG",
    what="physician has a registration that is ACTIVE or SUSPENDED (R023 judges the suspension)",
    basis="医师法 13, 14",
    zh="未查到有效执业注册，不得申请。",
    en="No valid practising registration was found.",
    types=EXCEPT_FIRST - {FilingType.RE_REG},
    needs_match=True,
)
def has_a_registration(facts: Facts) -> Remark | None:
    if facts.matched is None or live(facts):
        return None
    rows = facts.matched.registrations
    return Remark(evidence={"statuses": sorted(r.status for r in rows)}, source=rows[0].source if rows else None)


@RULES.rule(
    "R022",
    Stage.JUDGE,
    Outcome.RETURN,
    "A",
    when="any filing except FIRST_REG",
    what="name AND practising code both found in the national register (two-field match; never name alone)",
    basis="医师法 21; 互联网医院管理办法",
    zh="国家医师注册系统未能匹配姓名和执业证书编码。",
    en="Name and code do not match in the national register.",
    types=EXCEPT_FIRST,
)
def name_and_code_match(facts: Facts) -> Remark | None:
    # Which of the two failed is not told: the answer would let anybody try names against a code.
    return None if facts.matched else Remark()


@RULES.rule(
    "R023",
    Stage.JUDGE,
    Outcome.REJECT,
    "A",
    when="any filing",
    what="status is not SUSPENDED (assessment suspension 3-6 months, penalty 6-12 months)",
    basis="医师法 42, 55-57",
    zh="医师处于暂停执业期，至{date}。",
    en="The physician is suspended until {date}.",
    needs_match=True,
)
def not_suspended(facts: Facts) -> Remark | None:
    rows = facts.matched.registrations if facts.matched else ()
    suspended = [r for r in rows if r.status is RegistrationStatus.SUSPENDED]
    if not suspended:
        return None
    # The one that ends last; an open end lasts longest.
    last = max(suspended, key=lambda r: r.status_to or date.max)
    until = last.status_to.isoformat() if last.status_to else _FURTHER_NOTICE
    evidence = {"place": last.place, "until": last.status_to.isoformat() if last.status_to else None}
    return Remark({"date": until}, evidence, last.source)


@RULES.rule(
    "R032",
    Stage.JUDGE,
    Outcome.REJECT,
    "A",
    when="any filing except CANCEL/END_SITE",
    what="latest periodic assessment is not 不合格 (or re-assessment passed)",
    basis="医师法 42",
    zh="最近一次医师定期考核不合格且未复核合格。",
    en="Latest periodic assessment failed and not yet re-passed.",
    types=EVERY - {FilingType.CANCEL, FilingType.END_SITE},
    needs_match=True,
)
def assessment_not_failed(facts: Facts) -> Remark | None:
    results = facts.matched.assessments if facts.matched else ()
    if not results:
        return None
    latest = max(results, key=lambda a: a.on or date.min)
    if latest.result != "不合格":
        return None
    return Remark(evidence={"on": latest.on.isoformat() if latest.on else None}, source=latest.source)


@RULES.rule(
    "R033",
    Stage.JUDGE,
    Outcome.WARN,
    "B",
    when="any filing",
    what="at least one assessment result in the last cycle (3 years under the law)",
    basis="医师法 42; 医师执业注册管理办法 (two missed cycles = cancellation ground)",
    zh="近一个考核周期无定期考核结果。",
    en="No assessment result in the last cycle.",
    needs_match=True,
)
def assessed_in_the_last_cycle(facts: Facts) -> Remark | None:
    registered = facts.matched
    if registered is None:
        return None
    begun = [a.on for a in registered.assessments]
    # Whoever was first registered within the cycle need not have been assessed yet; a result without a date may be recent.
    dates = [*begun, registered.first_registered] if registered.first_registered else begun
    if any(on is None or facts.today <= years_after(on, ASSESSMENT_CYCLE) for on in dates):
        return None
    return Remark(evidence={"cycle_years": ASSESSMENT_CYCLE})


RULES.note(
    "R034",
    Stage.JUDGE,
    Outcome.REJECT,
    "A",
    when="SITE_FILE|ADD_REG|XPROV_FILE",
    what="interruption of practice < 2 years",
    basis="医师法 17(5), 19",
    zh="中止执业满二年，应先重新注册。",
    en="Practice interrupted for two years: re-register first.",
)


RULES.note(
    "R035",
    Stage.SUBMIT,
    Outcome.RETURN,
    "B",
    when="FIRST_REG (qualified > 2 years ago) | RE_REG",
    what="assessment certificate (and, under Order 13, >= 6 months training) attached",
    basis="医师法 19; 医师执业注册管理办法 (materials clause)",
    zh="请提交培训及考核合格证明。",
    en="Attach proof of training and assessment.",
)


RULES.note(
    "R043",
    Stage.JUDGE,
    Outcome.RETURN,
    "A",
    when="SITE_FILE|ADD_REG|XPROV_FILE",
    what="physician still has a main institution (no leaving notice, not dismissed)",
    basis="医师执业注册管理办法",
    zh="主要执业机构已报离职，请先办理主要执业机构变更。",
    en="The main institution reported departure; change the main institution first.",
)


RULES.note(
    "R044",
    Stage.JUDGE,
    Outcome.SENIOR,
    "A",
    when="any filing",
    what="leaving notice older than 2 years and not practising",
    basis="医师执业注册管理办法",
    zh="离职备案满二年未继续执业，应启动注销核查。",
    en="Two years since leaving notice: start cancellation check.",
)


RULES.note(
    "R045",
    Stage.JUDGE,
    Outcome.SENIOR,
    "A",
    when="any filing",
    what="death, sentence, revocation or other cancellation ground found by data match",
    basis="医师法 17",
    zh="发现应当注销情形，转人工处理。",
    en="A ground for cancellation was found.",
)


@RULES.rule(
    "R055",
    Stage.JUDGE,
    Outcome.RETURN,
    "A",
    when="any filing",
    what="each registration row has exactly one main institution",
    basis="医师法 15; 医师执业注册管理办法 10",
    zh="同一执业地点只能有一个主要执业机构。",
    en="One main institution per practice place.",
    needs_match=True,
)
def one_main_institution(facts: Facts) -> Remark | None:
    rows = live(facts)
    places = [r.place for r in rows]
    odd = {r.place for r in rows if not r.main_institution and not r.main_institution_name}
    odd |= {place for place in places if places.count(place) > 1}
    return Remark(evidence={"places": sorted(odd)}, source=rows[0].source) if odd else None

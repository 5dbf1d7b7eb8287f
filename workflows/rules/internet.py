"""What only internet hospitals ask (互联网诊疗管理办法, 医师法 30)."""

from __future__ import annotations

from datetime import date, timedelta

from workflows.rules.facts import Facts, RegistrationStatus
from workflows.rules.reading import ASSISTANT, PHYSICIAN, live, months_after, undertaken, years_after
from workflows.rules.rule import EXCEPT_FIRST, Outcome, Remark, Section, Stage, Status

RULES = Section("互联网医院", "Internet hospitals")


INDEPENDENT_YEARS = 3


@RULES.rule(
    "R038",
    Stage.JUDGE,
    Outcome.REJECT,
    "B",
    when="any filing, target is internet hospital",
    what="level = 1",
    basis="医师法 30 (执业医师), 34; 互联网诊疗管理办法 25",
    zh="执业助理医师不得开展互联网诊疗。",
    en="An assistant physician may not provide internet diagnosis.",
    internet=True,
)
def physician_not_assistant(facts: Facts) -> Remark | None:
    known = {facts.level, facts.matched.level if facts.matched else None}
    return Remark() if ASSISTANT in known else None


@RULES.rule(
    "R039",
    Stage.JUDGE,
    Outcome.SENIOR,
    "C",
    when="any filing, target is internet hospital",
    what="category is not public_health",
    basis="国卫医发〔2014〕86号; nature of the work",
    zh="公共卫生类别申请互联网诊疗机构，转人工复核。",
    en="Public-health category at an internet hospital: senior review.",
    internet=True,
)
def not_public_health(facts: Facts) -> Remark | None:
    category = facts.codes.find("practice_category", facts.category)
    return Remark() if category and category.key == "public_health" else None


@RULES.rule(
    "R080",
    Stage.JUDGE,
    Outcome.REJECT,
    "A",
    when="target is internet hospital",
    what="years of independent clinical work >= 3 (from first level-1 registration, minus suspensions and interruptions)",
    basis="互联网诊疗管理办法 25",
    zh="独立临床工作经验不足3年。",
    en="Less than three years of independent clinical experience.",
    internet=True,
    needs_match=True,
)
def three_years_independent(facts: Facts) -> Remark | None:
    begun = _begun(facts)
    if begun is None or facts.today >= years_after(begun, INDEPENDENT_YEARS):
        return None
    return Remark(evidence={"counted_from": begun.isoformat()})


@RULES.rule(
    "R081",
    Stage.JUDGE,
    Outcome.SENIOR,
    "C",
    when="target is internet hospital, computed years 3.0-3.25 or dates incomplete",
    what="the years are neither borderline nor impossible to compute",
    basis="互联网诊疗管理办法 25; the start date is not defined in the text",
    zh="临床年限临界或资料不全，转人工复核。",
    en="Years are borderline or unclear: senior review.",
    internet=True,
    needs_match=True,
)
def years_are_clear(facts: Facts) -> Remark | None:
    if facts.matched is None or facts.matched.level != PHYSICIAN:
        return None
    begun = _begun(facts)
    if begun is None:
        return Remark(evidence={"counted_from": None})
    full = years_after(begun, INDEPENDENT_YEARS)
    borderline = full <= facts.today < months_after(full, 3)
    return Remark(evidence={"counted_from": begun.isoformat()}) if borderline else None


@RULES.rule(
    "R082",
    Stage.SUBMIT,
    Outcome.RETURN,
    "A",
    when="any filing except FIRST_REG, target is internet hospital and not the main institution",
    what="signed consent of the institution of registration (main institution)",
    basis="医师法 30; 互联网诊疗管理办法 25",
    zh="缺少执业注册机构同意书。",
    en="Consent of the registered institution is missing.",
    internet=True,
    types=EXCEPT_FIRST,
)
def main_institution_consents(facts: Facts) -> Remark | None:
    papers = facts.papers
    own = {r.main_institution for r in live(facts)}
    if papers.main_institution_consented or papers.attested or facts.institution.registration_no in own:
        return None
    return Remark()


RULES.note(
    "R084",
    Stage.SUBMIT,
    Outcome.RETURN,
    "B",
    when="target is internet hospital",
    what="physician electronic real-name authentication done at that hospital",
    basis="互联网医院管理办法",
    zh="医师未完成电子实名认证。",
    en="Electronic real-name authentication is missing.",
    internet=True,
    status=Status.SOURCE_NOT_CONNECTED,
)


RULES.note(
    "R085",
    Stage.SUBMIT,
    Outcome.RETURN,
    "B",
    when="target is internet hospital",
    what="qualified CA certificate for the physician, valid for the term, SM2",
    basis="电子签名法 13-16; 互联网医院管理办法",
    zh="缺少有效的医师电子签名证书。",
    en="No valid electronic-signature certificate.",
    internet=True,
    status=Status.SOURCE_NOT_CONNECTED,
)


RULES.note(
    "R086",
    Stage.SUBMIT,
    Outcome.RETURN,
    "B",
    when="target is internet hospital",
    what="supervision-platform fields complete: ID number, photo, qualification, place, institution, scope, clinical years",
    basis="监管细则 2022",
    zh="省级监管平台必填医务人员信息不完整。",
    en="Fields for the provincial supervision platform are incomplete.",
    internet=True,
    status=Status.SOURCE_NOT_CONNECTED,
)


@RULES.rule(
    "R087",
    Stage.SUBMIT,
    Outcome.RETURN,
    "B",
    when="target is internet hospital",
    what="physician and hospital accepted: no person or AI may act in the physician's place; no AI-generated prescription",
    basis="监管细则 13, 21",
    zh="请签署“不得由他人或人工智能冒用、替代本人诊疗”的承诺。",
    en="Sign the undertaking that no person or AI replaces the physician.",
    internet=True,
)
def no_substitute(facts: Facts) -> Remark | None:
    return None if undertaken(facts) else Remark()


RULES.note(
    "R088",
    Stage.SUBMIT,
    Outcome.SENIOR,
    "B",
    when="target is internet hospital",
    what="hospital's information system holds 等保三级 filing and a current test report",
    basis="互联网医院管理办法",
    zh="互联网医院未提供等保三级备案/测评结果，转人工复核。",
    en="No level-3 protection filing or test report.",
    internet=True,
    status=Status.SOURCE_NOT_CONNECTED,
)


RULES.note(
    "R089",
    Stage.SUBMIT,
    Outcome.WARN,
    "C",
    when="target is internet hospital",
    what="training and assessment record before first practice",
    basis="互联网诊疗监管细则(试行) 2022",
    zh="未提供岗前培训考核记录。",
    en="No pre-practice training record.",
    internet=True,
)


def _begun(facts: Facts) -> date | None:
    """The day from which independent years are counted: the first level-1 registration, moved on by suspended days.

    互联网诊疗管理办法 25 does not define the start; assistants do not work independently (医师法 34).
    """
    registered = facts.matched
    if registered is None or registered.level != PHYSICIAN:
        return None
    days = [r.registered_on for r in registered.registrations if r.level == PHYSICIAN and r.registered_on]
    begun = registered.first_registered or min(days, default=None)
    if begun is None:
        return None
    spans = [(s.since, s.until) for s in registered.suspensions]
    running = (r for r in registered.registrations if r.status is RegistrationStatus.SUSPENDED)
    spans += [(r.status_from, r.status_to) for r in running if r.status_from]
    suspended: set[int] = set()
    for since, until in spans:
        last = min(until or facts.today, facts.today)
        suspended.update(range(max(since, begun).toordinal(), last.toordinal() + 1))
    return begun + timedelta(days=len(suspended))

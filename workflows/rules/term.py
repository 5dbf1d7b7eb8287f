"""How long, from when, and how many sites."""

from __future__ import annotations

from workflows.rules.facts import Facts
from workflows.rules.rule import SITES, TERMS, Outcome, Remark, Section, Stage, Status
from workflows.text import Text

RULES = Section("期限与数量", "Term and number")


@RULES.rule(
    "R100",
    Stage.JUDGE,
    Outcome.RETURN,
    "A",
    when="SITE_FILE|XPROV_FILE|RENEW_SITE",
    what="start and end dates given, start < end",
    basis="全国注册系统表单 fields of the national form",
    zh="请填写备案有效期起止日期，且开始早于结束。",
    en="Give start and end dates, start before end.",
    types=TERMS,
)
def term_is_given(facts: Facts) -> Remark | None:
    start, end = facts.valid_from, facts.valid_to
    return None if start and end and start < end else Remark()


@RULES.rule(
    "R101",
    Stage.JUDGE,
    Outcome.RETURN,
    "B",
    when="SITE_FILE|XPROV_FILE",
    what="start >= submission date",
    basis="备案 takes effect from filing; 机关政策 operator policy",
    zh="备案开始日期不得早于提交日期。",
    en="The start date may not be before submission.",
    types=SITES,
)
def starts_no_earlier(facts: Facts) -> Remark | None:
    # Judged again at acceptance and approval, when the day may have come: what counts is the day it was submitted.
    start, submitted = facts.valid_from, facts.submitted_on or facts.today
    return Remark(evidence={"valid_from": start.isoformat()}) if start and start < submitted else None


RULES.note(
    "R102",
    Stage.SUBMIT,
    Outcome.RETURN,
    "B",
    when="SITE_FILE|XPROV_FILE|RENEW_SITE",
    what="end <= end of the employment or cooperation contract",
    basis="医师执业注册管理办法 (employment proof is a registration material)",
    zh="备案期限超过聘用/合作协议期限。",
    en="The term exceeds the contract.",
    types=TERMS,
    status=Status.SOURCE_NOT_CONNECTED,
)


@RULES.rule(
    "R103",
    Stage.JUDGE,
    Outcome.WARN,
    "C",
    when="SITE_FILE|XPROV_FILE|RENEW_SITE",
    what="end <= expiry of the institution licence",
    basis="医疗机构管理条例",
    zh="备案期限超过机构许可证有效期。",
    en="The term exceeds the institution's licence.",
    types=TERMS,
)
def ends_with_the_licence(facts: Facts) -> Remark | None:
    end, until = facts.valid_to, facts.institution.licence_until
    if end is None or until is None or end <= until:
        return None
    return Remark(evidence={"licence_until": until.isoformat()}, source=facts.institution.source)


@RULES.rule(
    "R104",
    Stage.JUDGE,
    Outcome.WARN,
    "C",
    when="SITE_FILE|XPROV_FILE|RENEW_SITE",
    what="length <= max_term (operator setting; no national maximum found)",
    basis="机关设定 operator setting (no national maximum found)",
    zh="备案期限超过{max}。",
    en="The term is longer than {max}.",
    types=TERMS,
)
def not_too_long(facts: Facts) -> Remark | None:
    start, end, most = facts.valid_from, facts.valid_to, facts.policy.max_term_days
    if start is None or end is None or (end - start).days <= most:
        return None
    return Remark({"max": Text(f"{most}天", f"{most} days")}, {"days": (end - start).days, "max": most})


@RULES.rule(
    "R108",
    Stage.JUDGE,
    Outcome.SENIOR,
    "C",
    when="SITE_FILE|XPROV_FILE",
    what="active sites after approval <= N (operator setting, suggest 5; no national cap found)",
    basis="机关政策 operator policy against lent certificates (挂证)",
    zh="在册执业机构数量达到{n}个，转人工复核。",
    en="{n} active sites: senior review.",
    types=SITES,
)
def not_too_many_sites(facts: Facts) -> Remark | None:
    sites = 1 + sum(p.in_force for p in facts.practices)
    return (
        Remark({"n": sites}, {"sites": sites, "max": facts.policy.max_sites})
        if sites > facts.policy.max_sites
        else None
    )

"""Grounds of 医师法 16 and its neighbours, each with its own waiting time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from workflows.codes import LICENCES
from workflows.rules.facts import Facts, RegistrationStatus, Source
from workflows.rules.reading import years_after
from workflows.rules.rule import Outcome, Remark, Section, Stage
from workflows.text import Text

RULES = Section("不予注册情形", "Bars to registration")


_UNDATED = Text(
    "登记有限制注册的情形但日期不详，转人工核实。",
    "A bar to registration is on record without its date; senior check.",
)


@dataclass(frozen=True)
class _Ground:
    """Something that bars from `since`; `until` where a decision named the end itself."""

    since: date | None
    until: date | None
    source: Source | None


@RULES.rule(
    "R024",
    Stage.JUDGE,
    Outcome.REJECT,
    "A",
    when="ADD_REG|FIRST_REG|RE_REG|CHANGE_MAIN|CHANGE",
    what="certificate revoked (吊销) < 2 years ago",
    basis="医师法 16(3)",
    zh="被吊销医师执业证书不满二年。",
    en="Certificate revoked less than two years ago.",
    types=LICENCES,
    needs_match=True,
)
def not_revoked(facts: Facts) -> Remark | None:
    return _barred(facts, [*_of_status(facts, RegistrationStatus.REVOKED), *_of_code(facts, "D03")], years=2)


@RULES.rule(
    "R025",
    Stage.JUDGE,
    Outcome.REJECT,
    "A",
    when="ADD_REG|FIRST_REG|RE_REG|CHANGE_MAIN|CHANGE",
    what="sentence served < 2 years ago, or professional ban still running",
    basis="医师法 16(2)",
    zh="刑罚执行完毕不满二年或仍在从业禁止期内。",
    en="Less than two years since the sentence, or a ban is running.",
    types=LICENCES,
    needs_match=True,
)
def sentence_long_over(facts: Facts) -> Remark | None:
    return _barred(facts, _of_code(facts, "D02"), years=2)


@RULES.rule(
    "R026",
    Stage.JUDGE,
    Outcome.REJECT,
    "A",
    when="ADD_REG|FIRST_REG|RE_REG|CHANGE_MAIN|CHANGE",
    what="court finding of no or limited civil capacity",
    basis="医师法 16(1)",
    zh="无民事行为能力或限制民事行为能力。",
    en="No or limited civil capacity.",
    types=LICENCES,
    needs_match=True,
)
def full_capacity(facts: Facts) -> Remark | None:
    return _running(facts, "D01")


@RULES.rule(
    "R027",
    Stage.JUDGE,
    Outcome.REJECT,
    "A",
    when="ADD_REG|FIRST_REG|RE_REG|CHANGE_MAIN|CHANGE",
    what="cancelled after failed assessment < 1 year ago",
    basis="医师法 16(4)",
    zh="因定期考核不合格被注销注册不满一年。",
    en="Cancelled for failed assessment less than a year ago.",
    types=LICENCES,
    needs_match=True,
)
def assessment_cancellation_over(facts: Facts) -> Remark | None:
    return _barred(facts, _of_code(facts, "D04"), years=1)


@RULES.rule(
    "R028",
    Stage.JUDGE,
    Outcome.REJECT,
    "A",
    when="ADD_REG|FIRST_REG|RE_REG|CHANGE_MAIN|CHANGE",
    what="certificate withdrawn for improper means < 3 years ago",
    basis="医师法 54; 行政许可法 79",
    zh="以不正当手段取得证书被撤销，三年内不受理。",
    en="Obtained by improper means: no application for three years.",
    types=LICENCES,
    needs_match=True,
)
def not_withdrawn(facts: Facts) -> Remark | None:
    return _barred(facts, _of_status(facts, RegistrationStatus.WITHDRAWN), years=3)


@RULES.rule(
    "R029",
    Stage.JUDGE,
    Outcome.REJECT,
    "A",
    when="ADD_REG|FIRST_REG|RE_REG|CHANGE_MAIN|CHANGE",
    what="refused for hiding facts or false material < 1 year ago",
    basis="行政许可法 78",
    zh="提供虚假材料，一年内不得再次申请。",
    en="False material: no new application for one year.",
    types=LICENCES,
    needs_match=True,
)
def no_false_material(facts: Facts) -> Remark | None:
    refused = facts.matched.false_material_on if facts.matched else None
    return _barred(facts, [_Ground(refused, None, None)], years=1) if refused else None


@RULES.rule(
    "R030",
    Stage.JUDGE,
    Outcome.SENIOR,
    "A",
    when="ADD_REG|FIRST_REG|RE_REG|CHANGE_MAIN|CHANGE",
    what="no health condition reported (infectious period, mental illness episode, disability)",
    basis="医师执业注册管理办法 list; NOT in 医师法 16",
    zh="申报健康情况，转人工复核，不得自动拒绝。",
    en="Health condition declared: senior review, never automatic refusal.",
    types=LICENCES,
    needs_match=True,
)
def health_condition(facts: Facts) -> Remark | None:
    return _running(facts, "D06")


@RULES.rule(
    "R031",
    Stage.JUDGE,
    Outcome.SENIOR,
    "A",
    when="ADD_REG|FIRST_REG|RE_REG|CHANGE_MAIN|CHANGE",
    what="no organised exam cheating, forged or borrowed qualification on record",
    basis="医师执业注册管理办法 list; 医师法 54",
    zh="存在考试作弊或资格造假记录，转人工复核。",
    en="Record of exam cheating or false qualification: senior review.",
    types=LICENCES,
    needs_match=True,
)
def cheating_on_record(facts: Facts) -> Remark | None:
    return _running(facts, "D08") or _running(facts, "D09")


def _of_code(facts: Facts, code: str) -> list[_Ground]:
    grounds = facts.matched.disqualifications if facts.matched else ()
    return [_Ground(g.since, g.until, g.source) for g in grounds if g.code == code]


def _of_status(facts: Facts, status: RegistrationStatus) -> list[_Ground]:
    rows = facts.matched.registrations if facts.matched else ()
    return [_Ground(r.status_from, None, r.source) for r in rows if r.status is status]


def _barred(facts: Facts, grounds: list[_Ground], *, years: int) -> Remark | None:
    """The ground that bars longest, while it does: the corresponding day is the last of a term of years (民法典 202)."""
    ends = [(max(years_after(g.since, years), g.until or g.since), g) for g in grounds if g.since]
    until, ground = max(ends, key=lambda end: end[0], default=(None, None))
    if until and ground and facts.today <= until:
        since = ground.since.isoformat() if ground.since else None
        return Remark(evidence={"since": since, "until": until.isoformat()}, source=ground.source)
    undated = next((g for g in grounds if g.since is None), None)
    return Remark(source=undated.source, outcome=Outcome.SENIOR, text=_UNDATED) if undated else None


def _running(facts: Facts, code: str) -> Remark | None:
    """A ground without a waiting time: it bars until a source says that it has ended."""
    for ground in _of_code(facts, code):
        if ground.until is None or facts.today <= ground.until:
            since = ground.since.isoformat() if ground.since else None
            return Remark(evidence={"ground": code, "since": since}, source=ground.source)
    return None

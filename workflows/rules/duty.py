"""What must happen after approval."""

from __future__ import annotations

from workflows.rules.rule import Outcome, Section, Stage

RULES = Section("事后责任", "Duties afterwards")


RULES.note(
    "R109",
    Stage.DUTY,
    Outcome.WARN,
    "B",
    when="EFFECTIVE filing",
    what="60/30/7 days before end",
    basis="机关政策 operator policy",
    zh="备案将于{date}到期，请续期或结束。",
    en="The filing ends on {date}.",
)


RULES.note(
    "R110",
    Stage.DUTY,
    Outcome.REJECT,
    "B",
    when="EFFECTIVE filing",
    what="end date passed or main registration lost",
    basis="医师执业注册管理办法 10; 医师法 14",
    zh="备案已到期/注册已失效，状态改为失效。",
    en="Filing expired or registration lost: set to expired.",
)


RULES.note(
    "R143",
    Stage.DUTY,
    Outcome.WARN,
    "A",
    when="death/sentence/revocation/failed assessment/2-year stop known to an institution",
    what="reported within 30 days",
    basis="医师法 17, 61; 医师执业注册管理办法",
    zh="机构应在30日内报告。",
    en="The institution must report in 30 days.",
)


RULES.note(
    "R144",
    Stage.DUTY,
    Outcome.WARN,
    "A",
    when="leaving, retirement, dismissal",
    what="LEAVE_NOTICE within 30 days",
    basis="医师执业注册管理办法",
    zh="机构应在30日内办理离职备案。",
    en="File the leaving notice in 30 days.",
)


RULES.note(
    "R145",
    Stage.DUTY,
    Outcome.WARN,
    "A",
    when="registered/cancelled list",
    what="published in time; query service available",
    basis="医师法 21",
    zh="应及时公告注册与注销名单并提供查询。",
    en="Publish the lists and offer a query.",
)


RULES.note(
    "R146",
    Stage.DUTY,
    Outcome.SENIOR,
    "A",
    when="after approval, clinical event feed",
    what="same physician at two institutions within 5 minutes",
    basis="机关政策 operator policy",
    zh="同一医师短时间在两家机构产生诊疗记录，转人工核查。",
    en="Records at two institutions within minutes: investigate.",
)


RULES.note(
    "R147",
    Stage.DUTY,
    Outcome.SENIOR,
    "A",
    when="approval granted on false facts or beyond powers",
    what="revocation procedure opened",
    basis="行政许可法 69; 医师法 54",
    zh="应启动撤销程序。",
    en="Open revocation.",
)


RULES.note(
    "R148",
    Stage.DUTY,
    Outcome.WARN,
    "C",
    when="END_SITE by institution or physician",
    what="the other side and main institution notified; takes effect same day",
    basis="机关政策 operator policy",
    zh="备案已结束，已通知相关机构。",
    en="Filing ended; parties notified.",
)

"""How a case is handled once it is submitted: limits, letters, recusal."""

from __future__ import annotations

from workflows.rules.rule import Outcome, Section, Stage, Status

RULES = Section("办理程序", "Procedure")


RULES.note(
    "R061",
    Stage.REVIEW,
    Outcome.WARN,
    "B",
    when="any filing, category=tcm",
    what="case routed to the TCM authority or its desk",
    basis="医师执业注册管理办法 (TCM clause)",
    zh="中医类别由中医药主管部门办理。",
    en="TCM cases go to the TCM authority.",
)


RULES.note(
    "R127",
    Stage.REVIEW,
    Outcome.SENIOR,
    "C",
    when="batch",
    what="more than K filings by one institution per day, or one device/IP for many physicians",
    basis="机关政策 operator policy against lent certificates (挂证)",
    zh="批量申报异常，转人工复核。",
    en="Unusual batch pattern: senior review.",
    default=False,
)


RULES.note(
    "R130",
    Stage.REVIEW,
    Outcome.SENIOR,
    "A",
    when="SUBMITTED",
    what="completeness answer within 5 working days of receipt",
    basis="行政许可法 32(4)",
    zh="已逾5个工作日未告知补正，视为自收到之日受理。",
    en="Five working days passed: deemed accepted from receipt.",
)


RULES.note(
    "R131",
    Stage.REVIEW,
    Outcome.SENIOR,
    "A",
    when="CORRECTION",
    what="only one correction notice per submission, listing everything",
    basis="行政许可法 32(4), 72(4)",
    zh="补正只能一次性告知，再次退回须上级批准。",
    en="Only one correction notice; a second needs a senior.",
    status=Status.BUILT,
)


RULES.note(
    "R132",
    Stage.REVIEW,
    Outcome.SENIOR,
    "A",
    when="ACCEPTED|NOT_ACCEPTED",
    what="stamped and dated receipt issued",
    basis="行政许可法 32 last para; 国务院令716号 9",
    zh="须出具加盖专用印章并注明日期的凭证。",
    en="Issue a sealed and dated receipt.",
)


RULES.note(
    "R133",
    Stage.REVIEW,
    Outcome.SENIOR,
    "A",
    when="ADD_REG|FIRST_REG|RE_REG|CHANGE_MAIN|CHANGE",
    what="decision within 20 working days of acceptance; internal clock from receipt",
    basis="医师法 13, 16; 医师执业注册管理办法",
    zh="距法定期限仅剩{n}个工作日/已超期。",
    en="{n} working days left / overdue.",
)


RULES.note(
    "R134",
    Stage.REVIEW,
    Outcome.SENIOR,
    "B",
    when="ADD_REG|FIRST_REG|RE_REG|CHANGE_MAIN|CHANGE",
    what="extension: once, <= 10 working days, approved by head, applicant told why",
    basis="行政许可法 42 (applicability arguable)",
    zh="延期须经负责人批准并告知理由。",
    en="Extension needs the head's approval and notice.",
)


RULES.note(
    "R135",
    Stage.REVIEW,
    Outcome.SENIOR,
    "A",
    when="REFUSED",
    what="written reasons, legal basis, remedy text (60 days / 6 months); copy to institution",
    basis="医师法 16; 行政许可法 38",
    zh="不予决定须说明理由并告知救济途径，同时通知所在机构。",
    en="State reasons and remedies, and tell the institution.",
)


RULES.note(
    "R136",
    Stage.REVIEW,
    Outcome.WARN,
    "A",
    when="APPROVED (licence)",
    what="certificate delivered within 10 working days",
    basis="行政许可法 44",
    zh="应在10个工作日内送达证件。",
    en="Deliver within 10 working days.",
)


RULES.note(
    "R137",
    Stage.REVIEW,
    Outcome.RETURN,
    "A",
    when="on-site verification",
    what="at least two officers recorded",
    basis="行政许可法 34",
    zh="实质核查须两名以上工作人员。",
    en="Two officers are required.",
)


RULES.note(
    "R138",
    Stage.REVIEW,
    Outcome.SENIOR,
    "B",
    when="assigning a case",
    what="reviewer is not employed by, nor related to, applicant or institution",
    basis="general recusal duty (article unknown)",
    zh="经办人与申请人/机构存在利害关系，应回避。",
    en="Conflict of interest: recuse.",
    status=Status.BUILT,
)


RULES.note(
    "R139",
    Stage.REVIEW,
    Outcome.RETURN,
    "B",
    when="APPROVED|REFUSED|REVOKED",
    what="maker and checker are different people",
    basis="机关政策 operator policy (等保三级 separation of duties)",
    zh="经办与复核不得为同一人。",
    en="Maker and checker must differ.",
    status=Status.BUILT,
)


RULES.note(
    "R140",
    Stage.REVIEW,
    Outcome.WARN,
    "A",
    when="any clock",
    what="calendar for the year loaded for this authority",
    basis="行政许可法 82",
    zh="{year}年工作日历未维护，停止自动计时。",
    en="No calendar for {year}; automatic clock stopped.",
)


RULES.note(
    "R141",
    Stage.REVIEW,
    Outcome.WARN,
    "B",
    when="any clock, authority in an autonomous county or Sanya etc.",
    what="三月三 overlay confirmed for the year",
    basis="全国年节及纪念日放假办法 4",
    zh="请确认本市县“三月三”放假安排。",
    en="Confirm the local 三月三 holiday.",
)


RULES.note(
    "R142",
    Stage.REVIEW,
    Outcome.RETURN,
    "A",
    when="SUSPENDED (hearing, appraisal, expert review)",
    what="applicant told in writing how long",
    basis="行政许可法 45",
    zh="须书面告知所需时间。",
    en="Tell the applicant the time needed.",
)

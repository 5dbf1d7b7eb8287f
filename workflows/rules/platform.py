"""What the platform itself owes: data protection and security."""

from __future__ import annotations

from workflows.rules.rule import Outcome, Section, Stage

RULES = Section("平台", "Platform")


RULES.note(
    "R161",
    Stage.PLATFORM,
    Outcome.REJECT,
    "B",
    when="public query page",
    what="only name, sex, level, category, scope, practising code, institutions, authority, term, status; ID and phone never shown",
    basis="个保法 6, 25; 医师法 21",
    zh="公开查询不得返回证件号码、联系方式。",
    en="Public query must not return ID or contact data.",
)


RULES.note(
    "R162",
    Stage.PLATFORM,
    Outcome.REJECT,
    "A",
    when="verify API",
    what="caller authorised, purpose recorded, minimum answer (match / no match + status)",
    basis="个保法 6, 23; 网络数据安全管理条例 12",
    zh="调用方未授权或超出目的。",
    en="Caller not authorised or beyond purpose.",
)


RULES.note(
    "R163",
    Stage.PLATFORM,
    Outcome.WARN,
    "A",
    when="sharing or entrusting data",
    what="agreement and record kept >= 3 years",
    basis="网络数据安全管理条例 12",
    zh="共享/委托记录至少保存3年。",
    en="Keep sharing records for 3 years.",
)


RULES.note(
    "R164",
    Stage.PLATFORM,
    Outcome.SENIOR,
    "A",
    when="before go-live and on major change",
    what="PI impact assessment on file, kept >= 3 years",
    basis="个保法 55, 56",
    zh="未完成个人信息保护影响评估。",
    en="Impact assessment missing.",
)


RULES.note(
    "R165",
    Stage.PLATFORM,
    Outcome.REJECT,
    "A",
    when="export or transfer abroad",
    what="blocked unless a security assessment is recorded",
    basis="个保法 36, 38-40",
    zh="国家机关个人信息应境内存储。",
    en="Personal information stays in China.",
)


RULES.note(
    "R166",
    Stage.PLATFORM,
    Outcome.WARN,
    "A",
    when="logs",
    what="network, security and audit logs kept >= 6 months, tamper-evident",
    basis="网络安全法 23(3) (as amended)",
    zh="日志留存不足6个月。",
    en="Logs kept for less than 6 months.",
)


RULES.note(
    "R167",
    Stage.PLATFORM,
    Outcome.REJECT,
    "B",
    when="reviewer or admin login",
    what="two factors, one using cryptography",
    basis="GB/T 22239-2019 level 3; GB/T 39786",
    zh="管理端须双因素认证。",
    en="Two-factor login is required.",
)


RULES.note(
    "R168",
    Stage.PLATFORM,
    Outcome.REJECT,
    "A",
    when="e-signature or e-seal on a decision",
    what="issued under a licensed 电子政务电子认证 provider",
    basis="商用密码管理条例 30, 57",
    zh="政务签章须由依法设立的电子政务电子认证服务机构提供。",
    en="Use a licensed e-government CA.",
)


RULES.note(
    "R169",
    Stage.PLATFORM,
    Outcome.SENIOR,
    "A",
    when="breach",
    what="remedy at once; tell authority and persons",
    basis="个保法 57; 网络数据安全管理条例 11",
    zh="发生个人信息泄露，启动预案。",
    en="Breach: start the plan.",
)


RULES.note(
    "R170",
    Stage.PLATFORM,
    Outcome.SENIOR,
    "B",
    when="storage and transport of ID, phone, certificate images",
    what="encrypted (SM4), integrity protected (SM3/HMAC-SM3 or SM2 signature), TLCP/TLS in transit",
    basis="密码法 27; 商用密码管理条例 41; GB/T 39786",
    zh="敏感字段未按密评要求保护。",
    en="Sensitive fields are not protected as required.",
)

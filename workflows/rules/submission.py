"""What the physician and the institution must have confirmed."""

from __future__ import annotations

from workflows.rules.facts import Facts
from workflows.rules.reading import undertaken
from workflows.rules.rule import Outcome, Remark, Section, Stage

RULES = Section("确认与承诺", "Consent and undertakings")


@RULES.rule(
    "R124",
    Stage.SUBMIT,
    Outcome.RETURN,
    "A",
    when="any filing",
    what="physician personally confirmed (own login + e-signature); institution alone cannot file",
    basis="national flow starts at the personal end; 医师法 13 allows collective handling",
    zh="须经医师本人确认并签名。",
    en="The physician must confirm and sign in person.",
)
def physician_consents(facts: Facts) -> Remark | None:
    return None if facts.papers.physician_consented or facts.papers.attested else Remark()


@RULES.rule(
    "R125",
    Stage.SUBMIT,
    Outcome.RETURN,
    "A",
    when="any filing",
    what="truthfulness undertaking signed",
    basis="行政许可法 31",
    zh="请签署材料真实性承诺。",
    en="Sign the truthfulness undertaking.",
)
def truth_undertaken(facts: Facts) -> Remark | None:
    return None if undertaken(facts) else Remark()


@RULES.rule(
    "R126",
    Stage.SUBMIT,
    Outcome.RETURN,
    "A",
    when="any filing",
    what="target institution confirmed before it reaches the authority",
    basis="全国备案流程 national filing procedure",
    zh="待拟执业机构确认。",
    en="Waiting for the target institution.",
)
def institution_confirms(facts: Facts) -> Remark | None:
    return None if facts.papers.institution_confirmed or facts.papers.attested else Remark()


@RULES.rule(
    "R160",
    Stage.SUBMIT,
    Outcome.RETURN,
    "A",
    when="collecting ID, face, health or penalty data",
    what="notice of purpose, necessity and effect shown; separate consent when consent is the basis",
    basis="个保法 17, 28-30, 35",
    zh="请阅读并确认敏感个人信息处理告知。",
    en="Confirm the notice on sensitive personal information.",
)
def notice_confirmed(facts: Facts) -> Remark | None:
    return None if facts.papers.physician_consented or facts.papers.attested else Remark()

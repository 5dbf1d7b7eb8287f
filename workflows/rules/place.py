"""A physician's practice place is a province: which kind of filing fits (医师执业注册管理办法 7, 10, 17)."""

from __future__ import annotations

from workflows.codes import FilingType
from workflows.rules.facts import Facts, Registration
from workflows.rules.reading import PHYSICIAN, live, live_here
from workflows.rules.rule import Outcome, Remark, Section, Stage, Status
from workflows.text import Text

RULES = Section("执业地点", "Practice place")


_REGISTERED_HERE = Text(
    "本省已有注册，应办理多机构备案。",
    "Already registered in this province: use additional-institution filing.",
)


@RULES.rule(
    "R050",
    Stage.JUDGE,
    Outcome.REJECT,
    "A",
    when="SITE_FILE, level=1",
    what="province(target) = province of a registration in force (without any, R021 speaks)",
    basis="医师执业注册管理办法 7, 10, 17",
    zh="拟执业机构不在现有执业地点（省），应办理增加注册。",
    en="The institution is in another province: apply for an added registration.",
    types={FilingType.SITE_FILE},
    needs_match=True,
)
def place_in_the_province(facts: Facts) -> Remark | None:
    rows = live(facts)
    if not _is_physician(facts) or not rows or live_here(facts):
        return None
    return Remark(evidence=_provinces(facts), source=rows[0].source)


@RULES.rule(
    "R051",
    Stage.JUDGE,
    Outcome.RETURN,
    "A",
    when="ADD_REG, level=1",
    what="no registration in force already in province(target)",
    basis="医师执业注册管理办法 10, 17",
    zh="本省已有注册，应办理多机构备案。",
    en="Already registered in this province: use additional-institution filing.",
    types={FilingType.ADD_REG},
    needs_match=True,
)
def place_not_yet_in_the_province(facts: Facts) -> Remark | None:
    rows = live_here(facts)
    return Remark(evidence=_provinces(facts), source=rows[0].source) if _is_physician(facts) and rows else None


@RULES.rule(
    "R053",
    Stage.JUDGE,
    Outcome.RETURN,
    "A",
    when="ADD_REG",
    what="qualification, category and scopes identical to the existing registration",
    basis="全国注册系统的行为 behaviour of the national system",
    zh="增加注册的资格、类别、范围须与原注册完全一致，否则原注册将失效。",
    en="Qualification, category and scope must equal the existing registration or that one lapses.",
    types={FilingType.ADD_REG},
    needs_match=True,
)
def equals_the_registration(facts: Facts) -> Remark | None:
    rows = live(facts)
    if facts.matched is None or not rows:
        return None
    # Several registrations of one person are equal by this same rule; the one that differs least is told.
    differing = min((_differences(facts, r) for r in rows), key=len)
    return Remark(evidence={"fields": differing}, source=rows[0].source) if differing else None


@RULES.rule(
    "R054",
    Stage.JUDGE,
    Outcome.WARN,
    "A",
    when="CHANGE|CHANGE_MAIN with target in another province",
    what="applicant confirmed that the old registration will end",
    basis="医师执业注册管理办法; national registration procedure",
    zh="选择“变更”将使原执业地点注册失效；如需保留请选“增加注册”。",
    en="'Change' ends the old registration; choose 'added registration' to keep it.",
    types={FilingType.CHANGE, FilingType.CHANGE_MAIN},
    needs_match=True,
)
def old_registration_may_end(facts: Facts) -> Remark | None:
    if facts.old_registration_ends or not live(facts) or live_here(facts):
        return None
    return Remark(evidence=_provinces(facts), source=live(facts)[0].source)


@RULES.rule(
    "R062",
    Stage.JUDGE,
    Outcome.REJECT,
    "C",
    when="XPROV_FILE",
    what="switch cross_province_mode=LOCAL_FILE is on and its legal basis recorded; no registration in force in province(target)",
    basis="announcement of the Hainan Health Commission, 2019-11-30: on-site paper approval became online electronic filing; the authority records the text",
    zh="未配置跨省备案的法律依据，请改走增加注册。",
    en="No legal basis configured for cross-province filing; use added registration.",
    types={FilingType.XPROV_FILE},
)
def cross_province_by_local_rule(facts: Facts) -> Remark | None:
    policy = facts.policy
    if policy.cross_province_mode != "LOCAL_FILE" or not policy.cross_province_basis:
        return Remark(evidence={"mode": policy.cross_province_mode})
    # Not a cross-province practice at all: a filing of this type would pass the rules of the practice place by.
    return Remark(evidence=_provinces(facts), text=_REGISTERED_HERE) if live_here(facts) else None


RULES.note(
    "R063",
    Stage.SUBMIT,
    Outcome.RETURN,
    "C",
    when="XPROV_FILE",
    what="physician's home registration is verified with the home province within 7 days",
    basis="医师法 21; 机关政策 operator policy",
    zh="未取得注册地省份核验结果。",
    en="Home-province verification is missing.",
    types={FilingType.XPROV_FILE},
    status=Status.SOURCE_NOT_CONNECTED,
)


def _is_physician(facts: Facts) -> bool:
    return facts.matched is not None and facts.matched.level == PHYSICIAN


def _provinces(facts: Facts) -> dict[str, object]:
    return {"target": facts.institution.province, "registered": sorted({r.province for r in live(facts)})}


def _differences(facts: Facts, registration: Registration) -> list[str]:
    known = facts.matched.qualification_code if facts.matched else None
    pairs = {
        "qualification_code": (known or facts.person.qualification_code, facts.person.qualification_code),
        "category": (registration.category, facts.category),
        "scopes": (registration.scopes, facts.scopes),
    }
    return [field for field, (registered, declared) in pairs.items() if registered != declared]

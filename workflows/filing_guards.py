"""Who a party to a filing is, and the sentences that say why an act cannot be done."""

from __future__ import annotations

from typing import Final

from auth.actor import Actor, ActorKind
from auth.roles import Role
from workflows.filing_terms import PAUSE_CAUSES, Author, FilingFacts, PauseCause, Proposal, State
from workflows.machine import Body, Party, Refusal
from workflows.text import Text

# -- parties ----------------------------------------------------------------------------------------------------------


def _files_for_the_institution(filing: FilingFacts, actor: Actor) -> bool:
    return filing.author is Author.INSTITUTION and filing.institution in actor.organisations(Role.FILER, Role.MANAGER)


def _is_the_physician(filing: FilingFacts, actor: Actor) -> bool:
    return filing.physician_id is not None and str(actor.physician_id) == filing.physician_id


def _files_as_the_physician(filing: FilingFacts, actor: Actor) -> bool:
    # A filing that the register does not know yet has no physician; its author can still correct it.
    own = _is_the_physician(filing, actor) or (filing.physician_id is None and filing.filed_by == actor.id)
    return filing.author is Author.PHYSICIAN and own


def _manages_the_target(filing: FilingFacts, actor: Actor) -> bool:
    return actor.holds(Role.MANAGER, filing.institution)


def _manages_the_main_institution(filing: FilingFacts, actor: Actor) -> bool:
    return actor.holds(Role.MANAGER, filing.main_institution)


def _reviews_here(filing: FilingFacts, actor: Actor) -> bool:
    return actor.holds(Role.REVIEWER, filing.authority)


def _is_senior_here(filing: FilingFacts, actor: Actor) -> bool:
    return actor.holds(Role.SENIOR, filing.authority)


def _has_the_desk(filing: FilingFacts, actor: Actor) -> bool:
    return _is_senior_here(filing, actor) if filing.state is State.SENIOR else _reviews_here(filing, actor)


def _is_the_clock(_filing: FilingFacts, actor: Actor) -> bool:
    return actor.kind is ActorKind.SYSTEM


INSTITUTION_AUTHOR: Final = Party(
    "institution author",
    Text("申报机构的经办人或管理员", "the filers and managers of the filing institution"),
    _files_for_the_institution,
    frozenset({Role.FILER, Role.MANAGER}),
)
PHYSICIAN_AUTHOR: Final = Party(
    "physician author",
    Text("自行申报的医师本人", "the physician, for their own filing"),
    _files_as_the_physician,
    frozenset({Role.PHYSICIAN}),
)
PHYSICIAN: Final = Party("physician", Text("医师本人", "the physician"), _is_the_physician, frozenset({Role.PHYSICIAN}))
TARGET_MANAGER: Final = Party(
    "target manager",
    Text("拟执业机构的管理员", "a manager of the target institution"),
    _manages_the_target,
    frozenset({Role.MANAGER}),
)
MAIN_MANAGER: Final = Party(
    "main manager",
    Text("主要执业机构的管理员", "a manager of the main institution"),
    _manages_the_main_institution,
    frozenset({Role.MANAGER}),
)
REVIEWER: Final = Party(
    "reviewer", Text("受理机关的审核人员", "a reviewer of the authority"), _reviews_here, frozenset({Role.REVIEWER})
)
SENIOR: Final = Party(
    "senior", Text("受理机关的复核人员", "a senior of the authority"), _is_senior_here, frozenset({Role.SENIOR})
)
OFFICER: Final = Party(
    "officer",
    Text("受理机关的审核人员（待复核时为复核人员）", "a reviewer of the authority (in senior review, a senior)"),
    _has_the_desk,
    frozenset({Role.REVIEWER, Role.SENIOR}),
)
SYSTEM: Final = Party("system", Text("系统时钟", "the clock"), _is_the_clock, kind=ActorKind.SYSTEM)

# -- refusals ---------------------------------------------------------------------------------------------------------

UNKNOWN_PHYSICIAN = Refusal(
    "unknown_physician",
    Text(
        "注册信息中未找到姓名与执业证书编码相符的医师，请先核对更正。",
        "The register has no physician with this name and practising code; correct them first.",
    ),
    ("R022",),
)
FINDINGS_OPEN = Refusal(
    "findings_open", Text("以下规则尚未通过：{rules}。", "Stopped by the open findings of {rules}.")
)
SENIOR_NEEDED = Refusal(
    "senior_needed",
    Text("须复核：{rules}。请提交复核意见。", "{rules} must be seen by a senior: recommend instead."),
)
DISPUTED = Refusal(
    "disputed",
    Text(
        "医师已提出异议，办理已冻结；只能撤回或不予受理、不予批准。",
        "The physician disputes this filing: it is frozen and can only be withdrawn, not accepted or refused.",
    ),
)
ALREADY_DISPUTED = Refusal("already_disputed", Text("异议已登记。", "The dispute is on record already."))
IDENTITY = Refusal(
    "identity_unconfirmed",
    Text("请先重新核验本人身份。", "Confirm your identity again first."),
    ("R124",),
)
TEXT_CHANGED = Refusal(
    "text_changed",
    Text("同意书内容与当前显示的不一致，请重新阅读。", "This is not the text shown now; read it again."),
    ("R124",),
)
CONSENT_HOLDS = Refusal(
    "consent_holds", Text("本人已同意现有内容。", "The physician has consented to the filing as it stands."), ("R124",)
)
NOT_OF_A_ROSTER = Refusal(
    "not_of_a_roster",
    Text(
        "只有名册申报可以由机构承诺，请提交本人确认。", "Only filings of a roster can be attested; ask the physician."
    ),
    ("R124",),
)
ATTESTATION_NOT_ALLOWED = Refusal(
    "attestation_not_allowed",
    Text(
        "受理机关未允许机构承诺代替本人确认，请提交本人确认。",
        "The authority does not accept an attestation; ask the physician.",
    ),
    ("R124",),
)
OWN_FILING = Refusal(
    "own_filing",
    Text("不能由申报人本人确认。", "Nobody confirms what they filed themselves."),
    ("R139",),
)
CONFLICT = Refusal(
    "conflict_of_interest",
    Text(
        "您与申请人或机构存在利害关系，应当回避。", "You have a conflict of interest with the applicant or institution."
    ),
    ("R138",),
)
CLAIMED = Refusal("claimed", Text("已由其他人员领取。", "Somebody else holds the claim."))
YOURS_ALREADY = Refusal("yours_already", Text("您已领取，可延长。", "The claim is yours already; renew it."))
NOT_CLAIMED = Refusal("not_claimed", Text("请先领取。", "Claim it first."))
SAME_PERSON = Refusal(
    "same_person",
    Text(
        "申报、承诺或提出复核意见的人员不得作出决定。",
        "Whoever filed, attested or recommended it cannot decide it.",
    ),
    ("R139",),
)
SECOND_RETURN = Refusal(
    "second_return",
    Text(
        "补正只能一次性告知；请提交复核意见，由复核人员决定。",
        "Only one correction notice: recommend instead, and a senior decides.",
    ),
    ("R131",),
)
PAUSED = Refusal("paused", Text("计时已中止，请先恢复。", "The clock is paused; resume it first."))
NOT_PAUSED = Refusal("not_paused", Text("计时未中止。", "The clock is not paused."))
NO_SUCH_CAUSE = Refusal(
    "no_such_cause", Text("中止事由只能是：{causes}。", "The cause must be one of: {causes}."), ("R142",)
)
NO_SUCH_DECISION = Refusal(
    "no_such_decision", Text("意见只能是 approve 或 refuse。", "The decision is approve or refuse.")
)
REASONS_MISSING = Refusal("reasons_missing", Text("请说明理由。", "Give the reasons."), ("R135",))
TOO_EARLY = Refusal("too_early", Text("期限尚未届满。", "The limit has not passed."))

# -- guards -----------------------------------------------------------------------------------------------------------


def physician_is_known(filing: FilingFacts, _actor: Actor) -> Refusal | None:
    return UNKNOWN_PHYSICIAN if filing.physician_id is None else None


def row_is_sound(filing: FilingFacts, _actor: Actor) -> Refusal | None:
    return _stopped_by(FINDINGS_OPEN, filing.open_judge)


def nothing_is_open(filing: FilingFacts, _actor: Actor) -> Refusal | None:
    return _stopped_by(FINDINGS_OPEN, filing.open_submit)


def no_senior_is_needed(filing: FilingFacts, _actor: Actor) -> Refusal | None:
    return _stopped_by(SENIOR_NEEDED, filing.open_senior)


def not_disputed(filing: FilingFacts, _actor: Actor) -> Refusal | None:
    return DISPUTED if filing.disputed else None


def no_dispute_yet(filing: FilingFacts, _actor: Actor) -> Refusal | None:
    return ALREADY_DISPUTED if filing.disputed else None


def identity_is_confirmed(filing: FilingFacts, _actor: Actor) -> Refusal | None:
    return None if filing.identity_confirmed else IDENTITY


def consent_is_outdated(filing: FilingFacts, _actor: Actor) -> Refusal | None:
    return CONSENT_HOLDS if filing.consented_sha256 == filing.consent_sha256 else None


def is_of_a_roster(filing: FilingFacts, _actor: Actor) -> Refusal | None:
    return None if filing.of_roster else NOT_OF_A_ROSTER


def attestation_is_allowed(filing: FilingFacts, _actor: Actor) -> Refusal | None:
    return None if filing.attested_consent else ATTESTATION_NOT_ALLOWED


def is_not_who_filed(filing: FilingFacts, actor: Actor) -> Refusal | None:
    return OWN_FILING if actor.id == filing.filed_by or _is_the_physician(filing, actor) else None


def has_no_conflict(filing: FilingFacts, _actor: Actor) -> Refusal | None:
    return CONFLICT if filing.actor_conflicts else None


def nobody_holds_it(filing: FilingFacts, actor: Actor) -> Refusal | None:
    if filing.claimed_by is None:
        return None
    return YOURS_ALREADY if filing.claimed_by == actor.id else CLAIMED


def holds_the_claim(filing: FilingFacts, actor: Actor) -> Refusal | None:
    if filing.claimed_by == actor.id:
        return None
    return NOT_CLAIMED if filing.claimed_by is None else CLAIMED


def is_a_second_person(filing: FilingFacts, actor: Actor) -> Refusal | None:
    """R139: whoever filed, attested or recommended does not decide."""
    return SAME_PERSON if actor.id in {filing.filed_by, filing.attested_by, filing.recommended_by} else None


def is_the_first_return(filing: FilingFacts, _actor: Actor) -> Refusal | None:
    return SECOND_RETURN if filing.returned_before else None


def clock_runs(filing: FilingFacts, _actor: Actor) -> Refusal | None:
    return PAUSED if filing.paused else None


def clock_is_paused(filing: FilingFacts, _actor: Actor) -> Refusal | None:
    return None if filing.paused else NOT_PAUSED


def is_deemed_accepted(filing: FilingFacts, _actor: Actor) -> Refusal | None:
    """行政许可法 32(4): not told in time, it counts as accepted (R130)."""
    return None if filing.deemed_at is not None and filing.now >= filing.deemed_at else TOO_EARLY


def has_waited_too_long(filing: FilingFacts, _actor: Actor) -> Refusal | None:
    return None if filing.lapses_at is not None and filing.now >= filing.lapses_at else TOO_EARLY


# -- checks of what came with the act ---------------------------------------------------------------------------------


def names_the_text_shown(filing: FilingFacts, body: Body) -> Refusal | None:
    return None if body["text_sha256"] == filing.consent_sha256 else TEXT_CHANGED


def names_a_lawful_cause(_filing: FilingFacts, body: Body) -> Refusal | None:
    return None if body["cause"] in set(PauseCause) else NO_SUCH_CAUSE.of(causes=_causes())


def proposes_a_decision(filing: FilingFacts, body: Body) -> Refusal | None:
    """A disputed filing can only be proposed for refusal, and a refusal needs reasons."""
    if body["decision"] not in set(Proposal):
        return NO_SUCH_DECISION
    if body["decision"] == Proposal.REFUSE:
        return None if body.get("reasons") else REASONS_MISSING
    return DISPUTED if filing.disputed else None


# -- choices of the next state ----------------------------------------------------------------------------------------


def asks_the_main_institution(filing: FilingFacts) -> State:
    ask = filing.needs_main_consent and filing.main_on_platform
    return State.WAIT_MAIN if ask else State.SUBMITTED


def where_it_came_from(filing: FilingFacts) -> State:
    return State.REVIEW if filing.returned_from is State.REVIEW else State.SUBMITTED


def _stopped_by(refusal: Refusal, rules: tuple[str, ...]) -> Refusal | None:
    if not rules:
        return None
    return refusal.of(*rules, rules=Text("、".join(rules), ", ".join(rules)))


def _causes() -> Text:
    zh = "、".join(f"{cause}（{text.zh}）" for cause, text in PAUSE_CAUSES.items())
    return Text(zh, ", ".join(PAUSE_CAUSES))

"""The words of the filing table: states, acts, effects, and the facts that a guard may look at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from workflows.codes import FilingType
from workflows.text import Text

LEASE: Final = timedelta(minutes=30)  # how long a claim lives without being renewed


class State(StrEnum):
    """codes.yaml: filing_state. There is one status word; everything else is a flag."""

    DRAFT = "DRAFT"
    WAIT_PHYSICIAN = "WAIT_PHYSICIAN"
    WAIT_INST = "WAIT_INST"
    WAIT_MAIN = "WAIT_MAIN"
    SUBMITTED = "SUBMITTED"
    CORRECTION = "CORRECTION"
    NOT_ACCEPTED = "NOT_ACCEPTED"
    REVIEW = "REVIEW"
    SENIOR = "SENIOR"
    APPROVED = "APPROVED"
    REFUSED = "REFUSED"
    WITHDRAWN = "WITHDRAWN"


class Act(StrEnum):
    """What somebody, or the clock, may do to a filing."""

    AMEND = "amend"
    PROPOSE = "propose"
    CONFIRM = "confirm"
    DECLINE = "decline"
    CONSENT = "consent"
    REFUSE_CONSENT = "refuse_consent"
    DISPUTE = "dispute"
    ATTEST = "attest"
    AGREE = "agree"
    OBJECT = "object"
    CLAIM = "claim"
    RELEASE = "release"
    RENEW = "renew"
    ACCEPT = "accept"
    NOT_ACCEPT = "not_accept"
    RETURN = "return"
    RESUBMIT = "resubmit"
    PAUSE = "pause"
    RESUME = "resume"
    RECOMMEND = "recommend"
    APPROVE = "approve"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    LAPSE = "lapse"


class Effect(StrEnum):
    """What a move brings besides the new state; the registry has one hand for each."""

    CHANGE = "change"  # the fields named in the body
    EVALUATE = "evaluate"  # run the judge rules, once received also the submit rules, and keep the findings
    KEEP_CONSENT = "keep_consent"  # the physician's own: text, hash, time and method (R087 R124 R125 R160)
    KEEP_CONFIRMATION = "keep_confirmation"  # that of the target institution (R126)
    KEEP_ATTESTATION = "keep_attestation"  # that of a manager for the physicians of a roster (R082 R087 R124 R125 R160)
    KEEP_AGREEMENT = "keep_agreement"  # that of the main institution (R082)
    KEEP_DECISION = "keep_decision"  # an officer's act, with its reasons
    KEEP_RECOMMENDATION = "keep_recommendation"  # who proposed what to the senior
    KEEP_ORIGIN = "keep_origin"  # the state a returned filing goes back to
    RECEIVE = "receive"  # day of receipt; start of the completeness limit
    ACCEPT = "accept"  # stop of the completeness limit, start of the decision limit
    ACCEPT_FROM_RECEIPT = "accept_from_receipt"  # the same, but the decision limit starts at receipt: 行政许可法 32(4)
    PAUSE_CLOCK = "pause_clock"
    RESUME_CLOCK = "resume_clock"
    STOP_CLOCK = "stop_clock"  # whichever limit is running, if any
    MARK_PAUSED = "mark_paused"
    CLEAR_PAUSED = "clear_paused"
    MARK_DISPUTED = "mark_disputed"
    SET_CLAIM = "set_claim"  # for the actor, until LEASE from now
    CLEAR_CLAIM = "clear_claim"
    CREATE_SITE = "create_site"


class Author(StrEnum):
    """Whose filing it is: the institution's (its filers and managers) or the physician's own."""

    INSTITUTION = "institution"
    PHYSICIAN = "physician"


class Proposal(StrEnum):
    """What a reviewer recommends to the senior."""

    APPROVE = "approve"
    REFUSE = "refuse"


class PauseCause(StrEnum):
    """The causes that 行政许可法 45 takes out of the limit, as far as they occur here, and an enquiry elsewhere."""

    HEARING = "hearing"
    INSPECTION = "inspection"
    TESTING = "testing"
    APPRAISAL = "appraisal"
    EXPERT_REVIEW = "expert_review"
    ENQUIRY = "enquiry"


PAUSE_CAUSES: Final[dict[PauseCause, Text]] = {
    PauseCause.HEARING: Text("听证", "Hearing"),
    PauseCause.INSPECTION: Text("检验", "Inspection"),
    PauseCause.TESTING: Text("检测", "Testing"),
    PauseCause.APPRAISAL: Text("鉴定", "Appraisal"),
    PauseCause.EXPERT_REVIEW: Text("专家评审", "Expert review"),
    PauseCause.ENQUIRY: Text("向外省核实", "Enquiry to another province"),
}

FINAL: Final = frozenset({State.NOT_ACCEPTED, State.APPROVED, State.REFUSED, State.WITHDRAWN})
OPEN: Final = frozenset(State) - FINAL
AT_AUTHORITY: Final = frozenset({State.SUBMITTED, State.REVIEW, State.SENIOR})
WAITING: Final = frozenset({State.WAIT_PHYSICIAN, State.WAIT_INST, State.WAIT_MAIN})

STATES: Final[dict[State, Text]] = {
    State.DRAFT: Text("草稿", "Draft"),
    State.WAIT_PHYSICIAN: Text("待本人确认", "Awaiting the physician"),
    State.WAIT_INST: Text("待机构确认", "Awaiting the target institution"),
    State.WAIT_MAIN: Text("待主要执业机构同意", "Awaiting the main institution"),
    State.SUBMITTED: Text("已提交（待受理）", "Submitted"),
    State.CORRECTION: Text("退回补正", "Returned for correction"),
    State.NOT_ACCEPTED: Text("不予受理", "Not accepted"),
    State.REVIEW: Text("审核中", "Under review"),
    State.SENIOR: Text("待复核", "Needs senior review"),
    State.APPROVED: Text("备案成功/准予注册", "Approved"),
    State.REFUSED: Text("不予备案/不予注册", "Refused"),
    State.WITHDRAWN: Text("已撤回", "Withdrawn"),
}

ACTS: Final[dict[Act, Text]] = {
    Act.AMEND: Text("修改", "Amend"),
    Act.PROPOSE: Text("提交确认", "Propose"),
    Act.CONFIRM: Text("机构确认", "Confirm"),
    Act.DECLINE: Text("机构不予确认", "Decline"),
    Act.CONSENT: Text("本人同意", "Consent"),
    Act.REFUSE_CONSENT: Text("本人不同意", "Refuse consent"),
    Act.DISPUTE: Text("提出异议", "Dispute"),
    Act.ATTEST: Text("机构承诺", "Attest"),
    Act.AGREE: Text("主要执业机构同意", "Agree"),
    Act.OBJECT: Text("主要执业机构不同意", "Object"),
    Act.CLAIM: Text("领取", "Claim"),
    Act.RELEASE: Text("放回", "Release"),
    Act.RENEW: Text("延长领取", "Renew the claim"),
    Act.ACCEPT: Text("受理", "Accept"),
    Act.NOT_ACCEPT: Text("不予受理", "Not accept"),
    Act.RETURN: Text("退回补正", "Return for correction"),
    Act.RESUBMIT: Text("重新提交", "Resubmit"),
    Act.PAUSE: Text("中止计时", "Pause the clock"),
    Act.RESUME: Text("恢复计时", "Resume the clock"),
    Act.RECOMMEND: Text("提交复核意见", "Recommend"),
    Act.APPROVE: Text("批准", "Approve"),
    Act.REFUSE: Text("不予批准", "Refuse"),
    Act.WITHDRAW: Text("撤回", "Withdraw"),
    Act.LAPSE: Text("逾期终止", "Lapse"),
}


@dataclass(frozen=True)
class FilingFacts:
    """All a guard of the filing table may look at, of one filing at one moment. Accounts are ids."""

    id: str
    type: FilingType
    state: State
    now: datetime
    author: Author
    institution: str  # registration number
    authority: str | None  # division code of the authority that decides
    main_institution: str | None  # registration number
    physician_id: str | None  # None: not in the register
    filed_by: str
    of_roster: bool = False
    attested_consent: bool = False  # the authority accepts a manager's attestation (setting attested_consent)
    attested_by: str | None = None
    recommended_by: str | None = None
    recommendation: Proposal | None = None
    claimed_by: str | None = None  # only while the lease lives
    identity_confirmed: bool = False  # the actor is a physician whose identity was confirmed just now
    consent_sha256: str | None = None  # of the text to consent to, as the filing stands
    consented_sha256: str | None = None  # of the text last consented to
    open_judge: tuple[str, ...] = ()  # rules with an open return or reject of the judge stage
    open_submit: tuple[str, ...] = ()  # rules with an open return or reject of any stage
    open_senior: tuple[str, ...] = ()  # rules with an open senior finding
    needs_main_consent: bool = False  # R082 is open
    main_on_platform: bool = False  # the main institution has an enabled manager account
    disputed: bool = False
    paused: bool = False
    returned_from: State | None = None  # of the last return
    returned_before: bool = False
    actor_conflicts: bool = False  # R138: at home in either institution, or the physician
    deemed_at: datetime | None = None  # end of the completeness limit; None: no calendar, or not running
    lapses_at: datetime | None = None  # end of the limit of CORRECTION and WAIT_*

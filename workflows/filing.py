"""The life of a filing: its states and acts, one row per move (docs/lifecycle.md is rendered from this table)."""

from __future__ import annotations

from enum import StrEnum


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

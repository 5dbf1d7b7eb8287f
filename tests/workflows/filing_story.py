"""A model of the filing's lifecycle that knows people and events instead of grants, facts and rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from workflows.filing import Act, State

S, A = State, Act

REVIEWERS: Final = {"reviewer", "torn", "both"}
SENIORS: Final = {"senior", "both"}
DESKS: Final = {S.SUBMITTED: REVIEWERS, S.REVIEW: REVIEWERS, S.SENIOR: SENIORS}
ENDED: Final = {S.APPROVED, S.REFUSED, S.NOT_ACCEPTED, S.WITHDRAWN}


@dataclass
class Story:
    """The model: what happened so far, in plain words."""

    authors: set[str]
    asks_main: bool
    state: State = S.DRAFT
    holder: str | None = None
    text: int = 0  # how often it was amended
    consented: int | None = None
    confirmed: bool = False
    disputed: bool = False
    paused: bool = False
    returned_from: State | None = None
    recommender: str | None = None
    flawed: bool = False  # a return finding of the row
    unmet: bool = False  # a return finding of another stage
    senior_matter: bool = False
    signed_in_lately: bool = True
    too_late: bool = False  # the limit of the present state has passed
    decider: str | None = None
    past: list[Act] = field(default_factory=list)

    def own(self) -> bool:
        return self.authors == {"doctor"}

    def officer(self, who: str) -> bool:
        return who in DESKS.get(self.state, ())

    def on_it(self, who: str) -> bool:
        return self.officer(who) and self.holder == who

    def impartial(self, who: str) -> bool:
        return who not in {"torn", self.recommender}


Legal = Callable[[Story, str], bool]

LEGAL: Final[dict[Act, Legal]] = {
    A.AMEND: lambda m, w: m.state in {S.DRAFT, S.CORRECTION} and w in m.authors and not m.disputed,
    A.PROPOSE: lambda m, w: (
        m.state is S.DRAFT and w in m.authors and not (m.disputed or m.flawed) and (m.signed_in_lately or not m.own())
    ),
    A.ATTEST: lambda _m, _w: False,  # these are told of single filings, and only those of a roster are attested
    A.CONFIRM: lambda m, w: m.state is S.WAIT_INST and w == "manager" and not m.disputed,
    A.DECLINE: lambda m, w: m.state is S.WAIT_INST and w == "manager",
    A.CONSENT: lambda m, w: (
        w == "doctor"
        and m.signed_in_lately
        and not m.disputed
        and (
            m.state is S.WAIT_PHYSICIAN
            or (m.state in {S.SUBMITTED, S.CORRECTION, S.REVIEW, S.SENIOR} and m.consented != m.text)
        )
    ),
    A.REFUSE_CONSENT: lambda m, w: m.state is S.WAIT_PHYSICIAN and w == "doctor",
    A.DISPUTE: lambda m, w: m.state not in ENDED and w == "doctor" and not m.disputed,
    A.AGREE: lambda m, w: m.state is S.WAIT_MAIN and w == "main manager" and not m.disputed,
    A.OBJECT: lambda m, w: m.state is S.WAIT_MAIN and w == "main manager",
    A.CLAIM: lambda m, w: m.officer(w) and w != "torn" and m.holder is None,
    A.RENEW: lambda m, w: m.on_it(w),
    A.RELEASE: lambda m, w: m.on_it(w),
    A.ACCEPT: lambda m, w: m.state is S.SUBMITTED and not m.disputed and (m.on_it(w) or (w == "clock" and m.too_late)),
    A.NOT_ACCEPT: lambda m, w: m.state is S.SUBMITTED and m.on_it(w) and m.impartial(w),
    A.RETURN: lambda m, w: (
        m.state in {S.SUBMITTED, S.REVIEW} and m.on_it(w) and not (m.disputed or m.paused) and A.RETURN not in m.past
    ),
    A.RESUBMIT: lambda m, w: (
        m.state is S.CORRECTION and w in m.authors and not m.disputed and (m.signed_in_lately or not m.own())
    ),
    A.PAUSE: lambda m, w: m.state in {S.REVIEW, S.SENIOR} and m.on_it(w) and not m.paused,
    A.RESUME: lambda m, w: m.state in {S.REVIEW, S.SENIOR} and m.on_it(w) and m.paused,
    A.RECOMMEND: lambda m, w: m.state is S.REVIEW and m.on_it(w),  # refusal, as the body says
    A.APPROVE: lambda m, w: (
        (m.state is S.SENIOR or (m.state is S.REVIEW and not m.senior_matter))
        and m.on_it(w)
        and m.impartial(w)
        and not (m.disputed or m.paused or m.flawed or m.unmet or m.consented != m.text)
    ),
    A.REFUSE: lambda m, w: m.state is S.SENIOR and m.on_it(w) and m.impartial(w) and not m.paused,
    A.WITHDRAW: lambda m, w: m.state not in ENDED and (w in m.authors or w == "doctor"),
    A.LAPSE: lambda m, w: (
        m.state in {S.WAIT_PHYSICIAN, S.WAIT_INST, S.WAIT_MAIN, S.CORRECTION} and w == "clock" and m.too_late
    ),
}

LEADS_TO: Final[dict[Act, State]] = {
    A.CONFIRM: S.SUBMITTED,
    A.DECLINE: S.WITHDRAWN,
    A.REFUSE_CONSENT: S.WITHDRAWN,
    A.AGREE: S.SUBMITTED,
    A.OBJECT: S.WITHDRAWN,
    A.ACCEPT: S.REVIEW,
    A.NOT_ACCEPT: S.NOT_ACCEPTED,
    A.RETURN: S.CORRECTION,
    A.RECOMMEND: S.SENIOR,
    A.APPROVE: S.APPROVED,
    A.REFUSE: S.REFUSED,
    A.WITHDRAW: S.WITHDRAWN,
    A.LAPSE: S.WITHDRAWN,
}


ONWARD: Final = (
    *(A.PROPOSE, A.CONSENT, A.CONFIRM, A.AGREE, A.CLAIM, A.ACCEPT, A.RETURN, A.AMEND, A.RESUBMIT),
    *(A.RECOMMEND, A.APPROVE, A.REFUSE),
)


def tell(m: Story, act: Act, who: str) -> None:
    """What the act does to the story."""
    before = m.state
    m.state = LEADS_TO.get(act, before)
    match act:
        case A.AMEND:
            m.text += 1
        case A.PROPOSE if m.own():
            m.state, m.consented = S.WAIT_INST, m.text
        case A.PROPOSE:
            m.state, m.confirmed = S.WAIT_PHYSICIAN, True
        case A.CONSENT:
            m.consented = m.text
            if before is S.WAIT_PHYSICIAN:
                m.state = S.WAIT_MAIN if m.asks_main else S.SUBMITTED
        case A.CONFIRM:
            m.confirmed = True
        case A.RETURN:
            m.returned_from = before
        case A.RESUBMIT:
            m.state = m.returned_from or S.SUBMITTED
            m.consented = m.text if m.own() else m.consented
        case A.DISPUTE:
            m.disputed = True
        case A.PAUSE | A.RESUME:
            m.paused = act is A.PAUSE
        case A.CLAIM:
            m.holder = who
        case A.RECOMMEND:
            m.recommender = who
        case A.APPROVE | A.REFUSE:
            m.decider = who
        case _:
            pass
    # Acceptance is the one step that a claim outlives.
    if act is A.RELEASE or (m.state is not before and act is not A.ACCEPT):
        m.holder = None
    if m.state is not before:
        m.too_late = False
    m.past.append(act)

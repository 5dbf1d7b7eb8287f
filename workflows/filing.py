"""The life of a filing, one row per move. docs/lifecycle.md is rendered from this table.

A disputed filing is frozen: nothing that carries it towards approval is possible, and what ends it is: the
physician's or the author's `withdraw`, `decline`, `refuse_consent`, `object`, `not_accept`, a recommended refusal and
the senior's `refuse`, or `lapse`.
"""

from __future__ import annotations

from typing import Final

from workflows.filing_guards import (
    INSTITUTION_AUTHOR,
    MAIN_MANAGER,
    OFFICER,
    PHYSICIAN,
    PHYSICIAN_AUTHOR,
    REVIEWER,
    SENIOR,
    SYSTEM,
    TARGET_MANAGER,
    asks_the_main_institution,
    attestation_is_allowed,
    clock_is_paused,
    clock_runs,
    consent_is_outdated,
    has_no_conflict,
    has_waited_too_long,
    holds_the_claim,
    identity_is_confirmed,
    is_a_second_person,
    is_deemed_accepted,
    is_not_who_filed,
    is_of_a_roster,
    is_the_first_return,
    names_a_lawful_cause,
    names_the_text_shown,
    no_dispute_yet,
    no_senior_is_needed,
    nobody_holds_it,
    not_disputed,
    nothing_is_open,
    physician_is_known,
    proposes_a_decision,
    row_is_sound,
    where_it_came_from,
)
from workflows.filing_terms import (
    ACTS,
    AT_AUTHORITY,
    FINAL,
    LEASE,
    OPEN,
    PAUSE_CAUSES,
    STATES,
    WAITING,
    Act,
    Author,
    Effect,
    FilingFacts,
    PauseCause,
    Proposal,
    State,
)
from workflows.machine import SAME, Choice, Machine, Move, Transition
from workflows.text import Text

__all__ = [
    "ACTS",
    "AT_AUTHORITY",
    "FILING",
    "FINAL",
    "LEASE",
    "OPEN",
    "PAUSE_CAUSES",
    "STATES",
    "WAITING",
    "Act",
    "Author",
    "Effect",
    "FilingFacts",
    "FilingMove",
    "PauseCause",
    "Proposal",
    "State",
]


Row = Transition[State, Act, Effect, FilingFacts]
FilingMove = Move[State, Act, Effect, FilingFacts]

S, A, E = State, Act, Effect

AUTHOR = (INSTITUTION_AUTHOR, PHYSICIAN_AUTHOR)

# Reaching the authority. The rules run with it, so that the findings are there before anybody claims the case.
ARRIVES = (E.RECEIVE, E.EVALUATE)
LEAVES = (E.STOP_CLOCK, E.CLEAR_CLAIM)

MAY_DECIDE = (is_a_second_person, has_no_conflict, holds_the_claim)
MAY_APPROVE = (*MAY_DECIDE, not_disputed, clock_runs, nothing_is_open)
APPROVED = (E.KEEP_DECISION, E.CREATE_SITE, *LEAVES)

CONSENTED: Choice[State, Effect, FilingFacts] = Choice(
    "main_consent",
    Text("主要执业机构须同意且在平台上", "whether the main institution has to agree and is on the platform"),
    asks_the_main_institution,
    {S.WAIT_MAIN: (), S.SUBMITTED: ARRIVES},
)
RETURNED: Choice[State, Effect, FilingFacts] = Choice(
    "origin",
    Text("退回前的状态", "where it came from"),
    where_it_came_from,
    {S.SUBMITTED: (), S.REVIEW: ()},
)


FILING: Final = Machine(
    name="filing",
    initial=S.DRAFT,
    final=FINAL,
    effects=Effect,
    states=STATES,
    acts=ACTS,
    table=(
        # The author's desk.
        Row(
            A.AMEND,
            {S.DRAFT, S.CORRECTION},
            SAME,
            AUTHOR,
            (not_disputed,),
            (E.CHANGE, E.EVALUATE),
            body=("changes",),
        ),
        Row(
            A.PROPOSE,
            {S.DRAFT},
            S.WAIT_PHYSICIAN,
            (INSTITUTION_AUTHOR,),
            (not_disputed, physician_is_known, row_is_sound),
            (E.KEEP_CONFIRMATION,),
            fresh=True,
        ),
        # A physician who files consents by proposing; the institution has still to confirm.
        Row(
            A.PROPOSE,
            {S.DRAFT},
            S.WAIT_INST,
            (PHYSICIAN_AUTHOR,),
            (not_disputed, physician_is_known, row_is_sound, identity_is_confirmed),
            (E.KEEP_CONSENT,),
            fresh=True,
        ),
        Row(
            A.RESUBMIT,
            {S.CORRECTION},
            RETURNED,
            (INSTITUTION_AUTHOR,),
            (not_disputed,),
            (E.RESUME_CLOCK, E.EVALUATE),
        ),
        Row(
            A.RESUBMIT,
            {S.CORRECTION},
            RETURNED,
            (PHYSICIAN_AUTHOR,),
            (not_disputed, identity_is_confirmed),
            (E.KEEP_CONSENT, E.RESUME_CLOCK, E.EVALUATE),
        ),
        Row(A.WITHDRAW, OPEN, S.WITHDRAWN, (*AUTHOR, PHYSICIAN), (), LEAVES),
        # The physician.
        Row(
            A.CONSENT,
            {S.WAIT_PHYSICIAN},
            CONSENTED,
            (PHYSICIAN,),
            (not_disputed, identity_is_confirmed),
            (E.KEEP_CONSENT,),
            (names_the_text_shown,),
            body=("text_sha256",),
            fresh=True,
        ),
        # What was consented to has been amended since: the new text needs its own consent (R124).
        Row(
            A.CONSENT,
            AT_AUTHORITY | {S.CORRECTION},
            SAME,
            (PHYSICIAN,),
            (consent_is_outdated, not_disputed, identity_is_confirmed),
            (E.KEEP_CONSENT, E.EVALUATE),
            (names_the_text_shown,),
            body=("text_sha256",),
        ),
        Row(A.REFUSE_CONSENT, {S.WAIT_PHYSICIAN}, S.WITHDRAWN, (PHYSICIAN,)),
        Row(A.DISPUTE, OPEN, SAME, (PHYSICIAN,), (no_dispute_yet,), (E.MARK_DISPUTED,)),
        # The two institutions.
        Row(
            A.CONFIRM,
            {S.WAIT_INST},
            S.SUBMITTED,
            (TARGET_MANAGER,),
            (is_not_who_filed, not_disputed),
            (E.KEEP_CONFIRMATION, *ARRIVES),
        ),
        # For the physicians of a roster, where the authority accepts it; a batch decision draws its sample from these.
        Row(
            A.ATTEST,
            {S.DRAFT},
            S.SUBMITTED,
            (TARGET_MANAGER,),
            (is_of_a_roster, attestation_is_allowed, is_not_who_filed, not_disputed, physician_is_known, row_is_sound),
            (E.KEEP_ATTESTATION, E.KEEP_CONFIRMATION, *ARRIVES),
        ),
        Row(A.DECLINE, {S.WAIT_INST}, S.WITHDRAWN, (TARGET_MANAGER,)),
        Row(
            A.AGREE,
            {S.WAIT_MAIN},
            S.SUBMITTED,
            (MAIN_MANAGER,),
            (is_not_who_filed, not_disputed),
            (E.KEEP_AGREEMENT, *ARRIVES),
        ),
        Row(A.OBJECT, {S.WAIT_MAIN}, S.WITHDRAWN, (MAIN_MANAGER,)),
        # The authority: whose turn it is.
        Row(A.CLAIM, AT_AUTHORITY, SAME, (OFFICER,), (has_no_conflict, nobody_holds_it), (E.SET_CLAIM,)),
        Row(A.RENEW, AT_AUTHORITY, SAME, (OFFICER,), (holds_the_claim,), (E.SET_CLAIM,)),
        Row(A.RELEASE, AT_AUTHORITY, SAME, (OFFICER,), (holds_the_claim,), (E.CLEAR_CLAIM,)),
        # The authority: completeness.
        Row(
            A.ACCEPT,
            {S.SUBMITTED},
            S.REVIEW,
            (REVIEWER,),
            (holds_the_claim, not_disputed),
            (E.ACCEPT,),
            fresh=True,
        ),
        Row(
            A.ACCEPT,
            {S.SUBMITTED},
            S.REVIEW,
            (SYSTEM,),
            (is_deemed_accepted, not_disputed),
            (E.ACCEPT_FROM_RECEIPT,),
            fresh=True,
        ),
        Row(
            A.NOT_ACCEPT,
            {S.SUBMITTED},
            S.NOT_ACCEPTED,
            (REVIEWER,),
            MAY_DECIDE,
            (E.KEEP_DECISION, *LEAVES),
            reason=True,
        ),
        Row(
            A.RETURN,
            {S.SUBMITTED, S.REVIEW},
            S.CORRECTION,
            (REVIEWER,),
            (holds_the_claim, not_disputed, clock_runs, is_the_first_return),
            (E.KEEP_DECISION, E.KEEP_ORIGIN, E.PAUSE_CLOCK, E.CLEAR_CLAIM),
            reason=True,
        ),
        Row(A.LAPSE, WAITING | {S.CORRECTION}, S.WITHDRAWN, (SYSTEM,), (has_waited_too_long,), LEAVES),
        # The authority: the decision.
        Row(
            A.PAUSE,
            {S.REVIEW, S.SENIOR},
            SAME,
            (OFFICER,),
            (holds_the_claim, clock_runs),
            (E.PAUSE_CLOCK, E.MARK_PAUSED),
            (names_a_lawful_cause,),
            body=("cause",),
        ),
        Row(
            A.RESUME,
            {S.REVIEW, S.SENIOR},
            SAME,
            (OFFICER,),
            (holds_the_claim, clock_is_paused),
            (E.RESUME_CLOCK, E.CLEAR_PAUSED),
        ),
        # The claim is given up, so that a senior can take it.
        Row(
            A.RECOMMEND,
            {S.REVIEW},
            S.SENIOR,
            (REVIEWER,),
            (holds_the_claim,),
            (E.KEEP_DECISION, E.KEEP_RECOMMENDATION, E.CLEAR_CLAIM),
            (proposes_a_decision,),
            body=("decision",),
        ),
        Row(
            A.APPROVE,
            {S.REVIEW},
            S.APPROVED,
            (REVIEWER,),
            (*MAY_APPROVE, no_senior_is_needed),
            APPROVED,
            fresh=True,
        ),
        Row(A.APPROVE, {S.SENIOR}, S.APPROVED, (SENIOR,), MAY_APPROVE, APPROVED, fresh=True),
        Row(
            A.REFUSE,
            {S.SENIOR},
            S.REFUSED,
            (SENIOR,),
            (*MAY_DECIDE, clock_runs),
            (E.KEEP_DECISION, *LEAVES),
            reason=True,
        ),
    ),
)

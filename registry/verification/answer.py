"""What a question is answered: pure, from the facts of one snapshot of the database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TypeVar

from registry.verification.question import Question
from workflows.rules.facts import RegistrationStatus

REGISTER_MAX_AGE_DAYS = 35  # unless the authority has set `register_max_age_days`


class Verdict(StrEnum):
    AUTHORISED = "authorised"
    NOT_AUTHORISED = "not_authorised"
    SUSPENDED = "suspended"
    UNKNOWN = "unknown"
    CANNOT_CONFIRM = "cannot_confirm"


class Reason(StrEnum):
    """Why not; in the order in which they are listed."""

    NO_SITE = "no_site"  # none at the institution, or none at all
    NOT_STARTED = "not_started"
    ENDED = "ended"
    CANCELLED = "cancelled"  # the site or the registration it rests on was taken away
    SCOPE = "scope"
    REGISTRATION_SUSPENDED = "registration_suspended"
    SITE_SUSPENDED = "site_suspended"
    SOURCE_STALE = "source_stale"


_ORDER = tuple(Reason)


class SiteState(StrEnum):
    """The states of a site (lifecycle) and, for one that has not begun, that it has not."""

    NOT_STARTED = "NOT_STARTED"
    EFFECTIVE = "EFFECTIVE"
    SUSPENDED = "SUSPENDED"
    ENDED = "ENDED"
    EXPIRED = "EXPIRED"
    LAPSED = "LAPSED"
    REVOKED = "REVOKED"


@dataclass(frozen=True, slots=True)
class Span:
    """Days from `first` to `last`, both included; None is open."""

    first: date | None
    last: date | None

    def covers(self, day: date) -> bool:
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)

    def begins_after(self, day: date) -> bool:
        return self.first is not None and self.first > day


@dataclass(frozen=True, slots=True)
class Registration:
    """What was recorded of one practice place over a span of days."""

    place: str
    registration_no: str | None  # of the main institution
    institution: str
    level: str
    category: str
    scopes: tuple[str, ...]
    status: RegistrationStatus
    status_from: date | None
    span: Span
    source_at: datetime

    def status_on(self, day: date) -> RegistrationStatus:
        """What holds on a day of the span: a status does not reach back before its own first day.

        It holds until the register says otherwise: a suspension ends by a new assessment or by the authority (医师法 42),
        not by the calendar.
        """
        if self.status_from is not None and day < self.status_from:
            return RegistrationStatus.ACTIVE
        return self.status


@dataclass(frozen=True, slots=True)
class Stretch:
    """What was recorded of one additional site over a span of days."""

    site_id: str
    registration_no: str
    institution: str
    place: str  # of the registration it rests on
    scopes: tuple[str, ...]
    state: SiteState
    span: Span


@dataclass(frozen=True, slots=True)
class Facts:
    """All that was recorded of one physician at one time of knowledge."""

    physician_id: str
    name: str
    name_key: str
    level: str
    registrations: tuple[Registration, ...]
    stretches: tuple[Stretch, ...]
    confirmed: dict[str, datetime]  # place → when a source last said what is recorded now
    max_age_days: int = REGISTER_MAX_AGE_DAYS


@dataclass(frozen=True, slots=True)
class Site:
    """One site as the answer shows it; `reason` is why it does not fit."""

    institution: str
    registration_no: str | None
    scopes: tuple[str, ...]
    span: Span
    state: SiteState
    main: bool
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Physician:
    name: str
    level: str
    category: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    verdict: Verdict
    as_of: datetime
    reasons: tuple[Reason, ...] = ()
    physician: Physician | None = None
    sites: tuple[Site, ...] = ()
    source_age: int | None = None  # seconds
    physician_id: str | None = None  # for the access record alone


def answer(facts: Facts | None, question: Question, now: datetime) -> Answer:
    """The first that holds: unknown, cannot confirm, suspended, authorised, not authorised.

    A suspension of one registration is a suspension of the person: the law suspends a physician's practice, not a place.
    `unknown` says nothing more, so that a wrong name or institution cannot be told from a code that does not exist.
    """
    as_of = question.as_known_on or now
    if facts is None or not _identified(facts, question):
        return Answer(Verdict.UNKNOWN, as_of)
    on = question.on
    age = _source_age(facts, question, now)
    physician = Physician(facts.name, *_level_and_category(facts, on))

    def said(verdict: Verdict, reasons: Iterable[Reason] = (), sites: Iterable[Site] = ()) -> Answer:
        return Answer(verdict, as_of, tuple(reasons), physician, tuple(sites), age, facts.physician_id)

    if question.as_known_on is None and (age is None or age > facts.max_age_days * 86_400):
        return said(Verdict.CANNOT_CONFIRM, [Reason.SOURCE_STALE])
    suspended = any(r.span.covers(on) and r.status_on(on) is RegistrationStatus.SUSPENDED for r in facts.registrations)
    sites = [site for site in _sites(facts, on, suspended) if question.institution in (None, site.registration_no)]
    sites = [_judged(site, question.scope) for site in sites]
    held = [site for site in sites if site.reason is Reason.SITE_SUSPENDED]
    if suspended:
        return said(Verdict.SUSPENDED, [Reason.REGISTRATION_SUSPENDED], held)
    fitting = [site for site in sites if site.reason is None]
    if fitting:
        return said(Verdict.AUTHORISED, sites=fitting)
    if held:
        return said(Verdict.SUSPENDED, [Reason.SITE_SUSPENDED], held)
    reasons = {site.reason for site in sites if site.reason} or {Reason.NO_SITE}
    return said(Verdict.NOT_AUTHORISED, sorted(reasons, key=_ORDER.index), sites)


def _identified(facts: Facts, question: Question) -> bool:
    """Two of two must fit: the code and the name, or the code and an institution where there is or was a site.

    A site that was approved and has not begun is a site: its institution may ask by code alone.
    """
    if question.name_key is not None:
        return question.name_key == facts.name_key
    at = question.institution
    return any(r.registration_no == at for r in facts.registrations) or any(
        s.registration_no == at for s in facts.stretches
    )


def _source_age(facts: Facts, question: Question, now: datetime) -> int | None:
    """Seconds since the source last spoke of the registrations in force: the oldest word, since one alone can hide a
    suspension. Where none is in force, the newest.

    Confirmations are kept for the present only; of the past it is the age of the rows that were known then.
    """
    living = [r for r in facts.registrations if r.span.covers(question.on) and r.status_on(question.on) in _LIVING]
    told = living or facts.registrations
    if question.as_known_on is not None:
        times = [r.source_at for r in told]
    else:
        times = [facts.confirmed[r.place] for r in told if r.place in facts.confirmed]
        if len(times) < len(told):
            return None
    as_of = question.as_known_on or now
    spoken = (min if living else max)(times, default=None)
    return max(0, int((as_of - spoken).total_seconds())) if spoken else None


def _level_and_category(facts: Facts, on: date) -> tuple[str, str | None]:
    """Of the registration in force, else of the last one."""
    current = next((r for r in facts.registrations if r.span.covers(on)), None)
    current = current or (facts.registrations[-1] if facts.registrations else None)
    return (current.level, current.category) if current else (facts.level, None)


_LIVING = (RegistrationStatus.ACTIVE, RegistrationStatus.SUSPENDED)
_REGISTERED_STATE = {
    RegistrationStatus.ACTIVE: SiteState.EFFECTIVE,
    RegistrationStatus.SUSPENDED: SiteState.SUSPENDED,
    RegistrationStatus.CANCELLED: SiteState.LAPSED,
    RegistrationStatus.REVOKED: SiteState.REVOKED,
    RegistrationStatus.WITHDRAWN: SiteState.REVOKED,
}
_STATE_REASON = {
    SiteState.NOT_STARTED: Reason.NOT_STARTED,
    SiteState.SUSPENDED: Reason.SITE_SUSPENDED,
    SiteState.ENDED: Reason.ENDED,
    SiteState.EXPIRED: Reason.ENDED,
    SiteState.LAPSED: Reason.CANCELLED,
    SiteState.REVOKED: Reason.CANCELLED,
}


def _sites(facts: Facts, on: date, suspended: bool) -> Iterator[Site]:
    """Each site once, main ones first, in its state on the day."""
    mains: dict[tuple[str, str], list[Registration]] = {}
    for row in facts.registrations:
        mains.setdefault((row.place, row.registration_no or row.institution), []).append(row)
    for rows in mains.values():
        main = _on(rows, on)
        state = _in_time(_REGISTERED_STATE[main.status_on(on)], main.span, on, over=SiteState.ENDED)
        yield Site(main.institution, main.registration_no, main.scopes, main.span, _held(state, suspended), main=True)

    others: dict[str, list[Stretch]] = {}
    for stretch in facts.stretches:
        others.setdefault(stretch.site_id, []).append(stretch)
    for stretches in others.values():
        site = _on(stretches, on)
        state = _in_time(site.state, site.span, on, over=SiteState.EXPIRED)
        if state in (SiteState.EFFECTIVE, SiteState.SUSPENDED) and not _rests(facts, site.place, on):
            state = SiteState.LAPSED
        yield Site(site.institution, site.registration_no, site.scopes, site.span, _held(state, suspended), main=False)


_Row = TypeVar("_Row", Registration, Stretch)


def _on(rows: list[_Row], on: date) -> _Row:
    """The row of the day; else the last that was over; else the first to come."""
    rows = sorted(rows, key=lambda row: row.span.first or date.min)
    begun = [row for row in rows if not row.span.begins_after(on)]
    return begun[-1] if begun else rows[0]


def _in_time(state: SiteState, span: Span, on: date, *, over: SiteState) -> SiteState:
    if span.begins_after(on):
        return SiteState.NOT_STARTED
    if not span.covers(on) and state in (SiteState.EFFECTIVE, SiteState.SUSPENDED):
        return over
    return state


def _rests(facts: Facts, place: str, on: date) -> bool:
    """Whether the registration that an additional site rests on is still there."""
    return any(r.place == place and r.span.covers(on) and r.status_on(on) in _LIVING for r in facts.registrations)


def _held(state: SiteState, suspended: bool) -> SiteState:
    return SiteState.SUSPENDED if suspended and state is SiteState.EFFECTIVE else state


def _judged(site: Site, scope: str | None) -> Site:
    reason = _STATE_REASON.get(site.state)
    if reason in (None, Reason.SITE_SUSPENDED) and scope is not None and scope not in site.scopes:
        reason = Reason.SCOPE
    return Site(site.institution, site.registration_no, site.scopes, site.span, site.state, site.main, reason)

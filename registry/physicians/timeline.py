"""How a new word of the register changes what is known of a practice place, day by day. Pure.

A place is a row of stretches of days, each with its facts and its standing, open at the end. The register says how things
are now; these functions work out from which day, keep what held before, and name the rows to close and to add.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import NamedTuple

from workflows.rules.facts import RegistrationStatus as Status


class PlaceFacts(NamedTuple):
    """What the register says of a practice place besides its standing."""

    main_registration_no: str | None
    main_name: str
    level: str
    category: str
    scopes: tuple[str, ...]
    registered_on: date | None


class Standing(NamedTuple):
    """The status with its dates as the register writes them, both included; no dates where it gives none."""

    status: Status
    since: date | None = None
    until: date | None = None
    cause: str | None = None


ACTIVE = Standing(Status.ACTIVE)


class Stretch(NamedTuple):
    """Days from `first` up to but not including `end` (None: open) with one truth.

    `id` is the stored row that said it; a part of a row that is cut keeps it. None: it is said now.
    """

    first: date
    end: date | None
    facts: PlaceFacts
    standing: Standing
    id: uuid.UUID | None = None

    def says(self) -> tuple[date, date | None, PlaceFacts, Standing]:
        return self.first, self.end, self.facts, self.standing


def opened(facts: PlaceFacts, standing: Standing, day: date, first_registered: date | None) -> list[Stretch]:
    """The stretches of a place that was not known, told on `day`.

    It holds from its day of registration. A standing without a day says nothing of the days before it was told, so
    nothing is claimed of them.
    """
    begin = facts.registered_on or first_registered or day
    if standing.status is not Status.ACTIVE and standing.since is None:
        begin = day
    stretch = Stretch(begin, None, facts, ACTIVE)
    return [stretch] if standing is ACTIVE else _stand([stretch], standing, day)


def retold(known: Sequence[Stretch], facts: PlaceFacts, standing: Standing, day: date) -> list[Stretch]:
    """The stretches after the register, on `day`, has said something new of a known place (ordered, without gaps).

    Changed facts hold from the new day of registration when it is later than the one of the present facts, else from
    `day`: the register does not say since when. A standing holds from its own day, also when that is past; a standing
    that has become active again holds from the day it gives, from a new registration, or from `day`, and what was
    before stays.
    """
    stretches = list(known)
    present = known[-1].facts
    registered = facts.registered_on
    newly = registered if registered != present.registered_on else None
    if facts != present:
        begun = next((b.first for a, b in reversed(list(pairwise(known))) if a.facts != b.facts), known[0].first)
        stretches = _paint(stretches, newly if newly and newly > begun else day, None, facts=facts)
    if standing.status is Status.ACTIVE and standing.since is None and registered:
        again = newly and newly > known[-1].first  # registered again (医师法 19), perhaps from a day to come
        standing = standing._replace(since=registered if again else max(registered, day))
    return _stand(stretches, standing, day)


def difference(known: Sequence[Stretch], now: Sequence[Stretch]) -> tuple[list[uuid.UUID], list[Stretch]]:
    """The rows to close and the stretches to add; rows that still say the truth are left alone."""
    true, held = {stretch.says() for stretch in now}, {stretch.says() for stretch in known}
    return [s.id for s in known if s.id and s.says() not in true], [s for s in now if s.says() not in held]


def _stand(stretches: list[Stretch], standing: Standing, day: date) -> list[Stretch]:
    if standing.status is Status.ACTIVE:
        return _paint(stretches, standing.since or day, None, standing=ACTIVE)
    since = standing.since or _begun(stretches, standing.status, day) or day
    # Only a suspension runs out by itself; the other three end by a new registration.
    ends = standing.status is Status.SUSPENDED and standing.until is not None
    end = standing.until + timedelta(days=1) if ends and standing.until else None
    stretches = _paint(stretches, since, end, standing=standing)
    return _paint(stretches, end, None, standing=ACTIVE) if end else stretches


def _begun(stretches: list[Stretch], status: Status, day: date) -> date | None:
    """Since when this status has held without a break on `day`, if it does."""
    begun: date | None = None
    for stretch in stretches:
        if stretch.first > day:
            break
        begun = (begun or stretch.first) if stretch.standing.status is status else None
    return begun


def _paint(
    stretches: list[Stretch],
    first: date,
    end: date | None,
    *,
    facts: PlaceFacts | None = None,
    standing: Standing | None = None,
) -> list[Stretch]:
    """The stretches with facts or standing replaced from `first` up to `end`, within the days they cover."""
    painted: list[Stretch] = []
    for stretch in stretches:
        inner_first, inner_end = max(stretch.first, first), _earlier(stretch.end, end)
        if inner_end is not None and inner_first >= inner_end:
            painted.append(stretch)
            continue
        if stretch.first < inner_first:
            painted.append(stretch._replace(end=inner_first))
        painted.append(Stretch(inner_first, inner_end, facts or stretch.facts, standing or stretch.standing))
        if inner_end != stretch.end and inner_end is not None:
            painted.append(stretch._replace(first=inner_end))
    return _joined(painted)


def _earlier(one: date | None, other: date | None) -> date | None:
    return one if other is None else other if one is None else min(one, other)


def _joined(stretches: list[Stretch]) -> list[Stretch]:
    joined: list[Stretch] = []
    for stretch in stretches:
        if joined and joined[-1].facts == stretch.facts and joined[-1].standing == stretch.standing:
            joined[-1] = joined[-1]._replace(end=stretch.end)
        else:
            joined.append(stretch)
    return joined

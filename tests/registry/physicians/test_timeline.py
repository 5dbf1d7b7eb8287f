from __future__ import annotations

import uuid
from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from registry.physicians.timeline import ACTIVE, PlaceFacts, Standing, Stretch, difference, opened, retold
from workflows.rules.facts import RegistrationStatus as Status

BEGUN, TOLD = date(2010, 5, 1), date(2026, 11, 21)
FACTS = PlaceFacts("A", "甲医院", "1", "1", ("11",), BEGUN)

Told = tuple[date, date | None, str, str]


def brief(stretches: list[Stretch]) -> list[tuple[date, date | None, str]]:
    return [(s.first, s.end, s.standing.status.value) for s in stretches]


def kept(stretches: list[Stretch]) -> list[Stretch]:
    """As stored: each with the id of its row."""
    return [s._replace(id=uuid.uuid4()) for s in stretches]


SUSPENDED = Standing(Status.SUSPENDED, date(2026, 9, 2), date(2026, 12, 31))
KNOWN = kept(opened(FACTS, ACTIVE, TOLD, None))


def test_a_new_place_holds_from_its_registration() -> None:
    assert brief(opened(FACTS, ACTIVE, TOLD, None)) == [(BEGUN, None, "ACTIVE")]


def test_without_a_day_of_registration_the_first_one_counts_and_then_the_day_it_was_told() -> None:
    bare = FACTS._replace(registered_on=None)
    assert opened(bare, ACTIVE, TOLD, date(2001, 1, 1))[0].first == date(2001, 1, 1)
    assert opened(bare, ACTIVE, TOLD, None)[0].first == TOLD


def test_a_suspended_place_is_active_before_and_after() -> None:
    assert brief(opened(FACTS, SUSPENDED, TOLD, None)) == [
        (BEGUN, date(2026, 9, 2), "ACTIVE"),
        (date(2026, 9, 2), date(2027, 1, 1), "SUSPENDED"),
        (date(2027, 1, 1), None, "ACTIVE"),
    ]


def test_a_standing_without_a_day_claims_nothing_of_the_days_before() -> None:
    assert brief(opened(FACTS, Standing(Status.CANCELLED), TOLD, None)) == [(TOLD, None, "CANCELLED")]


def test_a_cancellation_has_no_end_whatever_the_extract_says() -> None:
    said = Standing(Status.CANCELLED, date(2026, 5, 5), date(2026, 6, 1))
    assert brief(retold(KNOWN, FACTS, said, TOLD))[-1] == (date(2026, 5, 5), None, "CANCELLED")


def test_a_back_dated_suspension_holds_from_its_day_and_keeps_what_was_before() -> None:
    now = retold(KNOWN, FACTS, SUSPENDED, TOLD)
    assert brief(now)[0] == (BEGUN, date(2026, 9, 2), "ACTIVE")
    gone, come = difference(KNOWN, now)
    assert gone == [KNOWN[0].id]
    assert come == now
    assert [s.id for s in come] == [KNOWN[0].id, None, None]


def test_a_lifted_suspension_ends_on_the_day_it_was_told_and_stays_in_the_past() -> None:
    known = kept(opened(FACTS, SUSPENDED, date(2026, 9, 3), None))
    assert brief(retold(known, FACTS, ACTIVE, TOLD)) == [
        (BEGUN, date(2026, 9, 2), "ACTIVE"),
        (date(2026, 9, 2), TOLD, "SUSPENDED"),
        (TOLD, None, "ACTIVE"),
    ]


def test_a_day_of_restoration_is_believed() -> None:
    known = kept(opened(FACTS, SUSPENDED, date(2026, 9, 3), None))
    restored = Standing(Status.ACTIVE, date(2026, 10, 1))
    assert brief(retold(known, FACTS, restored, TOLD))[1] == (date(2026, 9, 2), date(2026, 10, 1), "SUSPENDED")


def test_a_new_registration_after_a_cancellation_begins_on_its_own_day() -> None:
    known = kept(opened(FACTS, Standing(Status.CANCELLED, date(2020, 1, 1)), date(2020, 1, 2), None))
    again = FACTS._replace(registered_on=date(2026, 10, 8))
    assert brief(retold(known, again, ACTIVE, TOLD)) == [
        (BEGUN, date(2020, 1, 1), "ACTIVE"),
        (date(2020, 1, 1), date(2026, 10, 8), "CANCELLED"),
        (date(2026, 10, 8), None, "ACTIVE"),
    ]


def test_changed_facts_hold_from_the_new_registration_else_from_the_day_they_were_told() -> None:
    moved = FACTS._replace(main_registration_no="B", registered_on=date(2026, 10, 8))
    assert [s.first for s in retold(KNOWN, moved, ACTIVE, TOLD)] == [BEGUN, date(2026, 10, 8)]
    renamed = FACTS._replace(main_name="乙医院")
    assert [s.first for s in retold(KNOWN, renamed, ACTIVE, TOLD)] == [BEGUN, TOLD]


def test_changed_facts_leave_a_suspension_standing() -> None:
    known = kept(opened(FACTS, SUSPENDED, date(2026, 9, 3), None))
    now = retold(known, FACTS._replace(scopes=("11", "12")), SUSPENDED, TOLD)
    assert [(s.standing.status.value, s.facts.scopes) for s in now] == [
        ("ACTIVE", ("11",)),
        ("SUSPENDED", ("11",)),
        ("SUSPENDED", ("11", "12")),
        ("ACTIVE", ("11", "12")),
    ]


def test_a_status_told_again_without_its_day_keeps_the_day_it_has() -> None:
    known = kept(opened(FACTS, Standing(Status.SUSPENDED, date(2026, 9, 2)), date(2026, 9, 3), None))
    again = retold(known, FACTS, Standing(Status.SUSPENDED, cause="新原因"), TOLD)
    assert brief(again) == [(BEGUN, date(2026, 9, 2), "ACTIVE"), (date(2026, 9, 2), None, "SUSPENDED")]


def test_what_says_nothing_new_changes_no_row() -> None:
    for standing in (ACTIVE, SUSPENDED):
        known = kept(opened(FACTS, standing, TOLD, None))
        assert difference(known, retold(known, FACTS, standing, TOLD)) == ([], [])


days = st.dates(min_value=date(2009, 1, 1), max_value=date(2028, 12, 31))
standings = st.builds(
    lambda status, since, length: Standing(
        status, since, since + timedelta(days=length) if since and length and status is Status.SUSPENDED else None
    ),
    st.sampled_from(Status),
    st.none() | days,
    st.none() | st.integers(min_value=0, max_value=900),
)
facts = st.builds(
    lambda name, registered: FACTS._replace(main_registration_no=name, registered_on=registered),
    st.sampled_from("AB"),
    st.none() | days,
)


@given(st.lists(st.tuples(facts, standings, days), min_size=1, max_size=6))
def test_days_are_covered_once_without_gaps_whatever_is_told(told: list[tuple[PlaceFacts, Standing, date]]) -> None:
    told.sort(key=lambda t: t[2])
    (first_facts, first_standing, first_day), *later = told
    stretches = kept(opened(first_facts, first_standing, first_day, None))
    for said, standing, day in later:
        stretches = kept(retold(stretches, said, standing, day))
        assert stretches[-1].end is None
        assert all(s.end is None or s.first < s.end for s in stretches)
        assert all(a.end == b.first for a, b in pairwise(stretches))
        assert difference(stretches, retold(stretches, said, standing, day)) == ([], [])

"""Working days, limits and the ledger."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workflows.calendars import CALENDAR
from workflows.clock import (
    DECISION_REG,
    LAPSE_DAYS,
    ClockReading,
    Entry,
    EntryKind,
    Kind,
    Limit,
    NoCalendar,
    Unit,
    add_working_days,
    completeness_limit,
    decision_limit,
    due,
    end_of,
    lapse_day,
    limits,
    reading,
    running,
    working_days,
)
from workflows.codes import LICENCES, FilingType
from workflows.filing import State

ADD_REG, SITE_FILE = FilingType.ADD_REG, FilingType.SITE_FILE
RECEIVED = date(2026, 9, 18)
DAYS = st.dates(date(2024, 1, 1), date(2026, 6, 30))
COUNTS = st.integers(0, 30)


def start(day: date, limit: str = DECISION_REG) -> Entry:
    return Entry(EntryKind.START, day, "accept", limit)


def pause(day: date) -> Entry:
    return Entry(EntryKind.PAUSE, day, "hearing")


def resume(day: date) -> Entry:
    return Entry(EntryKind.RESUME, day, "resume")


def stop(day: date) -> Entry:
    return Entry(EntryKind.STOP, day, "approve")


def read(*ledger: Entry, today: date = RECEIVED) -> ClockReading:
    return due(ledger, decision_limit(ADD_REG), CALENDAR, today)


@pytest.mark.parametrize(
    ("begin", "days", "end"),
    [
        ("2026-09-21", 5, "2026-09-29"),
        ("2026-09-18", 20, "2026-10-22"),
        ("2026-02-06", 20, "2026-03-12"),
        ("2026-02-13", 5, "2026-02-27"),
        ("2026-04-30", 5, "2026-05-11"),
        ("2026-01-02", 5, "2026-01-08"),
        ("2025-09-26", 20, "2025-10-30"),
    ],
)
def test_working_days_skip_holidays_and_count_make_up_days(begin: str, days: int, end: str) -> None:
    assert add_working_days(date.fromisoformat(begin), days, CALENDAR) == date.fromisoformat(end)


def test_a_local_holiday_is_skipped_where_it_is_kept() -> None:
    local = replace(CALENDAR, overlay={date(2026, 4, 20): False})
    assert add_working_days(date(2026, 4, 17), 5, local) == date(2026, 4, 27)
    assert add_working_days(date(2026, 4, 17), 5, CALENDAR) == date(2026, 4, 24)


def test_a_local_day_goes_before_the_national_one() -> None:
    local = replace(CALENDAR, overlay={date(2026, 10, 1): True})
    assert local.is_working(date(2026, 10, 1))
    assert not CALENDAR.is_working(date(2026, 10, 1))


@pytest.mark.parametrize(("year", "days"), [(2024, 251), (2025, 248), (2026, 248)])
def test_a_year_has_as_many_working_days_as_its_notice_says(year: int, days: int) -> None:
    assert working_days(date(year - 1, 12, 31), date(year, 12, 31), CALENDAR) == days


def test_a_missing_year_is_not_guessed() -> None:
    with pytest.raises(NoCalendar) as missing:
        add_working_days(date(2026, 12, 28), 5, CALENDAR)
    assert missing.value.year == 2027
    with pytest.raises(NoCalendar):
        CALENDAR.is_working(date(2023, 5, 5))


@given(DAYS, COUNTS, COUNTS)
def test_adding_days_in_two_steps_is_adding_them_at_once(begin: date, n: int, m: int) -> None:
    step = add_working_days(begin, n, CALENDAR)
    assert add_working_days(step, m, CALENDAR) == add_working_days(begin, n + m, CALENDAR)


@given(DAYS, COUNTS)
def test_as_many_working_days_lie_between_as_were_added(begin: date, n: int) -> None:
    end = add_working_days(begin, n, CALENDAR)
    assert working_days(begin, end, CALENDAR) == n
    assert working_days(end, begin, CALENDAR) == -n
    assert n == 0 or CALENDAR.is_working(end)


@given(DAYS, st.lists(st.integers(0, 20), min_size=2, max_size=8))
def test_a_pause_never_brings_a_due_date_forward(begin: date, gaps: list[int]) -> None:
    ledger, day, known = [start(begin)], begin, read(start(begin), today=begin).due
    for n, gap in enumerate(gaps):
        day += timedelta(days=gap)
        ledger.append(resume(day) if n % 2 else pause(day))
        if n % 2:
            later = read(*ledger, today=day).due
            assert known
            assert later
            assert later >= known
            known = later


@given(DAYS, COUNTS, COUNTS)
def test_a_pause_costs_exactly_the_working_days_it_lasts(begin: date, before: int, lasts: int) -> None:
    paused = begin + timedelta(days=before % 20)
    resumed = paused + timedelta(days=lasts)
    plain, pushed = read(start(begin)).due, read(start(begin), pause(paused), resume(resumed), today=resumed).due
    assert plain
    assert pushed
    assert working_days(plain, pushed, CALENDAR) == working_days(paused, resumed, CALENDAR)


def test_the_day_of_receipt_is_not_counted_and_the_last_day_is_whole() -> None:
    ledger = start(date(2026, 9, 20))
    first, last = read(ledger, today=date(2026, 9, 20)), read(ledger, today=date(2026, 10, 23))
    assert (first.due, first.days_left, first.overdue) == (date(2026, 10, 23), 20, False)
    assert (last.days_left, last.overdue) == (0, False)
    late = read(ledger, today=date(2026, 10, 26))
    assert (late.days_left, late.overdue) == (-1, True)
    assert end_of(date(2026, 10, 23)) == datetime(2026, 10, 23, 16, tzinfo=UTC)


def test_a_weekend_after_the_last_day_is_overdue_without_a_working_day_gone() -> None:
    late = read(start(date(2026, 9, 20)), today=date(2026, 10, 24))
    assert (late.days_left, late.overdue) == (0, True)


def test_while_paused_the_days_left_stand_still() -> None:
    ledger = (start(date(2026, 9, 21)), pause(date(2026, 9, 23)))
    readings = [read(*ledger, today=date(2026, 9, 23) + timedelta(days=n)) for n in range(40)]
    assert {r.days_left for r in readings} == {18}
    assert all(r.paused and not r.overdue for r in readings)


def test_a_second_pause_in_a_pause_does_not_shorten_it() -> None:
    begin = date(2026, 3, 2)
    twice = read(start(begin), pause(date(2026, 3, 4)), pause(date(2026, 3, 9)), resume(date(2026, 3, 11)))
    assert twice.due == read(start(begin), pause(date(2026, 3, 4)), resume(date(2026, 3, 11))).due


def test_a_pause_does_not_heal_what_was_overdue() -> None:
    begin, end = date(2026, 3, 2), date(2026, 3, 30)
    assert read(start(begin)).due == end
    late = read(start(begin), pause(date(2026, 4, 1)), resume(date(2026, 4, 30)), today=date(2026, 5, 6))
    assert (late.due, late.overdue) == (end, True)


def test_a_stopped_clock_tells_whether_it_was_in_time_and_counts_no_more() -> None:
    begin = date(2026, 9, 20)
    done = read(start(begin), stop(date(2026, 10, 9)), today=date(2026, 12, 1))
    assert (done.due, done.days_left, done.overdue, done.paused) == (date(2026, 10, 23), None, False, False)
    assert read(start(begin), stop(date(2026, 10, 24)), today=date(2026, 10, 24)).overdue
    assert not read(start(begin), pause(date(2026, 9, 22)), stop(date(2026, 9, 30)), today=date(2026, 12, 1)).paused


def test_without_the_calendar_nothing_is_promised_and_nothing_fails() -> None:
    late = read(start(date(2026, 12, 21)), pause(date(2026, 12, 22)), today=date(2026, 12, 23))
    assert (late.kind, late.due, late.days_left, late.paused) == (Kind.NO_CALENDAR, None, None, True)
    assert [line.what for line in late.ledger] == ["start", "pause"]


def test_the_ledger_explains_the_sum() -> None:
    lines = read(start(RECEIVED)).ledger
    assert [(line.day.isoformat(), line.what) for line in lines] == [
        ("2026-09-18", "start"),
        ("2026-09-20", "make_up"),
        ("2026-09-25", "holiday"),
        *((f"2026-10-0{day}", "holiday") for day in (1, 2, 5, 6, 7)),
        ("2026-10-10", "make_up"),
        ("2026-10-22", "due"),
    ]
    assert lines[0].shown() == {"day": "2026-09-18", "what": "start", "cause": "accept"}
    assert lines[-1].cause == "医师法 13, 16"


def test_a_licence_has_statutory_limits_and_a_filing_has_promises() -> None:
    for type_ in FilingType:
        kinds = {limit.kind for limit in limits(type_)}
        assert kinds == ({Kind.STATUTORY} if type_ in LICENCES else {Kind.PROMISED})
    assert [limit.value for limit in limits(ADD_REG)] == [5, 20]
    assert [limit.value for limit in limits(SITE_FILE)] == [5, 5]
    assert decision_limit(SITE_FILE, 8).value == 8
    assert decision_limit(ADD_REG, 8).value == 20


def test_the_limit_that_started_last_is_the_one_that_is_read() -> None:
    first, second = limits(ADD_REG)
    ledger = [start(RECEIVED, first.id), stop(date(2026, 9, 22)), start(date(2026, 9, 22), second.id)]
    assert reading(ledger[:1], (first, second), CALENDAR, RECEIVED).limit == first.id
    assert reading(ledger, (first, second), CALENDAR, RECEIVED).limit == second.id
    assert (running(ledger[:1]), running(ledger[:2]), running(ledger), running([])) == (
        first.id,
        None,
        second.id,
        None,
    )


def test_a_pause_of_one_limit_does_not_push_another() -> None:
    first, second = limits(ADD_REG)
    ledger = [start(date(2026, 3, 2), first.id), pause(date(2026, 3, 3)), resume(date(2026, 3, 10))]
    ledger += [stop(date(2026, 3, 11)), start(date(2026, 3, 11), second.id)]
    plain = due([start(date(2026, 3, 11), second.id)], second, CALENDAR, date(2026, 3, 11)).due
    assert due(ledger, second, CALENDAR, date(2026, 3, 11)).due == plain


def test_deemed_acceptance_counts_the_decision_from_receipt() -> None:
    """The start entry carries the day of receipt though it is written after the completeness limit was stopped."""
    first, second = limits(ADD_REG)
    ledger = [start(RECEIVED, first.id), stop(date(2026, 9, 28)), start(RECEIVED, second.id)]
    assert reading(ledger, (first, second), CALENDAR, date(2026, 9, 28)).due == date(2026, 10, 22)


def test_before_anything_started_there_is_no_limit() -> None:
    assert reading([], limits(ADD_REG), CALENDAR, RECEIVED) == ClockReading(Kind.NONE)
    assert due([], completeness_limit(ADD_REG), CALENDAR, RECEIVED).kind is Kind.NONE


def test_calendar_days_count_every_day() -> None:
    limit = Limit("INST_LEAVE_NOTICE", 30, Kind.STATUTORY, "Order 13", Unit.CALENDAR_DAY)
    got = due([start(date(2026, 12, 20), limit.id)], limit, CALENDAR, date(2026, 12, 30))
    assert (got.due, got.days_left) == (date(2027, 1, 19), 20)


def test_only_what_waits_for_somebody_outside_lapses() -> None:
    assert set(LAPSE_DAYS) == {State.WAIT_PHYSICIAN, State.WAIT_INST, State.WAIT_MAIN, State.CORRECTION}
    assert lapse_day(date(2026, 11, 21), State.CORRECTION) == date(2026, 12, 21)
    assert lapse_day(date(2026, 11, 21), State.WAIT_MAIN, {State.WAIT_MAIN: 7}) == date(2026, 11, 28)
    assert lapse_day(date(2026, 11, 21), State.REVIEW) is None

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.tabular import parse_date

DAYS = st.dates(min_value=date(1911, 1, 1), max_value=date(2098, 12, 31))


@given(DAYS)
def test_every_form_names_the_same_day(day: date) -> None:
    forms = (
        day.isoformat(),
        f"{day.year}/{day.month}/{day.day}",
        f"{day.year}.{day.month:02}.{day.day:02}",
        f"{day.year}年{day.month}月{day.day}日",
        f"{day.year} 年 {day.month} 月 {day.day} 日",
        f"{day:%Y%m%d}",
        f"{day.isoformat()} 00:00:00",
        f" {day.isoformat()}　",
        day.isoformat().translate(str.maketrans("0123456789-", "０１２３４５６７８９－")),
        str((day - date(1899, 12, 30)) // timedelta(days=1)),
    )
    assert {parse_date(form) for form in forms} == {day}


@pytest.mark.parametrize(
    "text",
    ["", "2026-13-01", "2026-02-30", "21/11/2026", "26-11-21", "11-21", "2026-11/21", "20261131", "2026-11-21 09:30",
     "明天", "0", "99999", "2026", "٢٠٢٦-١١-٢١"],
)  # fmt: skip
def test_what_is_no_day_or_two_days_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_date(text)

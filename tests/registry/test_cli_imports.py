from __future__ import annotations

from registry.cli.imports import progress


def test_the_bar_tells_share_rows_rate_and_time_left() -> None:
    assert progress(120_000, 0.4, 20) == f"[{'#' * 12}{' ' * 18}]  40% 120,000 rows, 6,000/s, 0:30 left"
    assert progress(300_000, 1, 61) == f"[{'#' * 30}] 100% 300,000 rows, 4,918/s, 0:00 left"


def test_before_anything_is_known_no_rate_is_claimed() -> None:
    assert progress(0, 0, 0) == f"[{' ' * 30}]   0% 0 rows"

"""Ids tell the order in which rows were made."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from registry.database import new_id


def test_ids_of_one_process_follow_one_another_strictly() -> None:
    made = [new_id() for _ in range(10_000)]
    assert made == sorted(set(made))
    assert {(id_.version, id_.variant) for id_ in made} == {(7, made[0].variant)}


def test_ids_made_in_threads_are_never_the_same() -> None:
    with ThreadPoolExecutor(8) as threads:
        made = [id_ for some in threads.map(lambda _: [new_id() for _ in range(1_000)], range(8)) for id_ in some]
    assert len(set(made)) == 8_000

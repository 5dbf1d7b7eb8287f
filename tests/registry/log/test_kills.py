"""kill -9 of the sequencer at every step, over and over, while events come in (reliability: a durable log loses nothing)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from registry.log.checkpoint import Checkpoint
from tests.registry.log.conftest import Book
from tests.registry.log.test_sequencer import POINTS, ROOT, ensure_whole

SEQUENCE = """
from registry.log.sequencer import Sequencer
from registry.node import open_node

with open_node() as node, Sequencer(node) as sequencer:
    sequencer.step()
"""


def killed_at(book: Book, point: str) -> None:
    """A process of its own, dead at this point."""
    settings, database = book.node.settings, book.node.database
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("REGISTRY_")},
        "PYTHONPATH": str(ROOT),
        "REGISTRY_ENV": "demo",
        "REGISTRY_DATABASE_URL": database.app_url,
        "REGISTRY_DATA_DIR": str(settings.data_dir),
        "REGISTRY_KEY_DIR": str(settings.keys),
        "REGISTRY_FAULT": f"{point}:kill",
    }
    ended = subprocess.run([sys.executable, "-c", SEQUENCE], env=environment, cwd=settings.data_dir, check=False)
    assert ended.returncode == -signal.SIGKILL


def kill_all_over(book: Book, times: int) -> None:
    promised: list[Checkpoint] = []
    for number in range(times):
        book.write(1 + number * 37 % 300)
        killed_at(book, POINTS[number % len(POINTS)])
        if (note := book.mirror.checkpoint()) is not None:
            promised.append(Checkpoint.of(note.ensure_by(book.key)))
    book.sequence()
    ensure_whole(book, [*promised, book.checkpoint])
    roots: dict[int, set[bytes]] = {}
    for checkpoint in promised:
        roots.setdefault(checkpoint.size, set()).add(checkpoint.root)
    assert all(len(found) == 1 for found in roots.values())


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_a_killed_sequencer_loses_nothing(book: Book, tmp_path: Path) -> None:
    kill_all_over(book, 3)


@pytest.mark.soak
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_two_hundred_kills_lose_nothing(book: Book, tmp_path: Path) -> None:
    kill_all_over(book, 200)

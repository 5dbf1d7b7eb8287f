"""The cells of a stored row: sealed on their way in, opened only to be judged or given back to their hospital."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from typing import NamedTuple

from registry.sealed import Seal


class Cells(NamedTuple):
    """`cells` as they were written; `rounded` are the headings whose digits a spreadsheet has lost."""

    cells: list[str]
    rounded: list[str]


def sealed_cells(seal: Seal, roster: uuid.UUID, row: int, cells: Sequence[str], rounded: Sequence[str]) -> bytes:
    return seal.seal("roster_row.cells", f"{roster}/{row}", json.dumps([cells, rounded]))


def opened_cells(seal: Seal, roster: uuid.UUID, row: int, sealed: bytes) -> Cells:
    """Raises `registry.sealed.SealBroken`."""
    return Cells(*json.loads(seal.open("roster_row.cells", f"{roster}/{row}", sealed)))

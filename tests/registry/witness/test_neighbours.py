"""The file that names our witnesses, and how many of them are a quorum."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry.log.note import COSIGNATURE, ED25519, verifier_key
from registry.settings import SettingsError
from registry.witness.asking import Neighbour, majority, read_neighbours
from tests.registry.witness.conftest import key

CO = verifier_key("witness.example", key(1), COSIGNATURE)


def written(folder: Path, text: str) -> Path:
    path = folder / "witnesses"
    path.write_text(text, "utf-8")
    return path


def test_a_line_names_a_witness(tmp_path: Path) -> None:
    path = written(tmp_path, f"# ours\n\nguangdong https://witness.example/w/ {CO}  # since May\n")
    assert read_neighbours(path) == (Neighbour("guangdong", "https://witness.example/w", CO),)


@pytest.mark.parametrize(
    "line",
    [
        "guangdong https://witness.example",
        f"guangdong ftp://witness.example {CO}",
        f"guangdong https:// {CO}",
        "guangdong https://witness.example not+a+key",
        f"guangdong https://witness.example {verifier_key('witness.example', key(1), ED25519)}",  # a log's key
        f"a https://one.example {CO}\na https://two.example {CO}",
    ],
)
def test_anything_else_is_one_clear_error(tmp_path: Path, line: str) -> None:
    with pytest.raises(SettingsError, match=r"REGISTRY_LOG_WITNESSES: line \d"):
        read_neighbours(written(tmp_path, line))


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        read_neighbours(tmp_path / "none")


def test_two_quorums_share_a_witness() -> None:
    for count in range(1, 9):
        assert count < 2 * majority(count) <= count + 2

"""A file as rows under known headings, whatever its format: what imports and rosters read."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from registry.tabular.cells import plain_cell
from registry.tabular.errors import Unreadable, unreadable
from registry.tabular.fenced import Fenced
from registry.tabular.sandbox import ROUNDED
from registry.tabular.workbook import inspect

_ABOVE = 30  # lines in which the headings are looked for: titles and notes may stand above them
_ROUNDED_TEXT = re.compile(r"\d(?:\.\d+)?[Ee]\+?(?:1[5-9]|2\d)")  # 4.40106E+17: what a spreadsheet leaves in a CSV


@dataclass(frozen=True)
class Heading:
    """A column that is looked for, by its name or one of its other names."""

    name: str
    required: bool = True
    aliases: tuple[str, ...] = ()
    digits: bool = False  # a long number that must be text: a spreadsheet keeps fifteen digits and drops the rest


class Row(NamedTuple):
    """One row: its line in the file (of a sheet: its row), the cells as written, and the values by heading.

    A heading that the file does not have gives an empty value. `rounded` names the headings whose digits are lost.
    """

    line: int
    cells: list[str]
    values: dict[str, str]
    rounded: tuple[str, ...]


class Table:
    """An opened file. Iterate it once; close it, or use it as a context."""

    def __init__(self, lines: Fenced, headings: Sequence[Heading]) -> None:
        self._lines = lines
        stream = iter(lines)
        above = [line for _, line in zip(range(_ABOVE), stream, strict=False)]
        known = _known(headings)
        at = max(range(len(above)), key=lambda n: len(_named(above[n][1], known)), default=0)
        found = _named(above[at][1], known) if above else []
        if not found:
            raise _without_headings(lines, headings)
        _check(found, headings)
        self.columns: tuple[str, ...] = tuple(cell.strip() for cell in above[at][1])
        self.ignored: tuple[str, ...] = tuple(
            name for n, name in enumerate(self.columns) if name and n not in {index for _, index in found}
        )
        self.places: dict[str, int] = dict(found)  # heading → index of its column
        self._found = found
        self._absent = dict.fromkeys({h.name for h in headings} - {name for name, _ in found}, "")
        self._digits = tuple(h.name for h in headings if h.digits and h.name not in self._absent)
        self._rest = chain(above[at + 1 :], stream)

    def __iter__(self) -> Iterator[Row]:
        """Rows that are not blank. Raises `Unreadable` where the file breaks off."""
        width = max(index for _, index in self._found) + 1
        for line, cells in self._rest:
            if not any(cells) or not any(map(str.strip, cells)):
                continue
            if len(cells) < width:
                cells.extend([""] * (width - len(cells)))
            values = values_at(cells, self.places)
            rounded = tuple(name for name in self._digits if _is_rounded(values[name]))
            yield Row(line, cells, values | self._absent if self._absent else values, rounded)

    def share(self) -> float:
        """How much of the file has been read, from 0 to 1."""
        return self._lines.share()

    def close(self) -> None:
        self._lines.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def values_at(cells: Sequence[str], places: Mapping[str, int]) -> dict[str, str]:
    """The values of a row by heading, with the marks gone that keep spreadsheets from running them."""
    return {name: _value(cells[index]) for name, index in places.items()}


def _value(cell: str) -> str:
    if "'" not in cell:
        return cell.strip()
    plain = plain_cell(cell)
    return plain.strip() if plain != cell else plain_cell(cell.strip()).strip()


def open_table(path: Path, headings: Sequence[Heading]) -> Table:
    """The table in a CSV, TSV or XLSX file, told by its content and not its name.

    Raises `Unreadable` (no such file, not a table, headings missing, a workbook that is unsafe to open), each with the
    remedy; nothing of the file is trusted before that.
    """
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except OSError as error:
        raise unreadable(
            "no_file",
            "无法打开文件 {name}：{why}。请检查路径和权限。",
            "Cannot open {name}: {why}; check the path and its permissions.",
            name=path.name,
            why=error.strerror or type(error).__name__,
        ) from None
    if not start:
        raise unreadable("empty", "文件 {name} 是空的。", "{name} is empty.", name=path.name)
    sheet = start.startswith((b"PK", b"\xd0\xcf\x11\xe0"))
    if sheet:
        inspect(path)
    lines = Fenced(path, "sheet" if sheet else "text", _known(headings))
    try:
        return Table(lines, headings)
    except Unreadable:
        lines.close()
        raise


def _is_rounded(text: str) -> bool:
    return text == ROUNDED or (not text.isdigit() and _ROUNDED_TEXT.fullmatch(text) is not None)


def _plain(heading: str) -> str:
    """A heading without what forms add to it: blanks, line breaks, the star of a required field."""
    return "".join(unicodedata.normalize("NFKC", heading).replace("\ufeff", "").split()).strip("*")


def _known(headings: Sequence[Heading]) -> dict[str, str]:
    return {_plain(name): heading.name for heading in headings for name in (heading.name, *heading.aliases)}


def _named(cells: list[str], known: dict[str, str]) -> list[tuple[str, int]]:
    return [(known[plain], index) for index, cell in enumerate(cells) if (plain := _plain(cell)) in known]


def _check(found: list[tuple[str, int]], headings: Sequence[Heading]) -> None:
    names = [name for name, _ in found]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise unreadable(
            "heading_twice",
            "表头中“{names}”出现了不止一次。请只保留一列。",
            "The heading {names} appears more than once; keep one column.",
            names="、".join(twice),
        )
    if missing := [h.name for h in headings if h.required and h.name not in names]:
        raise unreadable(
            "missing_headings",
            "表头缺少：{names}。请补上这些列后重新导入。",
            "Missing headings: {names}; add these columns and import again.",
            names="、".join(missing),
        )


def _without_headings(lines: Fenced, headings: Sequence[Heading]) -> Unreadable:
    wanted = "、".join(h.name for h in headings if h.required)
    if lines.name:
        return unreadable(
            "missing_headings",
            "工作表“{sheet}”的前 {above} 行没有找到表头。需要：{wanted}。",
            "No headings in the first {above} rows of the sheet “{sheet}”. Needed: {wanted}.",
            sheet=lines.name,
            above=_ABOVE,
            wanted=wanted,
        )
    return unreadable(
        "missing_headings",
        "前 {above} 行没有找到表头。需要：{wanted}。",
        "No headings in the first {above} lines. Needed: {wanted}.",
        above=_ABOVE,
        wanted=wanted,
    )

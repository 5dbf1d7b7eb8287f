"""A file as lines of cells, read by a process of its own, fenced in (registry/tabular/sandbox.py).

Native readers abort on hostile sheets, and any reader can be made to grow or to turn for ever; so none runs in a process
that serves or works. The program gets the open file, limits on memory and time and no network, and gives back CSV.
"""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

from registry.tabular.errors import Unreadable, unreadable
from registry.tabular.sandbox import END, FAULT

_SANDBOX = Path(__file__).with_name("sandbox.py")

# What the program may answer: code of ours, Chinese, English.
_FAULTS = {
    "not_a_table": (
        "not_a_table",
        "文件不是 CSV、TSV 或 XLSX 表格。请从电子表格另存为其中一种。",
        "The file is not a CSV, TSV or XLSX table; save it as one of these.",
    ),
    "other_than_marked": (
        "encoding",
        "文件标明为 {encoding}，但第 {at} 个字节不合该编码。请重新导出文件。",
        "The file says it is {encoding}, but byte {at} is not; export the file again.",
    ),
    "encoding": (
        "encoding",
        "文件既不是 UTF-8，也不是 UTF-16 或 GB 18030（第 {at} 个字节起）。请另存为 UTF-8 编码的 CSV。",
        "The file is neither UTF-8 nor UTF-16 nor GB 18030 (from byte {at}); save it as CSV in UTF-8.",
    ),
    "broken_line": (
        "broken_line",
        "第 {line} 行无法读取：引号未成对，或单元格过长。请更正后重新导入。",
        "Line {line} cannot be read: an unpaired quotation mark or an over-long cell; correct it and import again.",
    ),
    "long_row": (
        "broken_line",
        "第 {line} 行无法读取：单元格过长。请更正后重新导入。",
        "Line {line} cannot be read: a cell is too long; correct it and import again.",
    ),
    "too_wide": (
        "sparse",
        "第 {line} 行超过 {limit} 列。请删除表格右侧的空列后重新保存。",
        "Line {line} has more than {limit} columns; delete the empty columns on the right and save.",
    ),
}
# What it comes to when the program ended without a word.
_BROKEN = {
    "sheet": (
        "workbook_unreadable",
        "工作簿无法读取：已损坏、单元格分布过于稀疏，或超出内存和时间限制。请把表格复制到新的工作簿，或另存为 CSV（UTF-8）。",
        (
            "The workbook cannot be read: damaged, its cells too far apart, or beyond the limits of memory and time; "
            "copy the table into a new workbook, or save it as CSV (UTF-8)."
        ),
    ),
    "text": (
        "file_unreadable",
        "文件无法读取：某一行过长，或超出内存和时间限制。请拆分后分别上传。",
        "The file cannot be read: a line without end, or beyond the limits of memory and time; split it.",
    ),
}


class Fenced:
    """An opened file, `kind` sheet or text. Iterating gives (line of the file from 1, cells)."""

    def __init__(self, path: Path, kind: str, known: Collection[str]) -> None:
        """`known` are the headings looked for: they tell a text's delimiter. Raises `Unreadable`."""
        self._kind, self._line = kind, 0
        # The program reads by this very descriptor: where it stands is how far it has come.
        self._file = path.open("rb")
        self._size = os.fstat(self._file.fileno()).st_size
        self._reader = subprocess.Popen(  # noqa: S603  (our own program)
            [sys.executable, "-I", str(_SANDBOX), kind, json.dumps(sorted(known))],
            stdin=self._file,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={},
        )
        assert self._reader.stdout is not None
        self._text = io.TextIOWrapper(self._reader.stdout, encoding="utf-8", newline="")
        self._cells = csv.reader(self._text)
        opening = next(self._cells, None)
        if opening is None or opening[-1] == FAULT:
            self.close()
            raise self._fault(opening)
        self.name, self._rows = opening[0] or None, int(opening[1])

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        for cells in self._cells:
            last = cells.pop()
            if not last.isdigit():
                if last == END:
                    return
                raise self._fault([*cells, last])
            self._line = int(last)
            yield self._line, cells
        # Rows missing at the end would look like a shorter file: the end must have been said.
        raise self._fault(None)

    def share(self) -> float:
        """How much has been read, from 0 to 1."""
        if self._kind == "sheet":
            return self._line / self._rows if self._rows else 1.0
        return os.lseek(self._file.fileno(), 0, os.SEEK_CUR) / self._size if not self._file.closed else 1.0

    def close(self) -> None:
        self._reader.kill()
        self._reader.wait()
        self._text.close()
        self._file.close()

    def _fault(self, told: list[str] | None) -> Unreadable:
        if told is None:
            return unreadable(*_BROKEN[self._kind])
        return unreadable(*_FAULTS[told[0]], **json.loads(told[1]))

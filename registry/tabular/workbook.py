"""XLSX as lines of cells. The parent looks at the archive only; a process of its own, fenced in, reads the sheet.

The reader is native code that aborts on hostile sheets and can grow to any size, so it never runs in a process that
serves or imports: it gets the open file and limits on memory and time, and gives back CSV (registry/tabular/sandbox.py).
"""

from __future__ import annotations

import csv
import io
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

from registry.tabular.errors import Unreadable, unreadable
from registry.tabular.sandbox import ROUNDED

__all__ = ["ROUNDED", "Workbook"]

_SANDBOX = Path(__file__).with_name("sandbox.py")
_PARTS = 2000
_UNPACKED = 2 << 30
_RATIO = 200  # a sheet of real rows packs 10 to 40 times
_RATIO_FROM = 16 << 20  # below this a high ratio does no harm
_COLUMNS = 1000
_PROLOGUE = 1 << 16
_ROOT = re.compile(rb"<[A-Za-z_]")
_DIMENSION = re.compile(rb'<(?:\w+:)?dimension\s[^>]*ref="[A-Z]+\d+:([A-Z]+)\d+"')
_MACROS = re.compile(r"vbaProject|macrosheets/|activeX/|embeddings/", re.IGNORECASE)


class Workbook:
    """An opened XLSX: the first visible sheet that is not empty. Iterating gives (row of the sheet from 1, cells)."""

    def __init__(self, path: Path) -> None:
        """Raises `Unreadable` before anything of the sheet is read."""
        _inspect(path)
        with path.open("rb") as file:
            self._reader = subprocess.Popen(  # noqa: S603  (our own program)
                [sys.executable, "-I", str(_SANDBOX)],
                stdin=file,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={},
            )
        assert self._reader.stdout is not None
        self._text = io.TextIOWrapper(self._reader.stdout, encoding="utf-8", newline="")
        self._cells = csv.reader(self._text)
        opening = next(self._cells, None)
        if opening is None:
            self.close()
            raise self._broken()
        self.name: str | None = opening[0]
        self._rows, self._line = int(opening[1]), 0

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        for line, cells in enumerate(self._cells, 1):
            self._line = line
            yield line, cells
        # Rows missing at the end would look like a shorter file: the count said at the start must be met.
        if self._reader.wait() != 0 or self._line != self._rows:
            raise self._broken()

    def share(self) -> float:
        return self._line / self._rows if self._rows else 1.0

    def close(self) -> None:
        self._reader.kill()
        self._reader.wait()
        self._text.close()

    def _broken(self) -> Unreadable:
        return unreadable(
            "workbook_unreadable",
            "工作簿无法读取：已损坏、单元格分布过于稀疏，或超出内存和时间限制。请把表格复制到新的工作簿，或另存为 CSV（UTF-8）。",
            "The workbook cannot be read: damaged, its cells too far apart, or beyond the limits of memory and time; "
            "copy the table into a new workbook, or save it as CSV (UTF-8).",
        )


def _inspect(path: Path) -> None:
    """Refuse what no sheet of rows needs: bombs, macros, document types, paths that lead out of the archive."""
    with path.open("rb") as file:
        if file.read(2) != b"PK":
            raise unreadable(
                "old_or_encrypted",
                "文件是旧版 XLS 或已加密的工作簿。请去除密码并另存为 XLSX 或 CSV。",
                "The file is an old XLS or an encrypted workbook; remove the password and save it as XLSX or CSV.",
            )
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            _inspect_entries(entries)
            for entry in entries:
                if entry.filename.endswith((".xml", ".rels", ".vml")):
                    _inspect_prologue(archive, entry)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError, OSError, zipfile.error):
        raise unreadable(
            "not_a_workbook",
            "文件不是可读取的 XLSX 工作簿。请从电子表格重新另存为 XLSX 或 CSV。",
            "The file is not a readable XLSX workbook; save it again as XLSX or CSV.",
        ) from None


def _inspect_entries(entries: list[zipfile.ZipInfo]) -> None:
    end = 0
    for entry in sorted(entries, key=lambda e: e.header_offset):
        if entry.header_offset < end:
            raise _unsafe("重叠的压缩条目", "overlapping archive entries")
        end = entry.header_offset + entry.compress_size
        parts = entry.filename.replace("\\", "/").split("/")
        if ".." in parts or parts[0] == "" or ":" in parts[0] or (entry.external_attr >> 16) & 0o170000 == 0o120000:
            raise _unsafe("指向文件之外的路径", "a path that leads out of the file")
        if _MACROS.search(entry.filename):
            raise _unsafe("宏、控件或嵌入对象", "macros, controls or embedded objects")
        if entry.file_size > _RATIO_FROM and entry.file_size > _RATIO * max(entry.compress_size, 1):
            raise _unsafe("异常的压缩比", "an abnormal compression ratio")
    if len(entries) > _PARTS or sum(entry.file_size for entry in entries) > _UNPACKED:
        raise _unsafe("过多或过大的部件", "too many or too large parts")


def _inspect_prologue(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    with archive.open(entry) as part:
        start = part.read(_PROLOGUE).replace(b"\0", b"")  # UTF-16 hides a word from a search by bytes
    if b"<!DOCTYPE" in start or b"<!ENTITY" in start or (start.strip() and not _ROOT.search(start)):
        raise _unsafe("文档类型定义（DTD）", "a document type definition (DTD)")
    if (dimension := _DIMENSION.search(start)) and _column(dimension[1]) > _COLUMNS:
        raise unreadable(
            "sparse",
            "工作表的范围达到第 {column} 列，超过 {limit} 列。请删除表格右侧的空列后重新保存。",
            "The sheet reaches to column {column}, beyond {limit} columns; delete the empty columns on the right and save.",
            column=dimension[1].decode(),
            limit=_COLUMNS,
        )


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _unsafe(zh: str, en: str) -> Unreadable:
    return unreadable(
        "workbook_unsafe",
        "工作簿含有{what_zh}，出于安全不予打开。请把表格复制到新的工作簿，或另存为 CSV（UTF-8）。",
        "The workbook has {what_en} and is not opened for safety; copy the table into a new one, or save it as CSV (UTF-8).",
        what_zh=zh,
        what_en=en,
    )

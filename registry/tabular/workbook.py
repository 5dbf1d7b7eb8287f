"""Looking at an XLSX before anything of it is read: what no sheet of rows needs is refused, whatever reader comes after."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from registry.tabular.errors import Unreadable, unreadable
from registry.tabular.sandbox import COLUMNS

_PARTS = 2000
_UNPACKED = 2 << 30
_RATIO = 200  # a sheet of real rows packs 10 to 40 times
_RATIO_FROM = 16 << 20  # below this a high ratio does no harm
_PROLOGUE = 1 << 16
_ROOT = re.compile(rb"<[A-Za-z_]")
_DIMENSION = re.compile(rb'<(?:\w+:)?dimension\s[^>]*ref="[A-Z]+\d+:([A-Z]+)\d+"')
_MACROS = re.compile(r"vbaProject|macrosheets/|activeX/|embeddings/", re.IGNORECASE)


def inspect(path: Path) -> None:
    """Refuse bombs, macros, document types and paths that lead out of the archive. Raises `Unreadable`."""
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
    if (dimension := _DIMENSION.search(start)) and _column(dimension[1]) > COLUMNS:
        raise unreadable(
            "sparse",
            "工作表的范围达到第 {column} 列，超过 {limit} 列。请删除表格右侧的空列后重新保存。",
            "The sheet reaches to column {column}, beyond {limit} columns; delete the empty columns on the right and save.",
            column=dimension[1].decode(),
            limit=COLUMNS,
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

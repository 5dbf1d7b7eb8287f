"""CSV and TSV as lines of cells, in constant memory. The encoding is proved on the whole file, never guessed."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Collection, Iterator
from pathlib import Path

from registry.tabular.errors import Unreadable, unreadable

_BLOCK = 1 << 20
_HEAD = 1 << 16
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_DELIMITERS = ",\t;"


def encoding_of(path: Path) -> str:
    """The encoding in which every byte of the file is valid: a BOM decides, else UTF-8, else GB 18030 (never gbk).

    UTF-16 without a BOM shows by where its zero bytes lie. Raises `Unreadable`, naming the first wrong byte.
    """
    with path.open("rb") as file:
        head = file.read(4096)
    marked = next((name for bom, name in _BOMS if head.startswith(bom)), None)
    if marked is None and b"\0" in head:
        guess = "utf-16-le" if head[1::2].count(0) > head[0::2].count(0) else "utf-16-be"
        if _first_wrong_byte(path, guess) is not None:
            raise _not_a_table()
        return guess
    if marked:
        if (at := _first_wrong_byte(path, marked)) is None:
            return marked
        raise unreadable(
            "encoding",
            "文件标明为 {encoding}，但第 {at} 个字节不合该编码。请重新导出文件。",
            "The file says it is {encoding}, but byte {at} is not; export the file again.",
            encoding=marked.upper(),
            at=at + 1,
        )
    if _first_wrong_byte(path, "utf-8") is None:
        return "utf-8"
    if (at := _first_wrong_byte(path, "gb18030")) is None:
        return "gb18030"
    raise unreadable(
        "encoding",
        "文件既不是 UTF-8，也不是 UTF-16 或 GB 18030（第 {at} 个字节起）。请另存为 UTF-8 编码的 CSV。",
        "The file is neither UTF-8 nor UTF-16 nor GB 18030 (from byte {at}); save it as CSV in UTF-8.",
        at=at + 1,
    )


def _first_wrong_byte(path: Path, encoding: str) -> int | None:
    """Where the file stops being valid; None when all of it is."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    read = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            pending = len(decoder.getstate()[0])
            try:
                decoder.decode(block)
            except UnicodeDecodeError as error:
                return read - pending + error.start
            read += len(block)
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return read
    return None


class TextFile:
    """An opened CSV or TSV. Iterating gives (line of the file from 1, cells); `share` says how much has been read."""

    name: str | None = None  # the sheet; a text file has none

    def __init__(self, path: Path, known: Collection[str]) -> None:
        """`known` are the headings looked for: they tell the delimiter. Raises `Unreadable`."""
        encoding = encoding_of(path)
        self._size = path.stat().st_size
        self._bytes = path.open("rb")
        self._text = io.TextIOWrapper(self._bytes, encoding=encoding, errors="strict", newline="")
        head = self._text.read(_HEAD)
        if any(ord(letter) < 32 and letter not in "\t\r\n" for letter in head[:4096]):
            self.close()
            raise _not_a_table()
        self._text.seek(0)
        self._delimiter = _delimiter(head.splitlines()[:30], known)

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        # Strict: an unclosed quotation mark would otherwise swallow the rows behind it in silence.
        reader = csv.reader(self._text, delimiter=self._delimiter, strict=True)
        line = 1
        try:
            for cells in reader:
                yield line, cells
                line = reader.line_num + 1
        except csv.Error:
            raise unreadable(
                "broken_line",
                "第 {line} 行无法读取：引号未成对，或单元格过长。请更正后重新导入。",
                "Line {line} cannot be read: an unpaired quotation mark or an over-long cell; correct it and import again.",
                line=line,
            ) from None

    def share(self) -> float:
        return min(1.0, self._bytes.tell() / self._size) if self._size and not self._bytes.closed else 1.0

    def close(self) -> None:
        self._text.close()


def _not_a_table() -> Unreadable:
    return unreadable(
        "not_a_table",
        "文件不是 CSV、TSV 或 XLSX 表格。请从电子表格另存为其中一种。",
        "The file is not a CSV, TSV or XLSX table; save it as one of these.",
    )


def _delimiter(lines: list[str], known: Collection[str]) -> str:
    def fits(delimiter: str) -> int:
        return max(
            (sum(cell.strip(' "\ufeff*') in known for cell in line.split(delimiter)) for line in lines), default=0
        )

    return max(_DELIMITERS, key=fits)

"""The fenced-in reader: a program of its own, run with the file on standard input, giving CSV on standard output.

Every line but the first ends with the number of the row in the file. The first is the sheet's name and its number of
rows (of a text file: nothing is known); the last is `END`, or `FAULT` with its code and arguments. What ends with
neither was cut off by a limit. Nothing here is imported by the service but constants; the native reader of XLSX is
imported after the fence stands. Where the system refuses a network namespace of its own (an unprivileged container),
the limits on memory, time and files still hold, and the reader has no address to call.
"""

from __future__ import annotations

import codecs
import csv
import ctypes
import io
import json
import sys
from collections.abc import Collection, Iterable, Iterator
from datetime import date, datetime
from typing import IO, Any

END, FAULT = "end", "fault"

# Stands for a number of sixteen digits or more: a spreadsheet keeps fifteen, so what it was cannot be known.
_MARK = "\x02"  # no text of a sheet holds it: what does is stripped of it
ROUNDED = f"{_MARK}rounded"

COLUMNS = 1000
ROW_LETTERS = 1 << 20  # of all cells of a row together
_CELL = csv.field_size_limit()
_MEMORY = 1 << 30
_CPU_SECONDS = 60
_EXACT = 10**15
_NEW_USER_AND_NETWORK = 0x10000000 | 0x40000000  # CLONE_NEWUSER, CLONE_NEWNET

_BLOCK = 1 << 20
_HEAD = 1 << 16
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_DELIMITERS = ",\t;"


class Fault(Exception):
    """Why the file cannot be read: a code of registry/tabular/fenced.py and what its sentence needs."""

    def __init__(self, code: str, **arguments: object) -> None:
        super().__init__(code)
        self.code, self.arguments = code, arguments


def fence() -> None:
    """Bound memory and time, forbid files and core dumps, and leave the network where the system lets us."""
    import resource  # noqa: PLC0415  (POSIX only, and only here)

    for limit, value in (
        (resource.RLIMIT_AS, _MEMORY),
        (resource.RLIMIT_CPU, _CPU_SECONDS),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        resource.setrlimit(limit, (value, value))
    unshare = getattr(ctypes.CDLL(None), "unshare", None)  # Linux
    if unshare is not None:
        unshare(_NEW_USER_AND_NETWORK)


# -- sheets -----------------------------------------------------------------------------------------------------------


def text(cell: object) -> str:
    """A cell as text: whole numbers without a point, days in ISO 8601, a day's midnight dropped."""
    match cell:
        case str():
            return cell.replace(_MARK, "")
        case bool():
            return "TRUE" if cell else "FALSE"
        case float() | int():
            if abs(cell) >= _EXACT:
                return ROUNDED
            return str(int(cell)) if cell == int(cell) else repr(cell)
        case datetime() if (cell.hour, cell.minute, cell.second) == (0, 0, 0):
            return cell.date().isoformat()
        case datetime() | date():
            return cell.isoformat(" ") if isinstance(cell, datetime) else cell.isoformat()
        case _:
            return str(cell)


def sheet(file: IO[bytes], _known: Collection[str]) -> Iterator[list[Any]]:
    """The first visible sheet that is not empty, every row from its first. Raises whatever the native reader raises."""
    # Native code, loaded behind the fence.
    from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum  # noqa: PLC0415

    book = CalamineWorkbook.from_filelike(io.BytesIO(file.read()))
    visible = [
        sheet.name
        for sheet in book.sheets_metadata
        if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible
    ]
    for name in visible:
        found = book.get_sheet_by_name(name)
        if found.end is not None:
            yield [name, found.end[0] + 1]
            for line, row in enumerate(found.iter_rows(), 1):
                cells = [cell if type(cell) is str and _MARK not in cell else text(cell) for cell in row]
                yield _bounded(cells, line)
            return
    yield ["", 0]


# -- text -------------------------------------------------------------------------------------------------------------


def lines(file: IO[bytes], known: Collection[str]) -> Iterator[list[Any]]:
    """The rows of a CSV or TSV; `known` are the headings looked for: they tell the delimiter."""
    encoding = encoding_of(file)
    file.seek(0)
    stream = io.TextIOWrapper(file, encoding=encoding, errors="strict", newline="")
    head = stream.read(_HEAD)
    if any(ord(letter) < 32 and letter not in "\t\r\n" for letter in head[:4096]):
        raise Fault("not_a_table")
    stream.seek(0)
    yield ["", 0]
    # Strict: an unclosed quotation mark would otherwise swallow the rows behind it in silence.
    reader = csv.reader(stream, delimiter=_delimiter(head.splitlines()[:30], known), strict=True)
    line = 1
    try:
        for cells in reader:
            yield _bounded(cells, line)
            line = reader.line_num + 1
    except csv.Error:
        raise Fault("broken_line", line=line) from None


def encoding_of(file: IO[bytes]) -> str:
    """The encoding in which every byte of the file is valid: a BOM decides, else UTF-8, else GB 18030 (never gbk).

    UTF-16 without a BOM shows by where its zero bytes lie. Raises `Fault`, naming the first wrong byte.
    """
    head = file.read(4096)
    marked = next((name for bom, name in _BOMS if head.startswith(bom)), None)
    if marked is None and b"\0" in head:
        guess = "utf-16-le" if head[1::2].count(0) > head[0::2].count(0) else "utf-16-be"
        if _first_wrong_byte(file, guess) is not None:
            raise Fault("not_a_table")
        return guess
    if marked:
        if (at := _first_wrong_byte(file, marked)) is None:
            return marked
        raise Fault("other_than_marked", encoding=marked.upper(), at=at + 1)
    if _first_wrong_byte(file, "utf-8") is None:
        return "utf-8"
    if (at := _first_wrong_byte(file, "gb18030")) is None:
        return "gb18030"
    raise Fault("encoding", at=at + 1)


def _first_wrong_byte(file: IO[bytes], encoding: str) -> int | None:
    """Where the file stops being valid; None when all of it is."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    read = 0
    file.seek(0)
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


def _delimiter(above: list[str], known: Collection[str]) -> str:
    def fits(delimiter: str) -> int:
        return max(
            (sum(cell.strip(' "\ufeff*') in known for cell in line.split(delimiter)) for line in above), default=0
        )

    return max(_DELIMITERS, key=fits)


# -- both -------------------------------------------------------------------------------------------------------------


def _bounded(cells: list[Any], line: int) -> list[Any]:
    """The cells with their line behind them, when no reader after us can choke on them."""
    if len(cells) > COLUMNS:
        raise Fault("too_wide", line=line, limit=COLUMNS)
    letters = sum(map(len, cells))
    if letters > _CELL and (letters > ROW_LETTERS or max(map(len, cells)) > _CELL):
        raise Fault("long_row", line=line)
    cells.append(line)
    return cells


class _Out:
    """Drops NUL, which no database takes and no person typed."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, text: str) -> None:
        self._file.write(text.replace("\0", ""))


def answer(rows: Iterable[list[Any]]) -> Iterator[list[Any]]:
    try:
        yield from rows
    except Fault as fault:
        yield [fault.code, json.dumps(fault.arguments), FAULT]
    else:
        yield [END]


def main(kind: str, known: str) -> None:
    fence()
    read = {"sheet": sheet, "text": lines}[kind]
    with open(1, "w", closefd=False, encoding="utf-8", newline="") as out:
        csv.writer(_Out(out)).writerows(answer(read(sys.stdin.buffer, frozenset(json.loads(known)))))


if __name__ == "__main__":
    main(*sys.argv[1:])

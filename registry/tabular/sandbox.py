"""The fenced-in reader of XLSX: a program of its own, run with the workbook on standard input, giving CSV on standard output.

First a line (sheet name, number of rows), then every row of the sheet from its first. Nothing here is imported by the
service but `ROUNDED`; the native reader is imported after the fence stands. Where the system refuses a network
namespace of its own (an unprivileged container), the limits on memory, time and files still hold, and the reader has no
address to call: it resolves no external reference.
"""

from __future__ import annotations

import csv
import ctypes
import io
import sys
from collections.abc import Iterator
from datetime import date, datetime

# Stands for a number of sixteen digits or more: a spreadsheet keeps fifteen, so what it was cannot be known.
_MARK = "\x02"  # no text of a sheet holds it: what does is stripped of it
ROUNDED = f"{_MARK}rounded"

_MEMORY = 1 << 30
_CPU_SECONDS = 60
_EXACT = 10**15
_NEW_USER_AND_NETWORK = 0x10000000 | 0x40000000  # CLONE_NEWUSER, CLONE_NEWNET


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


def read(workbook: bytes) -> Iterator[list[str]]:
    """The lines for the parent. Raises whatever the native reader raises."""
    # Native code, loaded behind the fence.
    from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum  # noqa: PLC0415

    book = CalamineWorkbook.from_filelike(io.BytesIO(workbook))
    visible = [
        sheet.name
        for sheet in book.sheets_metadata
        if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible
    ]
    for name in visible:
        sheet = book.get_sheet_by_name(name)
        if sheet.end is not None:
            yield [name, str(sheet.end[0] + 1)]
            for row in sheet.iter_rows():
                yield [cell if type(cell) is str and _MARK not in cell else text(cell) for cell in row]
            return
    yield ["", "0"]


def main() -> None:
    fence()
    with open(1, "w", closefd=False, encoding="utf-8", newline="") as out:
        csv.writer(out).writerows(read(sys.stdin.buffer.read()))


if __name__ == "__main__":
    main()

"""Findings of an uploaded file itself, beside the rules: what stands in a cell cannot be taken for what was meant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from workflows.text import Text


@dataclass(frozen=True)
class FileReason:
    code: str
    text: Text
    basis: str


_BASIS: Final = "行政许可法 31, 32(4)"

ANOTHER_INSTITUTION: Final = FileReason(
    "F001",
    Text(
        "表格第 {line} 行的“{field}”不是本次上传的机构，请移到该机构的名册中。",
        "Row {line} of the sheet names another institution than the upload's under “{field}”; move it to that one's roster.",
    ),
    _BASIS,
)
UNREADABLE: Final = FileReason(
    "F002",
    Text(
        "表格第 {line} 行的“{field}”无法识别，请按代码表或 YYYY-MM-DD 日期格式填写。",
        "“{field}” in row {line} of the sheet cannot be read; use the code tables, and days as YYYY-MM-DD.",
    ),
    _BASIS,
)
EMPTY: Final = FileReason(
    "F003",
    Text("表格第 {line} 行缺少“{field}”，请填写。", "“{field}” is empty in row {line} of the sheet; fill it in."),
    _BASIS,
)
ROUNDED: Final = FileReason(
    "F004",
    Text(
        "表格第 {line} 行的“{field}”被存成了数字，末尾几位已丢失：请把该列设为文本格式后重新填写，不能由系统推测。",
        "“{field}” in row {line} of the sheet was stored as a number and has lost its last digits: "
        "format the column as text and enter it again; it is never guessed.",
    ),
    _BASIS,
)

FILE_REASONS: Final = (ANOTHER_INSTITUTION, UNREADABLE, EMPTY, ROUNDED)

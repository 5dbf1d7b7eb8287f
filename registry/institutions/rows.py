"""One row of an institutions extract, checked and put into the registry's terms. Pure."""

from __future__ import annotations

import re
from datetime import date
from typing import NamedTuple

from registry.imports import Fault
from registry.tabular import Heading, Row, parse_date
from workflows.codes import CodeTables
from workflows.names import check_name, name_key
from workflows.numbers import find_registration_number, is_uscc, normalised, registration_number
from workflows.text import Text

HEADINGS = (
    Heading("机构名称"),
    Heading("统一社会信用代码", digits=True),
    Heading("登记号", digits=True),
    Heading("行政区划"),
    Heading("省份"),
    Heading("机构类别"),
    Heading("经营性质"),
    Heading("是否互联网医院"),
    Heading("诊疗科目"),
    Heading("许可证有效期止"),
    Heading("状态"),
    Heading("发证机关"),
)

_STATUSES = {
    "有效": "ACTIVE",
    "正常": "ACTIVE",
    "暂停": "SUSPENDED",
    "停业": "SUSPENDED",
    "注销": "CLOSED",
    "吊销": "CLOSED",
    "撤销": "CLOSED",
    "歇业": "CLOSED",
}
_YES_NO = {"是": True, "否": False}
_SEPARATORS = re.compile(r"[、;；,，\n]+")
_DIVISION = re.compile(r"\d{6}", re.ASCII)

_REQUIRED = Text("必填项为空，请补充。", "Required and empty; fill it in.")
_ROUNDED = Text(
    "数字位数已被电子表格舍入，无法还原。请把该列设为文本格式，从原系统重新导出。",
    "A spreadsheet has rounded the digits away; format the column as text and export it again from its source.",
)
_REGISTRATION = Text(
    "登记号应为22位（WS 218），证书上的连字符可省略，请核对。",
    "The registration number has 22 characters (WS 218), its hyphen may be left out; check it.",
)
_USCC = Text("统一社会信用代码未通过校验（GB 32100），请核对。", "The code fails its check (GB 32100); check it.")
_CODE = Text("行政区划应为6位数字（GB/T 2260）。", "The division has six digits (GB/T 2260).")
_PROVINCE = Text("省份与行政区划不一致，请核对。", "The province is not that of the division; check both.")
_ANSWER = Text("请填写是或否。", "Answer 是 or 否.")
_STATUS = Text("状态应为有效、暂停、注销、吊销、撤销或歇业。", "The status is 有效, 暂停, 注销, 吊销, 撤销 or 歇业.")
_DATE = Text("不是有效日期，请按 2026-11-21 的形式填写。", "Not a date; write it in the form 2026-11-21.")


class InstitutionRow(NamedTuple):
    """A checked row; `subjects` are codes, or as written where the table has none."""

    row: Row
    registration_no: str
    name: str
    name_key: str
    uscc: str
    division: str
    province: str
    category: str
    management: str
    internet: bool
    subjects: tuple[str, ...]
    licence_until: date | None
    status: str
    authority_name: str

    def said(self) -> str:
        """Everything the row says, in one spelling."""
        return "\x1f".join(map(str, self[1:]))


class Reader:
    """Checks rows against the code tables."""

    def __init__(self, codes: CodeTables) -> None:
        self._codes = codes

    def read(self, row: Row) -> InstitutionRow | list[Fault]:
        """The row in the registry's terms, or everything that is wrong with it."""
        faults = [Fault(name, _ROUNDED) for name in row.rounded]
        given = row.values

        def expect(field: str, fits: object, text: Text) -> None:
            if not fits and field not in row.rounded:
                faults.append(Fault(field, text if given[field] else _REQUIRED))

        name = given["机构名称"]
        if reason := check_name(name):
            faults.append(Fault("机构名称", reason))
        registration_no, uscc = registration_number(given["登记号"]), normalised(given["统一社会信用代码"])
        expect("登记号", find_registration_number(registration_no), _REGISTRATION)
        expect("统一社会信用代码", not uscc or is_uscc(uscc), _USCC)  # military and village units have none
        division = normalised(given["行政区划"])
        expect("行政区划", _DIVISION.fullmatch(division), _CODE)
        province = self._codes.find("province", given["省份"])
        expect("省份", province and province.code == division[:2], _PROVINCE)
        internet, status = _YES_NO.get(given["是否互联网医院"]), _STATUSES.get(given["状态"])
        expect("是否互联网医院", internet is not None, _ANSWER)
        expect("状态", status, _STATUS)
        licence_until = _day(faults, given)
        if faults or internet is None or status is None or province is None:
            return faults
        category = self._codes.find("institution_category", given["机构类别"])
        return InstitutionRow(
            row,
            registration_no,
            name,
            name_key(name),
            uscc,
            division,
            province.code,
            category.code if category else given["机构类别"],
            given["经营性质"],
            internet,
            self._subjects(given["诊疗科目"]),
            licence_until,
            status,
            given["发证机关"],
        )

    def _subjects(self, text: str) -> tuple[str, ...]:
        named = dict.fromkeys(part.strip() for part in _SEPARATORS.split(text) if part.strip())
        found = ((self._codes.find("clinical_subject", name), name) for name in named)
        return tuple(sorted({row.code if row else name for row, name in found}))


def _day(faults: list[Fault], given: dict[str, str]) -> date | None:
    if not given["许可证有效期止"]:
        return None
    try:
        return parse_date(given["许可证有效期止"])
    except ValueError:
        faults.append(Fault("许可证有效期止", _DATE))
        return None

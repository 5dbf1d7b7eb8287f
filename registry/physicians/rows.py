"""One row of a register extract, checked and put into the registry's terms. Pure: no row is refused for its rarity."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from registry.imports import Fault
from registry.physicians.timeline import ACTIVE, PlaceFacts, Standing
from registry.tabular import Heading, Row, parse_date
from workflows.codes import CodeTables
from workflows.names import check_name, name_key
from workflows.numbers import (
    document_fault,
    find_practising,
    find_registration_number,
    normalised,
    registration_number,
)
from workflows.rules.facts import RegistrationStatus as Status
from workflows.text import Text

HEADINGS = (
    Heading("姓名"),
    Heading("证件类型"),
    Heading("证件号码", digits=True),
    Heading("性别", required=False),
    Heading("出生日期", required=False),
    Heading("资格证书编码", aliases=("医师资格证书编码",), digits=True),
    Heading("执业证书编码", aliases=("医师执业证书编码",), digits=True),
    Heading("医师级别"),
    Heading("执业类别"),
    Heading("执业范围"),
    Heading("职称", required=False),
    Heading("首次注册日期", required=False),
    Heading("注册日期"),
    Heading("主要执业机构"),
    Heading("主要执业机构登记号", digits=True),
    Heading("省份"),
    Heading("状态"),
    Heading("状态起"),
    Heading("状态止"),
    Heading("最近考核结果", required=False),
    Heading("最近考核日期", required=False),
    Heading("状态原因", required=False),
    Heading("不予注册情形", required=False),
    Heading("情形起", required=False),
    Heading("情形止", required=False),
)

_STATUSES = {
    "有效": Status.ACTIVE,
    "正常": Status.ACTIVE,
    "暂停": Status.SUSPENDED,
    "暂停执业": Status.SUSPENDED,
    "注销": Status.CANCELLED,
    "吊销": Status.REVOKED,
    "撤销": Status.WITHDRAWN,
}
_SEPARATORS = str.maketrans(dict.fromkeys(";；,，/|", "、"))

_REQUIRED = Text("必填项为空，请补充。", "Required and empty; fill it in.")
_ROUNDED = Text(
    "数字位数已被电子表格舍入，无法还原。请把该列设为文本格式，从原系统重新导出。",
    "A spreadsheet has rounded the digits away; format the column as text and export it again from its source.",
)
_PRACTISING = Text("执业证书编码应为15位数字，请核对。", "The practising code has 15 digits; check it.")
_NUMBER = Text("证件号码第{n}位有误，请核对。", "The identity number is wrong at position {n}; check it.")
_DATE = Text("不是有效日期，请按 2026-11-21 的形式填写。", "Not a date; write it in the form 2026-11-21.")
_STATUS = Text("状态应为有效、暂停、注销、吊销或撤销。", "The status is 有效, 暂停, 注销, 吊销 or 撤销.")
_INVERTED = Text("止日早于起日，请核对。", "It ends before it begins; check both dates.")
_NO_CODE = Text(
    "代码表 {table} 中没有该值。请更正，或由运维人员在代码表中增加后重新导入。",
    "Not in the code table {table}; correct it, or have an operator add it to the table and import again.",
)
_SINCE = Text(
    "填写了不予注册情形，请同时填写情形起。", "A ground for refusing registration needs the day it began (情形起)."
)


class Assessed(NamedTuple):
    result: str
    on: date | None


class Barred(NamedTuple):
    """A ground of 医师法 16 or its neighbours, both days included."""

    code: str
    since: date
    until: date | None


class Person(NamedTuple):
    """What the register says of the person, in each of their rows."""

    name: str
    name_key: str
    id_type: str
    id_number: str
    qualification: str
    sex: str | None
    birth_date: date | None
    level: str
    title: str | None
    first_registered: date | None


class RegisterRow(NamedTuple):
    """A checked row. `place` is None for an assistant until the county of the main institution has been looked up."""

    row: Row
    practising_code: str
    person: Person
    place: str | None
    province: str
    facts: PlaceFacts
    standing: Standing
    assessed: Assessed | None
    barred: Barred | None

    def said(self) -> str:
        """Everything the row says, in one spelling: equal for rows that differ only in how they are written."""
        parts = (*self.person, self.province, *self.facts, *self.standing, *(self.assessed or ()), *(self.barred or ()))
        return "\x1f".join(map(str, parts))

    def county(self) -> str | None:
        """The division inside the main institution's number, for an institution that is not known here."""
        found = find_registration_number(self.facts.main_registration_no or "")
        return found.division if found else None


class Reader:
    """Checks rows against the code tables; remembers what it has looked up, as a register repeats it."""

    def __init__(self, codes: CodeTables, today: date) -> None:
        self._codes, self._today = codes, today
        self._found: dict[tuple[str, str], str | None] = {}
        self._scopes: dict[str, tuple[str, ...] | None] = {}

    def read(self, row: Row) -> RegisterRow | list[Fault]:
        """The row in the registry's terms, or everything that is wrong with it."""
        faults = [Fault(name, _ROUNDED) for name in row.rounded]
        given = row.values
        wrong = faults.append

        name = given["姓名"]
        if reason := check_name(name):
            wrong(Fault("姓名", reason))
        practising_code = normalised(given["执业证书编码"])
        if "执业证书编码" not in row.rounded and not find_practising(practising_code):
            wrong(Fault("执业证书编码", _PRACTISING if practising_code else _REQUIRED))

        id_type = self._code(faults, "证件类型", "identity_document", given)
        id_number = normalised(given["证件号码"])
        asked = id_type if id_number and "证件号码" not in row.rounded else None
        if asked and (position := document_fault(asked, id_number, self._today)):
            wrong(Fault("证件号码", _NUMBER.filled({"n": position})))

        level = self._code(faults, "医师级别", "physician_level", given)
        category = self._code(faults, "执业类别", "practice_category", given)
        province = self._code(faults, "省份", "province", given)
        scopes = self._scope_codes(faults, given["执业范围"])
        status = _STATUSES.get(given["状态"])
        if status is None:
            wrong(Fault("状态", _STATUS if given["状态"] else _REQUIRED))
        since, until = _span(faults, given, "状态起", "状态止")
        assessed_on = _day(faults, given, "最近考核日期")
        birth_date, first = _day(faults, given, "出生日期"), _day(faults, given, "首次注册日期")
        registered_on = _day(faults, given, "注册日期")
        barred = self._barred(faults, given)
        if faults or id_type is None or level is None or category is None or province is None or status is None:
            return faults

        main = registration_number(given["主要执业机构登记号"]) or None
        cause = given["状态原因"] or None
        bare = status is Status.ACTIVE and not (since or until or cause)
        return RegisterRow(
            row=row,
            practising_code=practising_code,
            person=Person(
                name,
                name_key(name),
                id_type,
                id_number,
                normalised(given["资格证书编码"]),
                given["性别"] or None,
                birth_date,
                level,
                given["职称"] or None,
                first,
            ),
            place=province if level == "1" else None,
            province=province,
            facts=PlaceFacts(main, given["主要执业机构"], level, category, scopes, registered_on),
            standing=ACTIVE if bare else Standing(status, since, until, cause),
            assessed=Assessed(given["最近考核结果"], assessed_on) if given["最近考核结果"] else None,
            barred=barred,
        )

    def _code(self, faults: list[Fault], field: str, table: str, given: dict[str, str]) -> str | None:
        text = given[field]
        if not text:
            faults.append(Fault(field, _REQUIRED))
            return None
        code = self._find(table, text)
        if code is None:
            faults.append(Fault(field, _NO_CODE.filled({"table": table})))
        return code

    def _find(self, table: str, text: str) -> str | None:
        asked = (table, text)
        if asked not in self._found:
            row = self._codes.find(table, text)
            self._found[asked] = row.code if row else None
        return self._found[asked]

    def _scope_codes(self, faults: list[Fault], text: str) -> tuple[str, ...]:
        """Sorted codes of one or several scopes, separated as people separate them."""
        if text not in self._scopes:
            named = [part.strip() for part in text.translate(_SEPARATORS).split("、") if part.strip()]
            # A name of its own may hold a separator; so the whole is tried first.
            whole = self._find("practice_scope", text)
            codes = [whole] if whole else [self._find("practice_scope", part) for part in named]
            found = [code for code in codes if code]
            self._scopes[text] = tuple(sorted(set(found))) if codes and len(found) == len(codes) else None
        scopes = self._scopes[text]
        if scopes is None:
            faults.append(Fault("执业范围", _NO_CODE.filled({"table": "practice_scope"}) if text else _REQUIRED))
        return scopes or ()

    def _barred(self, faults: list[Fault], given: dict[str, str]) -> Barred | None:
        if not given["不予注册情形"]:
            return None
        code = self._code(faults, "不予注册情形", "disqualification", given)
        since, until = _span(faults, given, "情形起", "情形止")
        if since is None and not given["情形起"]:
            faults.append(Fault("情形起", _SINCE))
        return Barred(code, since, until) if code and since else None


def _day(faults: list[Fault], given: dict[str, str], field: str) -> date | None:
    text = given[field]
    if not text:
        return None
    try:
        return parse_date(text)
    except ValueError:
        faults.append(Fault(field, _DATE))
        return None


def _span(faults: list[Fault], given: dict[str, str], first: str, last: str) -> tuple[date | None, date | None]:
    since, until = _day(faults, given, first), _day(faults, given, last)
    if since and until and until < since:
        faults.append(Fault(last, _INVERTED))
    return since, until

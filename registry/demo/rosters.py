"""Synthetic rosters with the true verdict of every row: the faults hospitals make, and the differences that are none.

Every roster is one hospital's, the physicians are `generate.register`'s. A truth names the worst outcome of its row and
the rule that says so, as the row stands in the file on the day it was made for.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import xlsxwriter

from registry.demo import generate
from registry.demo.generate import Record
from workflows.numbers import mod_11_2

ROSTER = (
    "序号", "姓名", "证件类型", "证件号码", "性别", "手机号", "医师资格证书编码", "医师执业证书编码", "医师级别", "执业类别",
    "执业范围", "职称", "主要执业机构", "主执业省份", "拟备案机构登记号", "备案开始日期", "备案结束日期",
)  # fmt: skip
_SAME = ("姓名", "证件类型", "证件号码", "性别", "医师级别", "执业类别", "执业范围", "职称", "主要执业机构")
_AHEAD, _TERM = timedelta(days=40), timedelta(days=730)
_WIDE = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")


class Truth(NamedTuple):
    row: int  # from 1
    practising_code: str  # as written
    outcome: str
    rule: str
    note: str


@dataclass(frozen=True)
class Made:
    """A roster, the register its physicians stand in, and what is true of each row."""

    register: list[Record]
    roster: list[Record]
    truth: list[Truth]


Person = Callable[[Record, date], None]
Row = Callable[[Record, random.Random], None]


@dataclass(frozen=True)
class Fault:
    """What is wrong: with the physician in the register, with the row, or with both."""

    note: str
    outcome: str
    rule: str
    of_person: Person | None = None
    of_row: Row | None = None


def roster(
    hospitals: Sequence[Record],
    target: Record,
    count: int,
    today: date,
    *,
    seed: int = 1,
    errors: float = 0.03,
    harmless: float = 0.05,
) -> Made:
    """`count` rows for the internet hospital `target`, which is licensed neither for psychiatry nor for dermatology.

    A share `errors` of them has one fault each, a share `harmless` of the others is written in another, equal way.
    """
    rng = random.Random(seed)  # noqa: S311  (a sample, not a secret)
    made = Made([], [], [])
    good: list[int] = []
    for number, person in enumerate(generate.register(hospitals, count, today, seed=seed, assistants=0.0), 1):
        fault = rng.choice(FAULTS) if rng.random() < errors else None
        if fault is _TWICE and good:
            earlier = made.roster[rng.choice(good) - 1]
            row = earlier | {"序号": str(number)}
            rng.choice((_full_width, _blanks))(row, rng)
        else:
            if fault is _TWICE:
                fault = None
            if fault and fault.of_person:
                fault.of_person(person, today)
            row = _row(number, person, target, today + _AHEAD)
            made.register.append(person)
            if fault is None:
                good.append(number)
                if rng.random() < harmless:
                    rng.choice(HARMLESS)(row, rng)
            elif fault.of_row:
                fault.of_row(row, rng)
        made.roster.append(row)
        outcome, rule, note = (fault.outcome, fault.rule, fault.note) if fault else ("ok", "", "")
        made.truth.append(Truth(number, row["医师执业证书编码"].strip(), outcome, rule, note))
    return made


def write_xlsx(path: Path, rows: Sequence[Record]) -> Path:
    """The roster as a workbook, every cell text."""
    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        sheet = book.add_worksheet("医师名册")
        for line, cells in enumerate((ROSTER, *(row.values() for row in rows))):
            for place, cell in enumerate(cells):
                sheet.write_string(line, place, cell)
    return path


def _row(number: int, person: Record, target: Record, start: date) -> Record:
    row = {name: person[name] for name in _SAME} | {
        "序号": str(number),
        "手机号": f"13{number % 10**9:09d}",
        "医师资格证书编码": person["资格证书编码"],
        "医师执业证书编码": person["执业证书编码"],
        "主执业省份": person["省份"],
        "拟备案机构登记号": target["登记号"],
        "备案开始日期": start.isoformat(),
        "备案结束日期": (start + _TERM).isoformat(),
    }
    return {name: row[name] for name in ROSTER}


# -- faults -----------------------------------------------------------------------------------------------------------


def _little_experience(person: Record, today: date) -> None:
    begun = today - timedelta(days=500)
    person["首次注册日期"] = person["注册日期"] = begun.isoformat()
    person["资格证书编码"] = f"{begun.year - 1}{person['资格证书编码'][4:]}"


def _assistant(person: Record, _today: date) -> None:
    person["医师级别"] = "执业助理医师"
    person["执业证书编码"] = "2" + person["执业证书编码"][1:]
    person["资格证书编码"] = person["资格证书编码"][:6] + "2" + person["资格证书编码"][7:]


def _suspended(person: Record, today: date) -> None:
    person.update({"状态": "暂停", "状态起": (today - timedelta(days=80)).isoformat(), "状态止": "2099-12-31"})


def _cancelled(person: Record, today: date) -> None:
    person.update({"状态": "注销", "状态起": (today - timedelta(days=200)).isoformat()})


def _failed_assessment(person: Record, _today: date) -> None:
    person["最近考核结果"] = "不合格"


def _practises(scope: str) -> Person:
    def change(person: Record, _today: date) -> None:
        person["执业类别"], person["执业范围"] = "临床", scope
        person["执业证书编码"] = person["执业证书编码"][:1] + "10" + person["执业证书编码"][3:]
        person["资格证书编码"] = person["资格证书编码"][:7] + "10" + person["资格证书编码"][9:]

    return change


def _wrong_check(number: str) -> str:
    return number[:-1] + ("0" if number[-1] != "0" else "1")


def _id_number(row: Record, _rng: random.Random) -> None:
    row["证件号码"] = _wrong_check(row["证件号码"])


def _rounded(row: Record, _rng: random.Random) -> None:
    row["证件号码"] = f"{row['证件号码'][0]}.{row['证件号码'][1:6]}E+17"


def _practising_code(row: Record, _rng: random.Random) -> None:
    row["医师执业证书编码"] = row["医师执业证书编码"][:-1]


def _unknown_code(row: Record, _rng: random.Random) -> None:
    row["医师执业证书编码"] = row["医师执业证书编码"][:9] + "999999"


def _name(row: Record, _rng: random.Random) -> None:
    row["姓名"] = row["姓名"] + "某"


def _no_name(row: Record, _rng: random.Random) -> None:
    row["姓名"] = " "


def _scope(row: Record, _rng: random.Random) -> None:
    row["执业范围"] = "儿科专业"


def _category(row: Record, _rng: random.Random) -> None:
    other = {"临床": ("口腔", "口腔专业")}.get(row["执业类别"], ("临床", "内科专业"))
    row["执业类别"], row["执业范围"] = other


def _no_qualification(row: Record, _rng: random.Random) -> None:
    row["医师资格证书编码"] = ""


def _other_qualification(row: Record, _rng: random.Random) -> None:
    """Somebody else's number inside: the next one born that day."""
    code = row["医师资格证书编码"]
    first17 = code[9:23] + f"{(int(code[23:26]) + 501) % 1000:03d}"
    row["医师资格证书编码"] = code[:9] + first17 + mod_11_2(first17)


def _ends_before_it_starts(row: Record, _rng: random.Random) -> None:
    row["备案开始日期"], row["备案结束日期"] = row["备案结束日期"], row["备案开始日期"]


def _no_day(row: Record, _rng: random.Random) -> None:
    row["备案结束日期"] = "长期"


def _other_institution(row: Record, _rng: random.Random) -> None:
    row["拟备案机构登记号"] = row["拟备案机构登记号"][:-1] + "9"


_TWICE = Fault("the same physician and term as an earlier row", "return", "R057")

FAULTS: Sequence[Fault] = (
    _TWICE,
    Fault("less than three years of independent clinical work", "reject", "R080", _little_experience),
    Fault("assistant physician in an internet hospital", "reject", "R038", _assistant),
    Fault("physician suspended", "reject", "R023", _suspended),
    Fault("registration cancelled", "reject", "R021", _cancelled),
    Fault("last assessment failed", "reject", "R032", _failed_assessment),
    Fault("category differs from the register", "reject", "R071", None, _category),
    Fault("identity number fails its check", "return", "R001", None, _id_number),
    Fault("qualification code missing", "return", "R009", None, _no_qualification),
    Fault("identity number inside the qualification code differs", "return", "R010", None, _other_qualification),
    Fault("practising code has 14 digits", "return", "R012", None, _practising_code),
    Fault("practising code unknown", "return", "R022", None, _unknown_code),
    Fault("name and practising code do not match", "return", "R022", None, _name),
    Fault("scope outside the registered scope", "return", "R070", _practises("外科专业"), _scope),
    Fault("institution not licensed for the subject", "return", "R072", _practises("皮肤病与性病专业")),
    Fault("institution licensed for a near subject only", "senior", "R073", _practises("精神卫生专业")),
    Fault("end before start", "return", "R100", None, _ends_before_it_starts),
    Fault("another institution than the upload's", "return", "F001", None, _other_institution),
    Fault("a day that is none", "return", "F002", None, _no_day),
    Fault("no name", "return", "F003", None, _no_name),
    Fault("identity number kept as a number", "return", "F004", None, _rounded),
)


# -- differences that are none ----------------------------------------------------------------------------------------


def _full_width(row: Record, _rng: random.Random) -> None:
    row["证件号码"] = row["证件号码"].translate(_WIDE)


def _blanks(row: Record, _rng: random.Random) -> None:
    row["姓名"], row["医师执业证书编码"] = f" {row['姓名']}　", f"{row['医师执业证书编码']} "


def _lower_case(row: Record, _rng: random.Random) -> None:
    row["证件号码"] = row["证件号码"].lower()


def _other_dot(row: Record, _rng: random.Random) -> None:
    row["姓名"] = row["姓名"].replace("·", "•")


def _zero_width(row: Record, _rng: random.Random) -> None:
    row["姓名"] = f"{row['姓名'][0]}\u200b{row['姓名'][1:]}"


def _other_days(row: Record, _rng: random.Random) -> None:
    row["备案开始日期"] = row["备案开始日期"].replace("-", "/")
    row["备案结束日期"] = f"{date.fromisoformat(row['备案结束日期']):%Y年%m月%d日}"


def _serial_day(row: Record, _rng: random.Random) -> None:
    row["备案开始日期"] = str((date.fromisoformat(row["备案开始日期"]) - date(1899, 12, 30)).days)


HARMLESS: Sequence[Row] = (_full_width, _blanks, _lower_case, _other_dot, _zero_width, _other_days, _serial_day)

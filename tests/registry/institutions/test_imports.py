from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from registry.demo import generate
from registry.demo.generate import Record
from registry.imports import Report
from registry.institutions import imports
from tests.registry.extracts import HOSPITALS, Extracts, write_xlsx

DAY = timedelta(days=1)


def load(extracts: Extracts, rows: list[Record], at: datetime) -> Report:
    path = generate.write_csv(extracts.folder / "some.csv", list(rows[0]), rows)
    return imports.run(extracts.database, path, extracts.seal, source_at=at, now=at)


@pytest.fixture
def rows() -> list[Record]:
    return [dict(row) for row in HOSPITALS]


def test_a_second_import_changes_nothing_but_the_source_time(
    extracts: Extracts, rows: list[Record], now: datetime
) -> None:
    held = extracts.read("select id, version, digest from institution order by id")
    assert load(extracts, rows, now + DAY) == Report(read=len(rows), unchanged=len(rows))
    assert extracts.read("select id, version, digest from institution order by id") == held
    assert extracts.read("select distinct source_at from institution") == [(now + DAY,)]


def test_the_authority_is_found_by_its_name_and_an_unknown_one_is_kept_as_text(
    extracts: Extracts, rows: list[Record], now: datetime
) -> None:
    rows[0]["发证机关"] = "某开发区行政审批局"
    assert load(extracts, rows[:2], now + DAY) == Report(read=2, changed=1, unchanged=1)
    assert extracts.read(
        "select authority, authority_name from institution where registration_no = :no", no=rows[0]["登记号"]
    ) == [(None, "某开发区行政审批局")]
    assert (
        extracts.one("select authority from institution where registration_no = :no", no=rows[1]["登记号"]) == "110000"
    )


def test_a_changed_institution_keeps_its_id_and_gets_a_version_and_an_event(
    extracts: Extracts, rows: list[Record], now: datetime
) -> None:
    no = rows[0]["登记号"]
    [(id_,)] = extracts.read("select id from institution where registration_no = :no", no=no)
    rows[0] |= {"机构名称": "新名医院", "状态": "注销"}
    load(extracts, rows, now + DAY)
    assert extracts.read("select id, name, status, version from institution where registration_no = :no", no=no) == [
        (id_, "新名医院", "CLOSED", 2)
    ]
    assert extracts.read(
        "select type, subject_version from audit_event where subject_id = :id order by seq", id=id_
    ) == [("institution.import", 1), ("institution.import", 2)]


def test_subjects_become_codes_and_unknown_ones_stay_as_written(
    extracts: Extracts, rows: list[Record], now: datetime
) -> None:
    rows[0]["诊疗科目"] = "内科；某特色科、外科"
    load(extracts, rows[:1], now + DAY)
    assert extracts.one("select subjects from institution where registration_no = :no", no=rows[0]["登记号"]) == [
        "03",
        "04",
        "某特色科",
    ]


def test_a_hyphen_in_the_number_is_the_printer_s(extracts: Extracts, rows: list[Record], now: datetime) -> None:
    rows[0]["登记号"] = f"{rows[0]['登记号'][:8]}-{rows[0]['登记号'][8:]}"
    assert load(extracts, rows[:1], now + DAY).unchanged == 1


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("机构名称", ""),
        ("登记号", "123"),
        ("统一社会信用代码", "91350100M000100Y44"),
        ("行政区划", "46"),
        ("省份", "广东省"),
        ("是否互联网医院", "也许"),
        ("许可证有效期止", "永久"),
        ("状态", "很好"),
    ],
)
def test_a_wrong_value_is_refused_at_its_field(
    extracts: Extracts, rows: list[Record], now: datetime, field: str, text: str
) -> None:
    rows[-1][field] = text
    report = load(extracts, rows[-1:], now + DAY)
    assert (report.read, report.refused) == (1, 1)
    assert report.refused_file
    assert report.refused_file.read_text("utf-8-sig").splitlines()[1].split(",")[:2] == ["2", field]


def test_older_and_repeated_rows_are_refused(extracts: Extracts, rows: list[Record], now: datetime) -> None:
    older = load(extracts, [rows[0] | {"机构名称": "旧名医院"}], now - DAY)
    assert older.refused == 1
    again = load(extracts, [rows[0], rows[1], rows[0]], now + DAY)
    assert (again.unchanged, again.refused) == (2, 1)


def test_a_sheet_imports_as_the_same_text_does(extracts: Extracts, rows: list[Record], now: datetime) -> None:
    path = write_xlsx(extracts.folder / "some.xlsx", [list(rows[0]), *(list(row.values()) for row in rows)])
    report = imports.run(extracts.database, path, extracts.seal, source_at=now + DAY, now=now + DAY)
    assert report == Report(read=len(rows), unchanged=len(rows))

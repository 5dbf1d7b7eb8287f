from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from registry.imports import Report
from registry.log.events import canonical
from registry.physicians import imports as register
from registry.physicians.writing import write
from registry.sealed import Seal
from registry.tabular import Unreadable
from tests.registry.extracts import Extracts, people, write_xlsx

DAY = timedelta(days=1)
TABLES = ("physician", "registration", "register_confirmation", "assessment", "disqualification", "audit_event")

# The truth of one place, as known at a moment.
KNOWN = """
select lower(r.valid)::text, upper(r.valid)::text, r.status, r.main_name
from registration r join physician p on p.id = r.physician_id
where p.practising_code = :code and r.recorded @> cast(:known as timestamptz) order by lower(r.valid)
"""


def state(extracts: Extracts) -> dict[str, list[tuple[object, ...]]]:
    """Every row that an import may write, but for when a source last spoke."""
    found = {name: extracts.read(f"select * from {name}") for name in TABLES if name != "register_confirmation"}
    found["confirmed"] = extracts.read("select physician_id, place, digest from register_confirmation order by 1, 2")
    return found


def test_a_first_import_adds_every_row_with_its_source_and_source_time(extracts: Extracts, now: datetime) -> None:
    said_at = now - 3 * DAY
    assert extracts.load(people(30), source_at=said_at) == Report(read=30, added=30)
    assert extracts.one("select count(*) from physician") == 30
    assert set(extracts.read("select source, source_at from physician")) == {("national_register", said_at)}
    assert set(extracts.read("select source, source_at, upper_inf(valid) from registration")) == {
        ("national_register", said_at, True)
    }
    assert extracts.read("select kind, file_name, read, added, finished_at from extract where kind = 'register'") == [
        ("register", "register.csv", 30, 30, now)
    ]


def test_numbers_are_sealed_and_found_blind(extracts: Extracts, seal: Seal) -> None:
    rows = people(3)
    extracts.load(rows)
    for row in rows:
        [(id_, number, qualification)] = extracts.read(
            "select id, id_number_sealed, qualification_sealed from physician where id_number_index = any(:indexes)",
            indexes=seal.indexes("id_number", row["证件号码"]),
        )
        assert seal.open("physician.id_number", id_, bytes(number)) == row["证件号码"]
        assert seal.open("physician.qualification", id_, bytes(qualification)) == row["资格证书编码"]
    stored = str([extracts.read(f"select t::text from {name} t") for name in (*TABLES, "audit_payload")])
    assert not any(row["证件号码"] in stored or row["证件号码"].encode().hex() in stored for row in rows)


def test_a_second_import_changes_nothing_but_when_the_source_last_spoke(extracts: Extracts, now: datetime) -> None:
    rows = people(20, assistants=0.3)
    extracts.load(rows)
    before = state(extracts)
    assert extracts.load(rows, now=now + DAY) == Report(read=20, unchanged=20)
    assert state(extracts) == before
    assert extracts.read("select distinct source_at from register_confirmation") == [(now + DAY,)]


def test_an_older_extract_that_says_the_same_does_not_turn_the_time_back(extracts: Extracts, now: datetime) -> None:
    rows = people(2)
    extracts.load(rows)
    assert extracts.load(rows, source_at=now - DAY, now=now + DAY).unchanged == 2
    assert extracts.read("select distinct source_at from register_confirmation") == [(now,)]


def test_an_older_extract_that_says_otherwise_is_refused(extracts: Extracts, now: datetime) -> None:
    rows = people(2)
    extracts.load(rows)
    rows[0]["状态"], rows[0]["状态起"] = "注销", "2026-01-01"
    report = extracts.load(rows, source_at=now - DAY, now=now + DAY)
    assert (report.changed, report.unchanged, report.refused) == (0, 1, 1)
    assert extracts.one("select count(*) from registration where status <> 'ACTIVE'") == 0


def test_a_back_dated_correction_is_answered_differently_by_what_was_known_when(
    extracts: Extracts, now: datetime
) -> None:
    rows = people(1)
    code, hospital = rows[0]["执业证书编码"], rows[0]["主要执业机构"]
    extracts.load(rows)
    rows[0] |= {"状态": "暂停", "状态起": "2026-09-01", "状态止": "2026-12-31"}
    assert extracts.load(rows, now=now + DAY).changed == 1
    begun = rows[0]["注册日期"]
    assert extracts.read(KNOWN, code=code, known=now + DAY / 2) == [(begun, None, "ACTIVE", hospital)]
    assert extracts.read(KNOWN, code=code, known=now + 2 * DAY) == [
        (begun, "2026-09-01", "ACTIVE", hospital),
        ("2026-09-01", "2027-01-01", "SUSPENDED", hospital),
        ("2027-01-01", None, "ACTIVE", hospital),
    ]


def test_a_part_that_is_kept_keeps_the_source_time_of_its_row(extracts: Extracts, now: datetime) -> None:
    rows = people(1)
    extracts.load(rows)
    rows[0] |= {"状态": "注销", "状态起": "2026-11-01"}
    extracts.load(rows, now=now + DAY)
    assert extracts.read("select status, source_at from registration where upper_inf(recorded) order by valid") == [
        ("ACTIVE", now),
        ("CANCELLED", now + DAY),
    ]


def test_a_lifted_suspension_ends_on_the_source_s_day(extracts: Extracts, now: datetime) -> None:
    rows = people(1)
    code = rows[0]["执业证书编码"]
    rows[0] |= {"状态": "暂停", "状态起": "2026-09-01"}
    extracts.load(rows)
    rows[0] |= {"状态": "有效", "状态起": ""}
    extracts.load(rows, now=now + 3 * DAY)
    assert [row[:3] for row in extracts.read(KNOWN, code=code, known=now + 4 * DAY)][1:] == [
        ("2026-09-01", "2026-11-24", "SUSPENDED"),
        ("2026-11-24", None, "ACTIVE"),
    ]


def test_two_imports_at_one_moment_leave_one_truth(extracts: Extracts) -> None:
    rows = people(1)
    extracts.load(rows)
    rows[0] |= {"状态": "吊销", "状态起": "2026-11-01"}
    assert extracts.load(rows).changed == 1
    assert extracts.read("select status from registration where upper_inf(recorded) order by valid") == [
        ("ACTIVE",),
        ("REVOKED",),
    ]


def test_a_changed_name_is_found_by_its_new_parts_and_told_by_field(extracts: Extracts, now: datetime) -> None:
    rows = people(1)
    extracts.load(rows)
    rows[0]["姓名"] = "李㛃"
    extracts.load(rows, now=now + DAY)
    assert extracts.read("select name, version from physician where name_parts @> array['李㛃']") == [("李㛃", 2)]
    told = extracts.read(
        "select payload from audit_payload join audit_event using (seq) where type = 'physician.import' order by seq"
    )
    assert json.loads(told[-1][0])["changed"] == ["name", "name_key"]


def test_a_physician_has_a_registration_in_each_of_their_places(extracts: Extracts) -> None:
    [home] = people(1)
    second = home | {"省份": "广东省", "主要执业机构": "甲医院", "主要执业机构登记号": ""}
    assert extracts.load([home, second]) == Report(read=2, added=2)
    assert extracts.one("select count(*) from physician") == 1
    assert extracts.read("select place, main_registration_no is null from registration order by place") == [
        ("44", True),
        ("46", False),
    ]


def test_an_assistant_s_place_is_the_county_of_the_institution(extracts: Extracts) -> None:
    rows = people(3, assistants=1)
    extracts.load(rows)
    assert extracts.read("select place, province from registration order by place") == sorted(
        (row["主要执业机构登记号"][9:15], "46") for row in rows
    )


def test_assessments_and_grounds_are_kept_once_each(extracts: Extracts, now: datetime) -> None:
    [row] = people(1)
    ground = {"不予注册情形": "D02", "情形起": "2026-01-05", "情形止": "", "状态原因": "处分"}
    extracts.load([row | ground])
    extracts.load([row | ground | {"职称": "教授", "情形止": "2026-12-31"}], now=now + DAY)
    extracts.load([row | ground | {"最近考核结果": "不合格"}], now=now + 2 * DAY)
    assert extracts.read("select result from assessment") == [("不合格",)]
    assert extracts.read("select code, since::text, until::text from disqualification") == [("D02", "2026-01-05", None)]


@pytest.mark.parametrize("on", ["", "2025-06-30"])
def test_an_assessment_without_a_day_is_not_added_again(extracts: Extracts, now: datetime, on: str) -> None:
    rows = people(1)
    for title, later in (("主治医师", 0), ("副主任医师", 1), ("主任医师", 2)):
        rows[0] |= {"职称": title, "最近考核日期": on}
        extracts.load(rows, now=now + later * DAY)
    assert extracts.one("select count(*) from assessment") == 1


def refused(report: Report) -> Iterator[list[str]]:
    assert report.refused_file
    with report.refused_file.open(encoding="utf-8-sig", newline="") as file:
        yield from csv.reader(file)


def test_refused_rows_lie_beside_the_file_with_line_field_and_reason(extracts: Extracts) -> None:
    rows = people(3)
    rows[1]["执业证书编码"], rows[1]["职称"] = "", "=cmd|' /C calc'!A0"
    report = extracts.load(rows)
    assert (report.read, report.added, report.refused) == (3, 2, 1)
    assert report.refused_file == extracts.folder / "register.refused.csv"
    assert report.refused_file.stat().st_mode & 0o777 == 0o600
    heading, told = refused(report)
    assert heading == ["行 line", "字段 field", "原因 reason", *rows[1]]
    assert told[:2] == ["3", "执业证书编码"]
    assert "必填" in told[2]
    assert "Required" in told[2]
    assert told[3 + list(rows[1]).index("职称")] == "'=cmd|' /C calc'!A0"
    assert told[3 + list(rows[1]).index("证件号码")] == rows[1]["证件号码"]


def test_the_file_of_refused_rows_can_be_corrected_and_imported(extracts: Extracts) -> None:
    rows = people(3)
    good = rows[1]["执业证书编码"]
    rows[1]["执业证书编码"] = "wrong"
    path = extracts.load(rows).refused_file
    assert path
    path.write_text(path.read_text("utf-8-sig").replace("wrong", good), "utf-8")
    assert extracts.load(path) == Report(read=1, added=1)


def test_an_import_without_refusals_leaves_no_file_of_them(extracts: Extracts) -> None:
    rows = people(1)
    extracts.load([rows[0] | {"状态": "?"}])
    assert (extracts.folder / "register.refused.csv").exists()
    extracts.load(rows)
    assert not (extracts.folder / "register.refused.csv").exists()


@pytest.mark.parametrize("chunk", [2, 1000])
def test_of_two_rows_for_one_place_the_later_is_refused(
    extracts: Extracts, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr("registry.imports.CHUNK", chunk)
    rows = people(4)
    report = extracts.load([*rows, rows[0] | {"职称": "另一职称"}])
    assert (report.added, report.refused) == (4, 1)
    assert [row[0] for row in refused(report)] == ["行 line", "6"]


def test_a_sheet_imports_as_the_same_text_does(extracts: Extracts, now: datetime) -> None:
    rows = people(12)
    rows[3]["姓名"] = "陈𠮷祥"
    book = write_xlsx(extracts.folder / "register.xlsx", [list(rows[0]), *(list(row.values()) for row in rows)])
    assert extracts.load(book) == Report(read=12, added=12)
    assert extracts.load(rows, now=now + DAY) == Report(read=12, unchanged=12)


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16"])
def test_other_encodings_import_the_same(extracts: Extracts, now: datetime, encoding: str) -> None:
    rows = people(5)
    rows[0]["姓名"] = "朱镕㻅"
    extracts.load(rows)
    text = (extracts.folder / "register.csv").read_text("utf-8")
    (extracts.folder / "other.csv").write_bytes(text.encode(encoding))
    assert extracts.load(extracts.folder / "other.csv", now=now + DAY) == Report(read=5, unchanged=5)


def test_a_killed_import_is_simply_run_again(extracts: Extracts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.imports.CHUNK", 5)
    rows = people(20)
    calls: list[int] = []

    def killed(*arguments: object) -> None:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        write(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("registry.physicians.merge.write", killed)
    with pytest.raises(KeyboardInterrupt):
        extracts.load(rows)
    assert extracts.one("select count(*) from physician") == 10
    assert extracts.read("select added, finished_at from extract where kind = 'register'") == [(10, None)]
    monkeypatch.setattr("registry.physicians.merge.write", write)
    assert extracts.load(rows) == Report(read=20, added=10, unchanged=10)


def test_a_file_that_breaks_off_keeps_the_chunks_before_and_says_where(
    extracts: Extracts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.imports.CHUNK", 5)
    path = extracts.register(people(60))
    path.write_text(path.read_text("utf-8") + '"张三,1\n', "utf-8")
    with pytest.raises(Unreadable, match="Line 62"):
        extracts.load(path)
    assert extracts.one("select count(*) from physician") == 60


def test_headings_that_are_missing_are_named_and_nothing_is_recorded(extracts: Extracts) -> None:
    rows = [{k: v for k, v in row.items() if k not in ("状态", "省份")} for row in people(2)]
    with pytest.raises(Unreadable, match="省份、状态"):
        extracts.load(rows)
    assert extracts.one("select count(*) from extract where kind = 'register'") == 0


def test_headings_that_are_not_known_are_reported(extracts: Extracts) -> None:
    assert extracts.load([row | {"备注": "x"} for row in people(1)]).ignored == ("备注",)


def test_every_row_told_is_one_event_that_its_payload_proves(extracts: Extracts, now: datetime) -> None:
    rows = people(4)
    extracts.load(rows)
    rows[0] |= {"状态": "撤销", "状态起": "2026-10-01"}
    extracts.load(rows, now=now + DAY)
    events = extracts.read(
        "select type, actor, at, commitment, salt, payload from audit_event join audit_payload using (seq) "
        "where type not like 'institution.%' and type not like 'authority%' order by seq"
    )
    assert [event[0] for event in events] == ["physician.import"] * 4 + ["registration.import"]
    for _, actor, _, commitment, salt, payload in events:
        assert actor == "operator"
        assert len(salt) == 32
        assert hashlib.sha256(bytes(salt) + payload.encode()).digest() == bytes(commitment)
        assert canonical(json.loads(payload)) == payload
    assert {event[2] for event in events} == {now, now + DAY}


def test_progress_is_told_with_each_chunk(extracts: Extracts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.imports.CHUNK", 4)
    told: list[tuple[int, float]] = []
    path = extracts.register(people(10))
    register.run(
        extracts.database, path, extracts.seal, source_at=extracts.now, now=extracts.now,
        progress=lambda rows, share: told.append((rows, share)),
    )  # fmt: skip
    assert [rows for rows, _ in told] == [4, 8, 10, 10]
    assert told[-1][1] == 1


def test_a_rotated_key_still_tells_unchanged_rows(extracts: Extracts, now: datetime) -> None:
    rows = people(3)
    extracts.load(rows)
    rotated = replace(extracts, seal=Seal({1: bytes(range(32)), 2: bytes(32)}))
    assert rotated.load(rows, now=now + DAY) == Report(read=3, unchanged=3)


def test_the_application_s_role_is_enough(extracts: Extracts) -> None:
    extracts.load(people(1))
    with extracts.database.engine.connect() as connection:
        assert connection.execute(sa.text("select current_user")).scalar() == "registry_app"


def test_a_path_that_is_no_file_is_one_clear_line(extracts: Extracts, tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=r"absent\.csv"):
        extracts.load(tmp_path / "absent.csv")

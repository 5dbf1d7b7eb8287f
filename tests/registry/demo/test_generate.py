from __future__ import annotations

from itertools import islice

from registry.codes.load import packaged_tables
from registry.demo import generate
from registry.institutions import rows as institution_rows
from registry.institutions.rows import InstitutionRow
from registry.physicians import rows as register_rows
from registry.physicians.rows import RegisterRow
from registry.tabular import Row
from tests.registry.extracts import HOSPITALS, TODAY
from workflows.numbers import find_qualification

CODES = packaged_tables()


def test_the_same_seed_makes_the_same_people_and_another_seed_others() -> None:
    def made(seed: int) -> list[generate.Record]:
        return list(generate.register(HOSPITALS, 50, TODAY, seed=seed))

    assert made(1) == made(1)
    assert made(1) != made(2)


def test_every_institution_passes_its_import() -> None:
    reader = institution_rows.Reader(CODES)
    checked = [reader.read(Row(n, [], row, ())) for n, row in enumerate(HOSPITALS)]
    assert all(isinstance(row, InstitutionRow) for row in checked)
    assert len({row["登记号"] for row in HOSPITALS}) == len(HOSPITALS) > 60
    assert [row["是否互联网医院"] for row in HOSPITALS[-3:]] == ["否", "是", "是"]
    assert "精神科" not in HOSPITALS[-2]["诊疗科目"]
    assert "精神科" in HOSPITALS[-1]["诊疗科目"]


def test_every_physician_passes_the_import_and_is_one_person() -> None:
    reader = register_rows.Reader(CODES, TODAY)
    blank = {heading.name: "" for heading in register_rows.HEADINGS}
    made = list(islice(generate.register(HOSPITALS[:-2], 3000, TODAY), 3000))
    assert all(isinstance(reader.read(Row(n, [], blank | row, ())), RegisterRow) for n, row in enumerate(made))
    for field in ("证件号码", "执业证书编码", "资格证书编码"):
        assert len({row[field] for row in made}) == len(made)
    for row in made:
        qualification = find_qualification(row["资格证书编码"])
        assert qualification
        assert qualification.id_number == row["证件号码"]

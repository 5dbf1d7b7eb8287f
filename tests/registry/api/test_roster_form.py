"""The form around a roster: whatever is wrong with it is said, and nothing of it is kept."""

from __future__ import annotations

import json
import uuid

import pytest

from auth.roles import Role
from tests.world import Caller, World


@pytest.fixture(scope="module")
def filer(loaded: World) -> Caller:
    return loaded.account(Role.FILER, loaded.internet["登记号"])


@pytest.mark.parametrize(
    "mapping",
    [[1], "x", {"a": ["姓名"]}, {"a": {}}, {"a": None}, {"a": "nothing of ours"}, {"\x00": "姓名"}, {"\ud800": "姓名"}],
)
def test_a_mapping_that_maps_nothing_of_ours_is_refused(loaded: World, filer: Caller, mapping: object) -> None:
    institution = loaded.internet["登记号"]
    status, answer = filer.upload("/rosters", b"a,b\n", institution=institution, mapping=json.dumps(mapping))
    assert status == 422
    assert [(e["field"], e["code"]) for e in answer["errors"]] == [("mapping", "mapping")]


def test_an_institution_with_a_control_character_is_refused(filer: Caller) -> None:
    status, answer = filer.upload("/rosters", b"a,b\n", institution="a\x00b")
    assert status == 422
    assert [(e["field"], e["code"]) for e in answer["errors"]] == [("institution", "characters")]


def test_a_boundary_without_end_is_a_malformed_upload(loaded: World, filer: Caller) -> None:
    answer = loaded.http.post(
        "/api/v1/rosters",
        content=b"x",
        headers={
            "Authorization": f"Bearer {filer.token}",
            "Idempotency-Key": str(uuid.uuid4()),
            "Content-Type": "multipart/form-data; boundary=" + "X" * 5000,
        },
    )
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "broken")

"""Evidence as it really comes: megabytes large, and one file at a time."""

from __future__ import annotations

import uuid
from typing import Any

import httpx2
import pytest

from auth.roles import Role
from registry.documents.commands import MAX_BYTES
from tests.world import Caller, World

PDF = b"%PDF-1.7\n"
Part = tuple[str, tuple[str | None, bytes]]


@pytest.fixture(scope="module")
def filer(loaded: World) -> Caller:
    return loaded.account(Role.FILER, loaded.internet["登记号"])


@pytest.fixture(scope="module")
def filing(loaded: World, filer: Caller) -> dict[str, Any]:
    status, answer = filer.post("/filings", loaded.body(loaded.physician(), loaded.internet["登记号"]))
    assert status == 201
    found: dict[str, Any] = answer
    return found


def test_an_attachment_may_be_as_large_as_the_limit_says(filer: Caller, filing: dict[str, Any]) -> None:
    status, answer = filer.upload(f"/filings/{filing['id']}/attachments", PDF + b"a" * (MAX_BYTES - len(PDF)))
    assert (status, answer.get("size")) == (201, MAX_BYTES)


def test_one_byte_more_is_too_large_and_a_problem_says_so(filer: Caller, filing: dict[str, Any]) -> None:
    status, answer = filer.upload(f"/filings/{filing['id']}/attachments", PDF + b"a" * (MAX_BYTES - len(PDF) + 1))
    assert (status, answer["code"]) == (413, "too_large")


def test_a_second_file_or_an_unknown_field_is_refused_not_dropped(
    loaded: World, filer: Caller, filing: dict[str, Any]
) -> None:
    def sent(parts: list[Part]) -> httpx2.Response:
        return loaded.http.post(
            f"/api/v1/filings/{filing['id']}/attachments",
            files=parts,
            headers={"Authorization": f"Bearer {filer.token}", "Idempotency-Key": str(uuid.uuid4())},
        )

    one: Part = ("file", ("a.pdf", PDF + b"1"))
    two: Part = ("file", ("b.pdf", PDF + b"2"))
    for parts, field, code in (
        ([one, two], "file", "repeated"),
        ([one, ("kind", (None, b"other")), ("kind", (None, b"identity"))], "kind", "repeated"),
        ([one, ("approved", (None, b"true"))], "approved", "unknown"),
    ):
        answer = sent(parts)
        assert answer.status_code == 422
        assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [(field, code)]
    assert sent([one]).status_code == 201

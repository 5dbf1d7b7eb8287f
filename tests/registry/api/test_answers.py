"""What every answer of the service is like, also where the framework would answer by itself."""

from __future__ import annotations

import pytest

from auth.roles import Role
from tests.world import AUTHORITY, World

POSTS = ["/auth/token", "/api/v1/verify", "/api/v1/filings", "/api/v1/physicians/search", "/nowhere"]


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_too_large_is_a_problem_with_the_headers_of_every_answer(
    loaded: World, caplog: pytest.LogCaptureFixture, path: str, *, chunked: bool
) -> None:
    token = loaded.account(Role.FILER, loaded.internet["登记号"]).token
    kind = "application/x-www-form-urlencoded" if path.startswith("/auth") else "application/json"
    large = b" " * (1 << 20)
    answer = loaded.http.post(
        path,
        content=iter([large]) if chunked else large,
        headers={"Authorization": f"Bearer {token}", "Idempotency-Key": "a", "Content-Type": kind},
    )
    if path == "/nowhere" and chunked:
        assert answer.status_code == 404  # nobody reads it
        return
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "too_large"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert "unexpected" not in caplog.text


@pytest.mark.parametrize("path", ["/filings/", "/physicians/"])
def test_an_address_with_a_slash_too_many_is_not_there(loaded: World, path: str) -> None:
    status, answer = loaded.account(Role.REVIEWER, AUTHORITY).get(path)
    assert (status, answer["code"]) == (404, "not_found")

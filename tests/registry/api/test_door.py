"""What no route has to look at itself: characters that nothing stored can hold, and identity numbers in addresses."""

from __future__ import annotations

import pytest

from auth.roles import Role
from tests.world import AUTHORITY, Caller, World

PLACES = [
    ("/institutions", "q"),
    ("/institutions", "province"),
    ("/physicians", "practising_code"),
    ("/physicians", "name"),
    ("/physicians", "q"),
    ("/filings", "q"),
    ("/filings", "institution"),
    ("/filings", "state"),
    ("/verify", "name"),
]


@pytest.fixture(scope="module")
def reviewer(loaded: World) -> Caller:
    return loaded.account(Role.REVIEWER, AUTHORITY)


@pytest.mark.parametrize(("path", "name"), PLACES)
@pytest.mark.parametrize("value", ["\x00", "a\x00b", "a\x1b[31m", "a\r\nb", "a\x7f"])
def test_a_control_character_in_the_query_is_invalid(reviewer: Caller, path: str, name: str, value: str) -> None:
    status, answer = reviewer.get(path, **{name: value})
    assert (status, answer["code"]) == (422, "invalid")
    assert (name, "characters") in {(error["field"], error["code"]) for error in answer["errors"]}


@pytest.mark.parametrize(("path", "name"), PLACES)
@pytest.mark.parametrize(
    "number", ["110101199003070011", "1101 0119 9003 0700 1X", "１１０１０１１９９００３０７００１１"]
)
def test_an_identity_number_in_the_query_is_invalid(reviewer: Caller, path: str, name: str, number: str) -> None:
    status, answer = reviewer.get(path, **{name: number})
    assert (status, answer["code"]) == (422, "invalid")
    assert "identity_number" in {error["code"] for error in answer["errors"]}
    assert number not in str(answer)


@pytest.mark.parametrize("path", ["/institutions/%00", "/institutions/a%00b", "/institutions/%1B", "/filings/%00"])
def test_a_control_character_in_the_path_is_not_there(reviewer: Caller, path: str) -> None:
    status, answer = reviewer.get(path)
    assert (status, answer["code"]) == (404, "not_found")

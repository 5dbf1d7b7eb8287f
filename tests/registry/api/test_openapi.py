"""The document that other systems build from tells the truth about errors, roles and bodies."""

from __future__ import annotations

from registry.api.access import ACCESS
from tests.world import World


def test_every_operation_names_our_problems_and_who_may_call(loaded: World) -> None:
    document = loaded.http.get("/openapi.json").json()
    seen = {
        f"{method.upper()} {path}": operation
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    assert len(seen) > 20
    for route, operation in seen.items():
        assert "422" not in operation["responses"], route
        assert "default" in operation["responses"], route
        assert ("security" in operation) is not ACCESS[route.replace("{tile}", "{tile:path}")].public, route
    assert "HTTPValidationError" not in str(document)


def test_the_upload_of_a_roster_is_described_field_by_field(loaded: World) -> None:
    operation = loaded.http.get("/openapi.json").json()["paths"]["/api/v1/rosters"]["post"]
    form = operation["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert set(form["properties"]) == {"file", "institution", "mapping"}

"""A row made in bulk is the row its table's constructor makes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session, SQLModel

from registry.authorities.tables import Authority
from registry.database import fresh, new_id
from registry.filings.tables import ClockEntry, Evaluation, Filing

AT = datetime(2026, 11, 21, 1, tzinfo=UTC)
MADE: list[tuple[type[SQLModel], dict[str, Any]]] = [
    (Filing, {"id": new_id(), "number": "1", "name": "王", "created_at": AT}),
    (Evaluation, {"id": new_id(), "filing_id": new_id(), "round": 1, "outcome": "ok"}),
    (ClockEntry, {"id": new_id(), "filing_id": new_id(), "kind": "start", "at": AT}),
]


@pytest.mark.parametrize(("table", "given"), MADE)
def test_it_has_the_values_given_and_the_defaults_of_the_others(table: type[SQLModel], given: dict[str, Any]) -> None:
    made, plain = fresh(table, **given), table(**given)
    names = [name for name in table.model_fields if hasattr(plain, name)]
    assert {name: getattr(made, name) for name in names} == {name: getattr(plain, name) for name in names}


def test_what_is_made_anew_is_not_shared() -> None:
    one, two = fresh(Filing), fresh(Filing)
    assert one.id != two.id
    assert one.scopes == two.scopes == []
    assert one.scopes is not two.scopes


def test_it_is_stored_and_changed_like_any_other(session: Session) -> None:
    row = fresh(Authority, code="469999", name="某局")
    session.add(row)
    session.flush()
    row.name = "另一局"
    session.flush()
    assert session.execute(sa.text("select name from authority where code = '469999'")).scalar_one() == "另一局"

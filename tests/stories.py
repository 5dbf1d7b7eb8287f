"""The steps that most stories begin with, each by whoever has to take it."""

from __future__ import annotations

from typing import Any

from tests.world import Caller, Row, World

PDF = b"%PDF-1.7\nsigned consent\n"


def filed(world: World, filer: Caller, person: Row, **changes: Any) -> dict[str, Any]:
    """A draft."""
    status, answer = filer.post("/filings", world.body(person, world.internet["登记号"], **changes))
    assert status == 201, answer
    made: dict[str, Any] = answer
    return made


def submitted(world: World, filer: Caller, person: Row, **changes: Any) -> tuple[dict[str, Any], Caller]:
    """A filing that its physician has consented to, with the main institution's signed consent attached."""
    filing = filed(world, filer, person, **changes)
    status, answer = filer.upload(
        f"/filings/{filing['id']}/attachments", PDF + person["姓名"].encode(), kind="main_consent"
    )
    assert status == 201, answer
    status, filing = filer.get(f"/filings/{filing['id']}")
    assert status == 200, filing
    filing = filer.does(filing, "propose")
    doctor = world.account("physician", person["主要执业机构登记号"], person)
    status, shown = doctor.get(f"/filings/{filing['id']}")
    assert status == 200, shown
    return doctor.does(shown, "consent", text_sha256=shown["consent_sha256"]), doctor


def reviewed(reviewer: Caller, filing: dict[str, Any]) -> dict[str, Any]:
    """Claimed and accepted by this reviewer."""
    for name in ("claim", "accept"):
        filing = reviewer.does(filing, name)
    return filing

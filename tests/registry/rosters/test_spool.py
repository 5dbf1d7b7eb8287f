"""The uploaded file is kept for as long as somebody has to read it, and no longer."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from registry.rosters.spool import Spool, sweep
from registry.transaction import transaction
from tests.registry.rosters.conftest import Desk
from workflows.roster import Act


def kept(desk: Desk) -> set[uuid.UUID]:
    return {upload for (upload,) in desk.read("select distinct upload_id from spooled_part")}


def swept(desk: Desk, before: datetime) -> set[uuid.UUID]:
    with transaction(desk.node.database) as session:
        sweep(session, before)
    return kept(desk)


def test_a_file_is_dropped_once_its_rows_are_stored_or_nobody_came_back_for_it(desk: Desk) -> None:
    file = desk.csv(desk.made.roster[:3])
    read = desk.roster(desk.judged(file)).upload_id
    waiting, resting = desk.upload(file), desk.upload(file)
    desk.act(resting, Act.PAUSE, desk.filer())
    unread = {desk.roster(waiting).upload_id, desk.roster(resting).upload_id}
    lost = Spool(desk.node.database, desk.seal)
    lost.write(b"half of a file")
    lost.finish()
    assert kept(desk) == {read, lost.upload_id} | unread
    now = datetime.now(UTC)
    assert swept(desk, now - timedelta(days=1)) == {read, lost.upload_id} | unread
    assert swept(desk, now + timedelta(days=1)) == unread

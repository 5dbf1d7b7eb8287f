"""What the worker does by the clock. To add a job, add a line to `JOBS`; it runs again after a crash, so it must bear repetition."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from auth import sweep
from registry import idempotency
from registry.filings import due
from registry.node import Node
from registry.rosters import spool
from registry.transaction import transaction

ANSWERS_ARE_KEPT = timedelta(days=30)  # of an Idempotency-Key
UPLOADS_ARE_KEPT = timedelta(days=1)  # longer than any upload takes to come in


@dataclass(frozen=True)
class Job:
    """One kind of job: `name` is noun.act, `cron` five fields in UTC."""

    name: str
    cron: str
    run: Callable[[Node], None]


def sweep_sign_ins(node: Node) -> None:
    with transaction(node.database) as session:
        sweep.sweep(session, now=node.clock())


def forget_answers(node: Node) -> None:
    with transaction(node.database) as session:
        idempotency.forget(session, node.clock() - ANSWERS_ARE_KEPT)


def sweep_uploads(node: Node) -> None:
    with transaction(node.database) as session:
        spool.sweep(session, node.clock() - UPLOADS_ARE_KEPT)


def act_on_due_filings(node: Node) -> None:
    due.act_on_due(node)


JOBS: tuple[Job, ...] = (
    Job("sign_in.sweep", "*/5 * * * *", sweep_sign_ins),
    Job("filing.due", "*/10 * * * *", act_on_due_filings),
    Job("answer.forget", "17 * * * *", forget_answers),
    Job("upload.sweep", "27 * * * *", sweep_uploads),
)

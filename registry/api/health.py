"""Is the process there; can the service do its work."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Request

from registry.errors import Unavailable
from registry.migrate import is_current
from registry.transaction import transaction
from registry.witness.asking import standing
from workflows.text import Text

router = APIRouter(tags=["operation"])

_WORKER_SILENT_AFTER = 30  # seconds


@router.get("/healthz")
def healthz() -> dict[str, str]:
    return {"status": "ok"}


@router.get("/readyz")
def readyz(request: Request) -> dict[str, Any]:
    """200 when the database answers, its migrations are this release's, and a worker beat in the last 30 seconds."""
    with transaction(request.app.state.database) as session:
        current = is_current(session.connection())
        silence = session.execute(
            sa.text("select extract(epoch from now() - max(last_heartbeat)) from procrastinate_workers")
        ).scalar_one()
        witnesses = standing(session, request.app.state.settings.log_quorum)
    if not current:
        raise Unavailable(
            Text(
                "数据库结构与程序版本不一致，请先运行 registry migrate。",
                "The database is not at this release; run registry migrate.",
            )
        )
    if silence is None or silence > _WORKER_SILENT_AFTER:
        raise Unavailable(
            Text(
                "后台任务进程没有响应，请启动 registry worker。",
                "No worker has answered for 30 seconds; start registry worker.",
            )
        )
    return {"status": "ready", "worker_silent_s": round(float(silence), 1), "witnesses": witnesses}

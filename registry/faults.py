"""Places where a process may be made to die, to prove that nothing is lost there.

Nothing happens unless REGISTRY_FAULT says so: `<point>` raises `Fault` at that point, `<point>:kill` ends the process as
`kill -9` does. Every point is named in a test.
"""

from __future__ import annotations

import os
import signal


class Fault(Exception):
    """Raised on purpose, at the point that REGISTRY_FAULT names."""


def fault(point: str) -> None:
    """Die here, if this is the point."""
    wanted = os.environ.get("REGISTRY_FAULT")
    if wanted is None:
        return
    if wanted == f"{point}:kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if wanted == point:
        raise Fault(point)

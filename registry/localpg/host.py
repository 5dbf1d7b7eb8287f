"""What the operating system needs asked: accounts, locks, signals and processes."""

from __future__ import annotations

import contextlib
import hashlib
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class LocalPgError(RuntimeError):
    """The cluster cannot be made or started; the message is for the operator."""


def end_with_parent() -> None:
    """In a forked child, before exec: get SIGINT when the parent dies, however it dies (Linux; elsewhere nothing)."""
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415  only here

        ctypes.CDLL(None).prctl(1, signal.SIGINT)  # PR_SET_PDEATHSIG


@contextlib.contextmanager
def locked(path: Path, timeout: float) -> Iterator[None]:
    """Only one process at a time makes or starts the cluster."""
    with path.open("a+b") as lock:
        end = time.monotonic() + timeout
        while True:
            try:
                _try_lock(lock.fileno())
                break
            except OSError:
                if time.monotonic() > end:
                    raise LocalPgError(f"{path} is held by another start") from None
                time.sleep(0.05)
        yield


if sys.platform == "win32":
    import msvcrt

    def _try_lock(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

    def server_account() -> dict[str, Any]:
        return {}

else:
    import fcntl
    import pwd

    def _try_lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def server_account() -> dict[str, Any]:
        """PostgreSQL refuses root: as root, the plain account that runs the server, as arguments of `subprocess`."""
        if os.geteuid() != 0:
            return {}
        for name in (os.environ.get("REGISTRY_PG_OSUSER"), "postgres", "nobody"):
            if name:
                with contextlib.suppress(KeyError):
                    account = pwd.getpwnam(name)
                    if account.pw_uid:
                        return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        raise LocalPgError("running as root, and no account postgres or nobody exists to run the database")


def reachable(asked: Path) -> Path:
    """`asked`, or for root under a closed folder a place the server's account can enter: its parents' modes are not ours."""
    closed = any(not parent.stat().st_mode & 0o001 for parent in asked.parents if parent.exists())
    if server_account() and closed:
        return Path("/var/lib/registry") / hashlib.sha256(str(asked).encode()).hexdigest()[:16]
    return asked


def serves_another(process: Path, data: Path) -> bool:
    """Whether a live postgres has another folder. One that cannot be looked at is taken for ours, the safe side."""
    try:
        return not data.samefile(process / "cwd")
    except OSError:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

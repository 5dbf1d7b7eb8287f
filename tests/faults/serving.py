"""`registry serve` as a process of its own, and clients that do not give up."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import httpx2

from registry.cli import main
from tests.world import Caller, World

PATIENCE = 60.0  # seconds that a client goes on asking


# A process that has imported everything and has no threads: a new server is its child, and there in no time.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["registry.app", "registry.cli.operation", "uvicorn"])


def _serve(folder: Path, environment: Mapping[str, str]) -> None:
    """What the shell does for `registry serve`: a folder, an environment, a log."""
    os.chdir(folder)
    for name in [name for name in os.environ if name.startswith("REGISTRY_")]:
        del os.environ[name]
    os.environ.update(environment)
    log = os.open(folder / "serve.log", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.exit(main(["serve"]))


@dataclass
class Served:
    """The province behind a real server. `world` is the same register, reached through that server."""

    inside: World
    world: World = field(init=False)
    process: BaseProcess | None = None

    def __post_init__(self) -> None:
        settings = self.inside.app.state.settings
        self.world = replace(self.inside, http=httpx2.Client(base_url=settings.base_url, timeout=20, trust_env=False))

    def start(self) -> None:
        environment = {
            "REGISTRY_ENV": "demo",
            "REGISTRY_DATA_DIR": str(self.inside.folder),
            "REGISTRY_PORT": str(self.inside.app.state.settings.port),
            "REGISTRY_NOW": self.inside.now.isoformat(),
        }
        self.process = FORKS.Process(target=_serve, args=(self.inside.folder, environment), name="registry serve")
        self.process.start()
        wait_until(self._answers)

    def kill(self) -> None:
        """As the kernel would: no goodbye, no clean-up."""
        assert self.process
        self.process.kill()
        self.process.join(30)

    def end(self) -> None:
        self.world.http.close()
        if self.process and self.process.is_alive():
            self.process.terminate()
            self.process.join(30)

    def log(self) -> str:
        return (self.inside.folder / "serve.log").read_text(errors="replace")

    def _answers(self) -> bool:
        assert self.process
        assert self.process.is_alive(), self.log()[-2000:]
        try:
            return self.world.http.get("/healthz", timeout=2).status_code == 200
        except httpx2.TransportError:
            return False


def wait_until(fact: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < end, f"not so after {seconds:.0f} s"
        time.sleep(0.01)


def insist(caller: Caller, path: str, body: Any, key: str) -> httpx2.Response:
    """What a client has to do: repeat the same request under the same key until it is answered. Never meets a 500."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            answer = caller.ask(path, body, key=key)
        except httpx2.TransportError:
            answer = None
        if answer is not None:
            assert answer.status_code != 500, answer.text
            if not passing(answer):
                return answer
        assert time.monotonic() < end, f"no answer in {PATIENCE:.0f} s"
        time.sleep(0.02)


def passing(answer: httpx2.Response) -> bool:
    """Whether the server asks to come again: busy (it says when), or the same request is still in flight."""
    if answer.status_code == 503:
        assert answer.headers["Retry-After"].isdigit()
        return True
    return answer.status_code == 409 and answer.json()["code"] == "conflict"

"""One province on a server of its own, to be raced, cut off and killed; every test ends with the invariants."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from registry import migrate
from registry.app import create_app
from registry.localpg import Cluster
from registry.localpg.host import free_port
from registry.node import Node
from registry.settings import Environment, Settings
from registry.time import CHINA
from registry.transaction import Database
from tests.faults.sabotage import Sabotage
from tests.faults.serving import Served
from tests.invariants import check
from tests.world import StoppedClock, World

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=CHINA)

# The process may die here, not the machine: what is committed has to reach the operating system, not the disk.
SETTINGS = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "on"}

SOAK = Path(__file__).parents[2] / "docs" / "soak.md"

Report = Callable[..., None]


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A server that is nobody else's, so that it can be killed."""
    folder = Path(tempfile.mkdtemp(prefix="registry-"))
    folder.chmod(0o755)  # the account that runs the server for root has to get in
    cluster = Cluster(folder / "postgres", settings=SETTINGS, die_with_parent=True).start()
    yield cluster
    cluster.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def whole(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[World]:
    soak = any(item.get_closest_marker("soak") for item in request.session.items)
    database = Database(cluster.owner_url(), cluster.app_url())
    migrate.prepare(database, MONDAY, demo=True)
    settings = Settings(
        _env_file=None,
        env=Environment.DEMO,
        data_dir=cluster.root.parent,
        port=free_port(),
    )
    app = create_app(Node(settings, database, clock := StoppedClock(MONDAY)))
    with TestClient(app, raise_server_exceptions=False) as http:
        world = World(app, http, database, cluster.root.parent, clock)
        world.load(physicians=3_000 if soak else 240)
        yield world


@pytest.fixture
def world(whole: World) -> Iterator[World]:
    """The province on its first Monday. Whatever the test did, the invariants hold after it."""
    whole.clock.now = MONDAY
    whole.told.clear()
    yield whole
    check(whole.database, whole.told)


@pytest.fixture
def served(world: World) -> Iterator[Served]:
    """`registry serve` of this province, a process that can be killed and started again."""
    served = Served(world)
    served.start()
    yield served
    served.end()


@pytest.fixture
def sabotage(world: World) -> Iterator[Sabotage]:
    sabotage = Sabotage(world.database.owner_engine)
    yield sabotage
    sabotage.end()


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Report:
    """Keeps what a soak has found: a line of docs/soak.md. The short runs say nothing."""

    def line(what: str, found: str) -> None:
        if request.node.get_closest_marker("soak"):
            with SOAK.open("a", encoding="utf-8") as page:
                page.write(f"| {datetime.now(UTC):%Y-%m-%d} | {what} | {found} |\n")

    return line

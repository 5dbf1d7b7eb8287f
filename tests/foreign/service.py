"""Runs the service on a scratch database and lets foreign clients use it: python service.py"""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from cryptography.hazmat.primitives.asymmetric import ec

from auth.p256 import private_pem, public_pem
from registry import clients, migrate
from registry.app import create_app
from registry.localpg import Cluster
from registry.node import Node
from registry.settings import Environment, Settings
from registry.time import clock_at
from registry.transaction import Database, transaction

HERE = Path(__file__).resolve().parent


def main() -> int:
    root = Path(tempfile.mkdtemp(prefix="registry-foreign-"))
    cluster = Cluster(root, die_with_parent=True).start()
    try:
        database = Database(cluster.owner_url(), cluster.app_url())
        migrate.prepare(database, datetime.now(UTC), demo=True)
        key = ec.generate_private_key(ec.SECP256R1())
        (root / "client.pem").write_text(private_pem(key))
        with transaction(database) as session:
            public = public_pem(key.public_key())
            clients.add_client(
                session, "foreign", "460000", ["verify"], public_key=public, purpose="a test", now=datetime.now(UTC)
            )
        with serving(database, root) as address:
            return subprocess.run(
                ["node", "service.mjs", address, str(root / "client.pem")], cwd=HERE, check=False
            ).returncode
    finally:
        cluster.stop()
        shutil.rmtree(root, ignore_errors=True)


@contextlib.contextmanager
def serving(database: Database, root: Path) -> Iterator[str]:
    """The address of the service."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        settings = Settings(
            _env_file=None,
            env=Environment.DEMO,
            data_dir=root,
            key_dir=root / "keys",
            public_url=address,
        )
        server = uvicorn.Server(
            uvicorn.Config(create_app(Node(settings, database, clock_at(None))), log_level="warning")
        )
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        while not server.started:
            time.sleep(0.05)
        yield address
        server.should_exit = True
        thread.join()


if __name__ == "__main__":
    sys.exit(main())

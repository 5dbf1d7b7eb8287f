"""Our log before a witness that others wrote, and their log before ours: python witnesses.py FOLDER, of the programs of aics-witness."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from registry.log.note import VerifierKey
from registry.log.sequencer import Sequencer
from registry.time import system_clock
from registry.witness.asking import Neighbour, Witnesses, _post
from tests.foreign.cases import NAME, SIZES, empty_log
from tests.registry.log.conftest import Book
from tests.registry.witness.conftest import Log, Watcher
from tests.registry.witness.test_three_nodes import served

HERE = Path(__file__).resolve().parent


def main() -> int:
    programs = Path(sys.argv[1])
    with empty_log() as book, tempfile.TemporaryDirectory() as folder:
        checks = our_log_before_theirs(programs, book, Path(folder)) | their_log_before_ours(programs, book)
    failed = [name for name, passed in checks.items() if not passed]
    for name in failed:
        print(f"FAILED {name}")
    print(f"aics-witness: {len(checks) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


def our_log_before_theirs(programs: Path, book: Book, folder: Path) -> dict[str, bool]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        address = f"127.0.0.1:{probe.getsockname()[1]}"

    def witness(*arguments: str) -> str:
        command = [str(programs / "aics-witness"), *arguments]
        said: str = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
        return said

    said = witness("init", "--name", "foreign.example/w1", "--listen", address)
    vkey = next(word for word in said.split() if word.startswith("foreign.example/w1+"))
    witness("add-log", "--origin", NAME, "--vkey", str(book.key))
    server = subprocess.Popen([programs / "aics-witness", "serve", "--log-level", "ERROR"], cwd=folder)
    try:
        wait_for(address)
        neighbour = Neighbour("foreign", f"http://{address}", VerifierKey.parse(vkey))
        witnesses = Witnesses(book.node.database, system_clock, [neighbour], 1)
        checks = {}
        for before, size in zip((0, *SIZES), SIZES, strict=False):
            book.write(size - before)
            with Sequencer(book.node, witnesses) as sequencer:
                sequencer.step()
            checks[f"their witness co-signs {size}"] = bool(book.published().by([neighbour.key]))
        fork = Log(NAME, sequencer._key).grown(SIZES[-1] + 1)
        checks["their witness refuses a fork"] = _post(neighbour.url, fork.submission(SIZES[-1]))[0] == 422
        checks["and keeps it"] = NAME in witness("evidence")
        return checks
    finally:
        server.terminate()
        server.wait()


def their_log_before_ours(programs: Path, book: Book) -> dict[str, bool]:
    theirs = Log("their.example/log")
    ours = Watcher(book.node.database)
    ours.watches(theirs)
    with served(ours, system_clock) as url:
        command = [str(programs / "python"), str(HERE / "aics_log.py"), url, str(ours.key), theirs.name]
        seed = theirs.signer.private_bytes_raw().hex()
        done = subprocess.run(command, input=seed, text=True, check=False)
    return {"our witness co-signs their log and refuses their fork": done.returncode == 0}


def wait_for(address: str) -> None:
    host, port = address.split(":")
    for _ in range(100):
        try:
            with socket.create_connection((host, int(port)), timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the foreign witness did not start")


if __name__ == "__main__":
    sys.exit(main())

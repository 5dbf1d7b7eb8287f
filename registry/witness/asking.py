"""Our own checkpoints taken to our witnesses: side by side, two seconds each, and never in the way of publishing."""

from __future__ import annotations

import http.client
import logging
import queue
import threading
import time
from collections.abc import Callable, Collection, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from registry.log import proofs
from registry.log.checkpoint import Checkpoint
from registry.log.note import COSIGNATURE, Note, Signature, Untrusted, VerifierKey
from registry.node import Node
from registry.settings import SettingsError
from registry.time import Clock
from registry.transaction import Database, transaction
from registry.witness.submission import Submission, parse_size
from registry.witness.tables import Cosigner

log = logging.getLogger(__name__)

PATIENCE = 2.0  # seconds for all witnesses together
AGAIN = timedelta(seconds=10)  # until one that failed is asked again
MOST_BYTES = 4_096  # of an answer

Prove = Callable[
    [int, int], list[bytes]
]  # the consistency proof between two sizes of our tree, in a transaction of its own


class Neighbour(NamedTuple):
    """A witness of ours: what we call it, where it answers, and the key its operator handed over."""

    name: str
    url: str
    key: VerifierKey


class Answer(NamedTuple):
    neighbour: Neighbour
    signature: Signature | None
    failure: str | None = None


class Declined(Exception):
    """No cosignature, and why not."""


def read_neighbours(path: Path) -> tuple[Neighbour, ...]:
    """From a file with a line `NAME URL VKEY` for each, # for remarks. Raises `SettingsError`."""
    found: dict[str, Neighbour] = {}
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise SettingsError("REGISTRY_LOG_WITNESSES: the file cannot be read") from None
    for number, line in enumerate(lines, 1):
        parts = line.partition("#")[0].split() if not line.startswith("#") else []
        if not parts:
            continue
        try:
            name, url, vkey = parts
            key = VerifierKey.parse(vkey)
            right = key.type == COSIGNATURE and urlsplit(url).scheme in {"http", "https"} and urlsplit(url).hostname
        except ValueError:
            right = None
        if not right or name in found:
            raise SettingsError(f"REGISTRY_LOG_WITNESSES: line {number} is not NAME URL VKEY of another witness")
        found[name] = Neighbour(name, url.rstrip("/"), key)
    return tuple(found.values())


def majority(count: int) -> int:
    """More than half: two quorums share a witness, so a log cannot show two trees to two of them."""
    return count // 2 + 1


def witnesses_of(node: Node) -> Witnesses | None:
    """Those that the settings name; None without any. Raises `SettingsError`."""
    settings = node.settings
    if settings.log_witnesses is None:
        return None
    neighbours = read_neighbours(settings.log_witnesses)
    quorum = settings.log_quorum or majority(len(neighbours))
    if quorum > len(neighbours):
        raise SettingsError("REGISTRY_LOG_QUORUM: more than there are witnesses")
    return Witnesses(node.database, node.clock, neighbours, quorum)


def standing(session: Session, wanted: int | None) -> dict[str, object]:
    """Who of our witnesses is late, and whether the others are a quorum: availability first, but never silently."""
    late = {row.name: row.late_since is not None for row in session.exec(select(Cosigner).order_by(col(Cosigner.name)))}
    in_time = len(late) - sum(late.values())
    return {
        "late": [name for name, is_late in late.items() if is_late],
        "quorum": not late or in_time >= (wanted or majority(len(late))),
    }


class Witnesses:
    """The witnesses of one log. Made once by its one sequencer; remembers who failed and who still has not answered."""

    def __init__(self, database: Database, clock: Clock, neighbours: Collection[Neighbour], quorum: int) -> None:
        self._database, self._clock = database, clock
        self._neighbours, self._quorum = tuple(neighbours), quorum
        self._again: dict[str, datetime] = {}
        self._asked: dict[str, threading.Thread] = {}
        self._late = False

    def __call__(self, note: Note) -> Note:
        """The checkpoint with the cosignatures that came in time; what came and what did not is in `cosigner`.

        Not to be called inside a transaction. Raises what the database raises, and nothing of the network.
        """
        now, checkpoint, sizes = self._clock(), Checkpoint.of(note), self._sizes()
        due = [n for n in self._neighbours if self._again.get(n.name, now) <= now and not self._waits_for(n)]
        answers = self._ask(due, lambda neighbour: self._obtain(neighbour, sizes.get(neighbour.name, 0), note))
        for answer in answers:
            if answer.failure:
                self._again[answer.neighbour.name] = now + AGAIN
        self._keep(answers, checkpoint, now)
        signatures = [answer.signature for answer in answers if answer.signature]
        self._alarm(len(signatures), checkpoint)
        return note.signed(*signatures)

    def _waits_for(self, neighbour: Neighbour) -> bool:
        asked = self._asked.get(neighbour.name)
        return asked is not None and asked.is_alive()

    def _ask(self, due: Iterable[Neighbour], obtain: Callable[[Neighbour], Signature]) -> list[Answer]:
        """What they say within the time for all. Threads that nobody waits for: not even a name look-up may hold the log."""
        answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()

        def ask(neighbour: Neighbour) -> None:
            try:
                answers.put(Answer(neighbour, obtain(neighbour)))
            except (
                Declined,
                ValueError,
                Untrusted,
                OSError,
                http.client.HTTPException,
                sa.exc.SQLAlchemyError,
            ) as error:
                answers.put(Answer(neighbour, None, str(error) or type(error).__name__))

        waiting = {neighbour.name: neighbour for neighbour in due}
        for neighbour in waiting.values():
            thread = threading.Thread(target=ask, args=(neighbour,), name=f"witness {neighbour.name}", daemon=True)
            self._asked[neighbour.name] = thread
            thread.start()
        end, said = time.monotonic() + PATIENCE, []
        while waiting:
            try:
                answer = answers.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                break
            del waiting[answer.neighbour.name]
            said.append(answer)
        return said + [Answer(neighbour, None, "no answer in time") for neighbour in waiting.values()]

    def _obtain(self, neighbour: Neighbour, known: int, note: Note) -> Signature:
        """The cosignature of one witness, from the size it last co-signed or the one it then names. Raises `Declined`."""
        size = Checkpoint.of(note).size
        old = min(known, size)
        for _ in range(2):
            status, body = _post(neighbour.url, str(Submission(old, self._proof(old, size), note)).encode())
            if status == 200:
                return _made_by(neighbour, note, body)
            if status != 409:
                break
            old = parse_size(body)
            if old > size:
                raise Declined(f"it has co-signed {old} leaves: this log lost some, or its key signs elsewhere")
        raise Declined(f"it answered {status}")

    def _proof(self, old: int, size: int) -> tuple[bytes, ...]:
        with transaction(self._database) as session:
            return tuple(proofs.consistency(session, old, size))

    def _sizes(self) -> dict[str, int]:
        with transaction(self._database) as session:
            session.execute(sa.delete(Cosigner).where(col(Cosigner.name).not_in([n.name for n in self._neighbours])))
            return dict(session.exec(select(Cosigner.name, Cosigner.size)).all())

    def _keep(self, answers: list[Answer], checkpoint: Checkpoint, now: datetime) -> None:
        rows = [
            {"name": a.neighbour.name, "size": checkpoint.size, "at": now, "late_since": None, "failure": None}
            if a.signature
            else {"name": a.neighbour.name, "size": 0, "at": None, "late_since": now, "failure": a.failure}
            for a in answers
        ]
        if not rows:
            return
        new = insert(Cosigner)
        came = new.excluded.at.is_not(None)
        statement = new.on_conflict_do_update(
            index_elements=["name"],
            set_={
                "size": sa.case((came, new.excluded.size), else_=Cosigner.size),
                "at": sa.func.coalesce(new.excluded.at, Cosigner.at),
                "late_since": sa.case(
                    (came, None), else_=sa.func.coalesce(Cosigner.late_since, new.excluded.late_since)
                ),
                "failure": new.excluded.failure,
            },
        )
        with transaction(self._database) as session:
            session.execute(statement, rows)

    def _alarm(self, came: int, checkpoint: Checkpoint) -> None:
        """One line when the quorum is lost, one when it is back."""
        late = came < self._quorum
        if late and not self._late:
            log.error("checkpoint %d has %d of %d cosignatures: published without", checkpoint.size, came, self._quorum)
        elif self._late and not late:
            log.warning("the quorum of witnesses is back at checkpoint %d", checkpoint.size)
        self._late = late


def _made_by(neighbour: Neighbour, note: Note, body: bytes) -> Signature:
    lines = body.decode("utf-8", "replace").removesuffix("\n").split("\n")
    signed = Note(note.text, tuple(map(Signature.parse, lines))).by([neighbour.key])
    if not signed:
        raise Declined("its answer is not signed by its key")
    return signed[0][1]


def _post(url: str, body: bytes) -> tuple[int, bytes]:
    """Status and the beginning of the answer. No redirect is followed and no proxy of the environment asked."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=PATIENCE)
    try:
        headers = {"Content-Type": "text/plain; charset=utf-8", "User-Agent": "registry"}
        connection.request("POST", f"{parts.path}/add-checkpoint", body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read(MOST_BYTES)
    finally:
        connection.close()

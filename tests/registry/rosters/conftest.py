"""A hospital's desk: files go in through the spool, workers do their chunks, the tables say what came of it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from auth import accounts
from auth.actor import Actor, ActorKind, Grant
from auth.roles import Role
from registry import migrate
from registry.codes.load import packaged_tables
from registry.context import Context
from registry.demo import generate, rosters
from registry.demo.generate import Record
from registry.demo.rosters import Made
from registry.institutions import imports as institutions
from registry.institutions.filing_for import filing_institution
from registry.keys import open_keys
from registry.node import Node
from registry.physicians import imports as register
from registry.rosters import commands, queries
from registry.rosters.spool import Spool
from registry.rosters.tables import Roster
from registry.rosters.working import Worker
from registry.sealed import Seal
from registry.settings import Environment, Settings
from registry.time import CHINA
from registry.transaction import transaction
from tests.conftest import EmptyDatabases
from workflows.roster import Act

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=CHINA)
HOSPITALS = generate.institutions(packaged_tables())
TARGET = HOSPITALS[-2]
ROWS = 2_000


@dataclass
class Desk:
    """One province's database, and the filers and managers of its first internet hospital."""

    node: Node
    made: Made
    folder: Path
    now: datetime = NOW
    seal: Seal = field(init=False)
    people: dict[str, str] = field(default_factory=dict)  # account ids

    def __post_init__(self) -> None:
        self.seal = Seal(open_keys(self.node.settings, NOW).masters())

    @property
    def institution(self) -> str:
        return TARGET["登记号"]

    def institutions(self) -> list[str]:
        return [hospital["登记号"] for hospital in HOSPITALS]

    def csv(self, rows: Sequence[Record], name: str = "roster.csv", encoding: str = "utf-8-sig") -> Path:
        return generate.write_csv(self.folder / name, list(rows[0]), rows, encoding=encoding)

    def text(self, content: str, encoding: str = "utf-8") -> Path:
        path = self.folder / f"{uuid.uuid4().hex}.csv"
        path.write_bytes(content.encode(encoding))
        return path

    def upload(self, file: Path | bytes, **mapping: str) -> uuid.UUID:
        """A received roster."""
        content = file if isinstance(file, bytes) else file.read_bytes()
        spool = Spool(self.node.database, self.seal)
        spool.write(content)
        digest = spool.finish()
        with self.context(self.filer()) as context:
            return commands.receive(
                context,
                filing_institution(context, self.institution),
                upload_id=spool.upload_id,
                file_name="roster",
                file_sha256=digest,
                file_size=len(content),
                mapping=mapping,
            ).id

    def filer(self, name: str = "filer") -> Actor:
        return self._actor(name, Role.FILER)

    def manager(self, name: str = "manager") -> Actor:
        return self._actor(name, Role.MANAGER)

    def _actor(self, name: str, role: Role) -> Actor:
        """Somebody of the hospital, with an account: the worker looks again at what they hold."""
        if name not in self.people:
            with transaction(self.node.database) as session:
                account = accounts.find(session, name) or accounts.add(
                    session, name, Grant(role, self.institution), password="long enough and unusual", now=self.now
                )
                self.people[name] = str(account.id)
        return Actor(ActorKind.ACCOUNT, self.people[name], name, frozenset({Grant(role, self.institution)}))

    @contextmanager
    def context(self, actor: Actor) -> Iterator[Context]:
        """A transaction in which somebody acts."""
        with transaction(self.node.database) as session:
            yield Context.of(session, actor, self.now, self.seal, self.node.settings)

    def work(self, worker: Worker | None = None, *, until: Callable[[], bool] | None = None) -> int:
        """Steps until there is nothing to do, or `until` holds; how many."""
        worker, steps = worker or Worker(self.node), 0
        while worker.step():
            steps += 1
            assert steps < 5_000
            if until and until():
                break
        worker.close()
        return steps

    def act(self, roster: uuid.UUID, act: Act, actor: Actor) -> str:
        with self.context(actor) as context:
            return commands.move(context, queries.locked(context, roster), act).state

    def roster(self, roster: uuid.UUID) -> Roster:
        with transaction(self.node.database) as session:
            found = session.get_one(Roster, roster)
            session.expunge(found)
            return found

    def counts(self, roster: uuid.UUID) -> queries.Counts:
        with transaction(self.node.database) as session:
            return queries.counts(session, roster)

    def verdicts(self, roster: uuid.UUID) -> list[tuple[int, str, list[str]]]:
        return self.read(
            "select row, outcome, rules from roster_verdict where roster_id = :roster order by row", roster=roster
        )

    def states(self, roster: uuid.UUID) -> dict[str, int]:
        """How many of its filings stand in which state."""
        return dict(
            self.read("select state, count(*) from filing where roster_id = :roster group by state", roster=roster)
        )

    def read(self, query: str, **parameters: Any) -> list[Any]:
        with self.node.database.engine.connect() as connection:
            names = {id_: name for name, id_ in self.people.items()}
            return [
                tuple(names.get(value, value) if isinstance(value, str) else value for value in row)
                for row in connection.execute(sa.text(query), parameters)
            ]

    def judged(self, file: Path | bytes, **mapping: str) -> uuid.UUID:
        roster = self.upload(file, **mapping)
        self.work()
        assert self.roster(roster).state == "judged", self.roster(roster).fault
        return roster

    def failed(self, file: Path | bytes) -> str:
        """The code by which the whole file was refused, in both languages."""
        roster = self.upload(file)
        self.work()
        found = self.roster(roster)
        assert found.state == "failed"
        assert found.fault
        assert found.fault["zh"]
        assert found.fault["en"]
        code: str = found.fault["code"]
        return code


@dataclass(frozen=True)
class Province:
    """A database to copy: institutions, and the register in which a generated roster's physicians stand."""

    name: str
    settings: Settings
    made: Made


@pytest.fixture(scope="session")
def province(empty_databases: EmptyDatabases, tmp_path_factory: pytest.TempPathFactory) -> Province:
    folder = tmp_path_factory.mktemp("province")
    database = empty_databases.make()
    migrate.prepare(database, datetime(2026, 1, 1, tzinfo=CHINA), demo=True)
    settings = Settings(_env_file=None, env=Environment.DEMO, data_dir=folder, key_dir=folder / "keys")
    seal = Seal(open_keys(settings, NOW).masters())
    made = rosters.roster(HOSPITALS[:-2], TARGET, ROWS, NOW.date(), errors=0.2, harmless=0.2)
    files = (
        generate.write_csv(folder / "institutions.csv", generate.INSTITUTION, HOSPITALS),
        generate.write_csv(folder / "register.csv", generate.REGISTER, made.register),
    )
    assert institutions.run(database, files[0], seal, source_at=NOW, now=NOW).refused == 0
    assert register.run(database, files[1], seal, source_at=NOW, now=NOW).refused == 0
    database.dispose()
    return Province(empty_databases.made[-1][0], settings, made)


@pytest.fixture
def desks(empty_databases: EmptyDatabases, province: Province, tmp_path: Path) -> Iterator[Callable[[], Desk]]:
    """As many desks as are asked for, each with a database of its own."""
    made: list[Desk] = []

    def another() -> Desk:
        made.append(
            Desk(Node(province.settings, empty_databases.copy(province.name), lambda: NOW), province.made, tmp_path)
        )
        return made[-1]

    yield another
    for one in made:
        one.node.database.dispose()


@pytest.fixture
def desk(desks: Callable[[], Desk]) -> Desk:
    return desks()


@pytest.fixture(scope="module")
def intake(
    empty_databases: EmptyDatabases, province: Province, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Desk]:
    """One desk for all tests of a module: what one sends in does not stand in the way of the next."""
    database = empty_databases.copy(province.name)
    yield Desk(Node(province.settings, database, lambda: NOW), province.made, tmp_path_factory.mktemp("intake"))
    database.dispose()

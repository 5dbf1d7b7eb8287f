"""A superuser turns the records, any of them, any way: verification names what was turned. And it accuses nobody else."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session
from starlette.testclient import TestClient

from auth.actor import OPERATOR
from registry import migrate
from registry.app import create_app
from registry.errors import NotFound, Refusal
from registry.keys import open_keys
from registry.log import verifying
from registry.log.erasing import erase
from registry.log.events import record
from registry.log.leaf import reference_key
from registry.log.note import Note, Untrusted, sign
from registry.log.rows import FILING
from registry.log.sequencer import Sequencer, append
from registry.log.verifying import Finding, Report
from registry.node import Node
from registry.settings import Environment, Settings
from registry.time import CHINA
from tests.conftest import EmptyDatabases
from tests.registry.log.conftest import SUBJECT, Book
from tests.stories import filed, reviewed, submitted
from tests.world import AUTHORITY, StoppedClock, World

MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=CHINA)


@pytest.fixture(scope="module")
def story(empty_databases: EmptyDatabases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Book]:
    """A province with filings in every state of affairs, published in several checkpoints."""
    folder = tmp_path_factory.mktemp("story")
    database, clock = empty_databases.make(), StoppedClock(MONDAY)
    migrate.prepare(database, MONDAY, demo=True)
    settings = Settings(_env_file=None, env=Environment.DEMO, data_dir=folder, key_dir=folder / "keys")
    book = Book(Node(settings, database, clock))
    app = create_app(book.node)
    world = World(app, TestClient(app, raise_server_exceptions=False), database, folder, clock)
    with world.http:
        world.load(60)
        book.sequence()
        tell(world, book)
    book.write(600)
    book.sequence()
    yield book
    database.dispose()


def tell(world: World, book: Book) -> None:
    filer = world.account("filer", world.internet["登记号"])
    reviewer, senior = world.account("reviewer", AUTHORITY), world.account("senior", AUTHORITY)
    approved = [submitted(world, filer, world.physician("海南省"))[0] for _ in range(3)]
    for filing in approved:
        reviewer.does(reviewed(reviewer, filing), "approve")
    refused, _ = submitted(world, filer, world.physician("海南省"), note="another")
    refused = reviewer.does(
        reviewed(reviewer, refused), "recommend", decision="refuse", reasons=[{"code": next(iter(codes(reviewer)))}]
    )
    senior.does(senior.does(refused, "claim"), "refuse", reasons=[{"code": next(iter(codes(senior)))}])
    book.sequence()
    filed(world, filer, world.physician("海南省"))
    world.clock.now += timedelta(days=1)
    numbers = {filing["physician"]["practising_code"] for filing in approved[:2]}
    people = [row for row in world.register if row["执业证书编码"] in numbers]
    span = {"状态": "暂停", "状态起": "2027-02-10", "状态止": "2027-03-01"}
    assert world.import_register([row | span for row in people]).changed == 2
    book.sequence()


def codes(caller: Any) -> list[str]:
    return [reason["code"] for reason in caller.get("/reasons")[1]["items"]]


def report(book: Book, connection: sa.Connection, known: Note | None = None) -> Report:
    references = reference_key(open_keys(book.node.settings, book.node.clock()).log_key())
    return verifying.verify(connection, book.key, references, known=known, mirror=book.mirror.checkpoint())


@contextmanager
def superuser(book: Book) -> Iterator[sa.Connection]:
    """A transaction that passes every trigger and leaves nothing behind."""
    with book.node.database.owner_engine.connect() as connection:
        connection.execute(sa.text("set local session_replication_role = replica"))
        yield connection
        connection.rollback()


def test_an_honest_log_is_accused_of_nothing(story: Book) -> None:
    with superuser(story) as connection:
        found = report(story, connection)
    assert found.findings == []
    assert found.leaves == story.checkpoint.size > 512
    assert found.checkpoints == story.count("log_checkpoint") >= 3
    for table in ("filing", "site", "decision"):
        assert story.count(table) >= 3


@dataclass(frozen=True)
class Turned:
    """One mutation and the records that must be named, each by any of its names."""

    what: str
    names: tuple[frozenset[str], ...]


Names = Callable[[Any], frozenset[str]]


def _event(row: Any) -> frozenset[str]:
    return frozenset({f"event {row['seq']}", f"payload {row['seq']}"})


# How a row of each table is told from others, and the names by which a finding may speak of it.
KEYS: dict[str, tuple[tuple[str, ...], Names]] = {
    "audit_event": (("seq",), _event),
    "audit_payload": (("seq",), _event),
    "log_leaf": (("index",), lambda row: frozenset({f"leaf {row['index']}", f"event {row['seq']}"})),
    "log_tile": (("level", "n"), lambda row: frozenset({f"tile {row['level']}/{row['n']}"})),
    "filing": (("id",), lambda row: frozenset({f"filing {row['number']}", f"filing {row['id']}"})),
    "site": (("id",), lambda row: frozenset({f"site {row['site_id']}"})),
    "decision": (("id",), lambda row: frozenset({f"decision {row['id']}"})),
}

EDITS: dict[str, dict[str, str]] = {
    "audit_event": {
        "type": "type || 'x'",
        "at": "at + interval '1 microsecond'",
        "actor": "actor || '0'",
        "organisation": "coalesce(organisation, '') || '1'",
        "subject_type": "subject_type || 's'",
        "subject_id": "gen_random_uuid()",
        "subject_version": "subject_version + 1",
        "commitment": "sha256(commitment)",
        "seq": "seq + 1000000",
    },
    "audit_payload": {"payload": "replace(payload, '\":', '\": ')", "salt": "sha256(salt)", "seq": "seq + 1000000"},
    "log_leaf": {
        "leaf": "set_byte(leaf, 20, (get_byte(leaf, 20) + 1) % 128)",
        "seq": "seq + 1000000",
        "index": '"index" + 1000000',
    },
    "log_tile": {
        "hashes": "set_byte(hashes, 900, (get_byte(hashes, 900) + 1) % 256)",
        "root": "sha256(root)",
        "n": "n + 1000",
    },
    "filing": {
        "state": "case state when 'APPROVED' then 'REFUSED' else 'APPROVED' end",
        "revision": "revision + 1",
        "number": "number || '1'",
        "name": "name || '某'",
        "valid_to": "valid_to + 1",
        "scopes": "scopes || array['99']",
        "note": "coalesce(note, '') || '.'",
        "attested_by": "coalesce(attested_by, '') || '1'",
        "decided_at": "coalesce(decided_at, created_at) + interval '1 day'",
    },
    "site": {
        "state": "case state when 'EFFECTIVE' then 'SUSPENDED' else 'EFFECTIVE' end",
        "valid": "daterange(lower(valid) - 3, upper(valid))",
        "scopes": "array['99']",
        "institution_id": "gen_random_uuid()",
        "category": "category || '1'",
        "recorded": "tstzrange(lower(recorded) - interval '1 hour', upper(recorded))",
    },
    "decision": {
        "kind": "kind || 'd'",
        "decided_by": "'somebody'",
        "reasons": """reasons || cast('[{"code": "x"}]' as jsonb)""",
        "at": "at - interval '1 second'",
        "evaluation_id": "gen_random_uuid()",
        "proposal": "coalesce(proposal, '') || '1'",
    },
}

# A row of one's own, made like another: the values that must differ.
INSERTS: dict[str, dict[str, str]] = {
    "audit_event": {"seq": "seq + 1000000"},
    "audit_payload": {"seq": "seq + 1000000"},
    "log_leaf": {"index": "(select max(index) + 1 from log_leaf)", "seq": "seq + 1000000"},
    "log_tile": {"n": "n + 1000"},
    "filing": {"id": "gen_random_uuid()", "number": "number || '-2'"},
    "site": {
        "id": "gen_random_uuid()",
        "site_id": "gen_random_uuid()",
        "valid": "daterange('2050-01-01', '2051-01-01')",
    },
    "decision": {"id": "gen_random_uuid()"},
}

# What is exchanged between two rows.
SWAPS: dict[str, tuple[str, ...]] = {
    "audit_event": ("type", "actor", "subject_id", "commitment"),
    "audit_payload": ("payload", "salt"),
    "log_leaf": ("leaf", "seq"),
    "log_tile": ("hashes", "root"),
    "filing": ("state", "number", "name", "valid_from", "physician_id"),
    "site": ("state", "valid", "site_id"),
    "decision": ("decided_by", "filing_id", "evaluation_id"),
}


def rows_of(connection: sa.Connection, table: str) -> list[dict[str, Any]]:
    keys = ", ".join(f'"{key}"' for key in KEYS[table][0])
    return [dict(row) for row in connection.execute(sa.text(f"select * from {table} order by {keys}")).mappings()]


def change(
    connection: sa.Connection, table: str, row: dict[str, Any], column: str, expression: str, **values: Any
) -> int:
    where = " and ".join(f'"{key}" = :{key}_is' for key in KEYS[table][0])
    keys = {f"{key}_is": row[key] for key in KEYS[table][0]}
    statement = (
        f'update {table} set "{column}" = {expression} where {where} and "{column}" is distinct from {expression}'
    )
    return connection.execute(sa.text(statement), keys | values).rowcount


def edit(connection: sa.Connection, dice: random.Random, table: str, row: dict[str, Any]) -> Turned | None:
    column = dice.choice(sorted(EDITS[table]))
    if not change(connection, table, row, column, EDITS[table][column]):
        return None
    return Turned(f"edit {table}.{column}", (KEYS[table][1](row),))


def delete(connection: sa.Connection, _: random.Random, table: str, row: dict[str, Any]) -> Turned:
    where = " and ".join(f'"{key}" = :{key}' for key in KEYS[table][0])
    connection.execute(sa.text(f"delete from {table} where {where}"), {key: row[key] for key in KEYS[table][0]})
    return Turned(f"delete {table}", (KEYS[table][1](row),))


def insert(connection: sa.Connection, _: random.Random, table: str, row: dict[str, Any]) -> Turned | None:
    where = " and ".join(f'"{key}" = :{key}' for key in KEYS[table][0])
    columns = [f'"{name}"' for name in row]
    values = [INSERTS[table].get(name, f'"{name}"') for name in row]
    statement = (
        f"insert into {table} ({', '.join(columns)}) select {', '.join(values)} from {table} where {where} returning *"
    )
    made = connection.execute(sa.text(statement), {key: row[key] for key in KEYS[table][0]}).mappings().one()
    return Turned(f"insert {table}", (KEYS[table][1](dict(made)),))


def swap(connection: sa.Connection, dice: random.Random, table: str, row: dict[str, Any]) -> Turned | None:
    column = dice.choice(SWAPS[table])
    others = [other for other in rows_of(connection, table) if other[column] != row[column]]
    if table == "site":  # not the same physician's at the same place: the days would meet
        others = [other for other in others if other["physician_id"] != row["physician_id"]]
    if not others or row[column] is None:
        return None
    other = dice.choice(others)
    if other[column] is None:
        return None
    unique = {"seq": -1, "number": "-"}.get(column)
    if unique is not None:
        change(connection, table, row, column, ":value", value=unique)
    change(connection, table, other, column, ":value", value=row[column])
    change(connection, table, row, column, ":value", value=other[column])
    if table == "filing" and column == "physician_id":
        return None  # the register's word, worked out anew at each evaluation (docs/trust.md)
    return Turned(f"swap {table}.{column}", (KEYS[table][1](row), KEYS[table][1](other)))


def turned_at_random(story: Book, connection: sa.Connection, dice: random.Random) -> Turned | None:
    table = dice.choice(sorted(KEYS))
    rows = rows_of(connection, table)
    if table == "site":
        rows = [row for row in rows if not row["recorded"].isempty]
    row = dice.choice([rows[0], rows[-1], rows[len(rows) // 2], dice.choice(rows)])
    try:
        return dice.choice([edit, delete, insert, swap])(connection, dice, table, row)
    except sa.exc.IntegrityError:
        return None  # two sites on the same days: no database takes that


def ensure_named(turned: Turned, found: list[Finding]) -> None:
    said = " ".join(finding.record for finding in found)
    for names in turned.names:
        assert any(name in f"{said} " for name in (f"{name} " for name in names)), (turned, [str(f) for f in found][:5])


def turn_and_look(story: Book, seed: int, times: int) -> None:
    dice, kinds, done = random.Random(seed), set[str](), 0  # noqa: S311
    while done < times:
        with superuser(story) as connection:
            turned = turned_at_random(story, connection, dice)
            if turned is None:
                continue
            ensure_named(turned, report(story, connection).findings)
            kinds.add(turned.what.partition(".")[0])
        done += 1
    assert len(kinds) >= min(times // 4, 20)


def test_a_random_mutation_of_any_record_is_found_and_named(story: Book) -> None:
    turn_and_look(story, seed=46, times=80)


@pytest.mark.soak
def test_a_thousand_random_mutations_are_found_and_named(story: Book) -> None:
    turn_and_look(story, seed=2026, times=1000)


@pytest.mark.parametrize("table", sorted(EDITS))
def test_every_column_that_is_covered_is_found_when_it_is_turned(story: Book, table: str) -> None:
    for column, expression in EDITS[table].items():
        with superuser(story) as connection:
            rows = [row for row in rows_of(connection, table) if table != "site" or not row["recorded"].isempty]
            row = next(row for row in rows if change(connection, table, row, column, expression))
            ensure_named(Turned(f"{table}.{column}", (KEYS[table][1](row),)), report(story, connection).findings)


def test_whatever_was_filed_is_in_the_digest(story: Book) -> None:
    with superuser(story) as connection:
        columns = set(rows_of(connection, "filing")[0])
    elsewhere = {"id", "revision", "state", "name_key"}  # in the event itself, or worked out from it
    register = {"type", "authority", "place", "main_registration_no", "physician_id"}
    sealed = {name for name in columns if name.endswith(("_sealed", "_index"))}
    assert columns == set(FILING) | elsewhere | register | sealed


def test_the_finding_tells_which_field_and_which_of_the_two_was_altered(story: Book) -> None:
    with superuser(story) as connection:
        connection.execute(
            sa.text("update audit_event set actor = 'x' where seq = (select seq from log_leaf where index = 5)")
        )
        seq = connection.execute(sa.text("select seq from log_leaf where index = 5")).scalar_one()
        (found,) = report(story, connection).findings
        assert (found.record, found.field) == (f"event {seq}", "actor or organisation")
    with superuser(story) as connection:
        connection.execute(
            sa.text("update log_leaf set leaf = set_byte(leaf, octet_length(leaf) - 2, 50) where index = 6")
        )
        findings = report(story, connection).findings
        assert ("leaf 6", "version of the leaf") in [(found.record, found.field) for found in findings]


def test_a_whole_history_rewritten_by_one_who_has_only_the_database_is_not_what_was_published(story: Book) -> None:
    with superuser(story) as connection:
        for statement in (
            "delete from log_tile",
            "delete from log_leaf",
            "update audit_event set actor = 'x' where seq = (select min(seq) from audit_event)",
            "insert into log_pending select seq from audit_event",
        ):
            connection.execute(sa.text(statement))
        references = reference_key(open_keys(story.node.settings, story.node.clock()).log_key())
        while append(connection, references):
            pass
        found = report(story, connection).findings
        assert any(finding.field == "root" and "checkpoint" in finding.record for finding in found)


def test_a_rollback_to_an_earlier_state_falls_below_the_mirror(story: Book) -> None:
    with superuser(story) as connection:
        for statement in (
            "delete from log_leaf where index >= 512",
            "delete from log_tile where n >= 2",
            "delete from log_checkpoint where size > 512",
            "delete from audit_payload where seq not in (select seq from log_leaf)",
            "delete from audit_event where seq not in (select seq from log_leaf)",
        ):
            connection.execute(sa.text(statement))
        found = report(story, connection).findings
        assert ("the mirror's checkpoint", "size") in [(finding.record, finding.field) for finding in found]


def test_an_event_dated_back_is_seen_by_its_place(story: Book) -> None:
    with superuser(story) as connection:
        # As the application would write it, and sequenced as such.
        connection.execute(sa.text("set local session_replication_role = origin"))
        past = MONDAY - timedelta(days=30)
        seq = record(connection, OPERATOR, "test.happen", ("test", SUBJECT), 1, {}, now=past)
        append(connection, reference_key(open_keys(story.node.settings, story.node.clock()).log_key()))
        found = report(story, connection).findings
        assert [(f.record, f.field) for f in found] == [(f"event {seq}", "at")]


def test_verification_goes_on_from_a_checkpoint_kept_from_earlier(story: Book) -> None:
    with story.node.database.engine.connect() as connection:
        notes = connection.execute(sa.text("select note from log_checkpoint order by size")).scalars().all()
    for note in map(Note.parse, notes):
        with superuser(story) as connection:
            assert report(story, connection, note).findings == []
    key = open_keys(story.node.settings, story.node.clock()).log_key()
    text = Note.parse(notes[0]).text
    lines = text.split("\n")
    forged = "\n".join([lines[0], lines[1], "A" * 43 + "=", ""])
    with superuser(story) as connection:
        fork = Note(forged).signed(sign(forged, story.node.settings.origin, key))
        found = report(story, connection, fork).findings
        assert [finding.record for finding in found] == ["the checkpoint that was given"]
        with pytest.raises(Untrusted):
            report(story, connection, Note(forged, Note.parse(notes[0]).signatures))


def test_an_erasure_leaves_the_log_whole_and_says_so(book: Book) -> None:
    book.write(20)
    book.sequence()
    with book.node.database.engine.connect() as connection:
        seqs = connection.execute(sa.text("select seq from log_leaf order by index desc limit 2")).scalars().all()
    with Session(book.node.database.owner_engine) as session, session.begin():
        told = erase(session, list(seqs), "an order", now=book.node.clock())
    with Session(book.node.database.owner_engine) as session, session.begin():
        with pytest.raises(NotFound):
            erase(session, list(seqs), "an order", now=book.node.clock())
        with pytest.raises(Refusal):
            erase(session, [told], "an order", now=book.node.clock())
    book.sequence()
    with superuser(book) as connection:
        assert report(book, connection).findings == []


def test_events_that_wait_are_no_finding(book: Book) -> None:
    book.write(3)
    with superuser(book) as connection:
        assert report(book, connection).findings == []
    with Sequencer(book.node) as sequencer:
        sequencer.sequence()
    with superuser(book) as connection:
        assert report(book, connection).findings == []

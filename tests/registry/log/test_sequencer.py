"""Every event has one leaf, and no crash, race or restore makes it none, or two, or another tree of the same size."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from datetime import UTC
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from registry.errors import Refusal
from registry.faults import Fault
from registry.log import merkle, recovery
from registry.log.checkpoint import Checkpoint
from registry.log.note import Untrusted
from registry.log.sequencer import Sequencer
from registry.log.tables import AuditEvent, LogLeaf
from registry.log.tiles import Place, bundle_hashes, path_of, read_tiles
from registry.transaction import transaction
from tests.registry.log.conftest import Book

ROOT = Path(__file__).resolve().parents[3]
POINTS = sorted(
    {
        point
        for path in (ROOT / "registry").rglob("*.py")
        for point in re.findall(r'\bfault\("([a-z_.]+)"\)', path.read_text("utf-8"))
        if point.startswith(("log.", "mirror."))
    }
)


def superuser(book: Book, *statements: str) -> None:
    """As somebody who holds the database itself, triggers and all."""
    with book.node.database.owner_engine.begin() as connection:
        connection.execute(sa.text("set local session_replication_role = replica"))
        for statement in statements:
            connection.execute(sa.text(statement))


def test_every_event_becomes_one_leaf_in_its_order(book: Book) -> None:
    before = book.count("audit_event")
    book.write(5)
    assert book.sequence() == before + 5
    with transaction(book.node.database) as session:
        rows = session.exec(
            select(AuditEvent, LogLeaf)
            .join(LogLeaf, col(LogLeaf.seq) == col(AuditEvent.seq))
            .order_by(col(LogLeaf.index))
        ).all()
        assert [leaf.index for _, leaf in rows] == list(range(before + 5))
        assert [event.seq for event, _ in rows] == sorted(event.seq or 0 for event, _ in rows)
        for event, leaf in rows:
            told = json.loads(leaf.leaf)
            assert set(told) == {"v", "type", "at", "actor_ref", "subject_ref", "record_version", "commitment"}
            assert told["type"] == event.type
            assert told["commitment"] == event.commitment.hex()
            assert told["at"] == event.at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
            assert str(event.subject_id) not in leaf.leaf.decode()
    assert book.count("log_pending") == 0


def test_a_leaf_is_jcs(book: Book) -> None:
    book.write(1)
    book.sequence()
    leaf = book.leaves()[-1].decode()
    assert json.dumps(json.loads(leaf), sort_keys=True, separators=(",", ":"), ensure_ascii=False) == leaf


@pytest.mark.parametrize("sizes", [(3, 255, 256, 257, 600), (700,), (256, 512)])
def test_the_published_root_is_that_of_the_leaves(book: Book, sizes: tuple[int, ...]) -> None:
    book.sequence()
    for size in sizes:
        book.write(size - (book.count("log_leaf")))
        book.sequence()
        leaves = book.leaves()
        assert len(leaves) == size
        checkpoint = book.checkpoint
        assert (checkpoint.size, checkpoint.root) == (size, merkle.root(map(merkle.leaf_hash, leaves)))


def test_tiles_are_the_hashes_of_the_tree(book: Book) -> None:
    book.write(3 * 256 + 9 - book.count("audit_event"))
    book.sequence()
    hashes = [merkle.leaf_hash(leaf) for leaf in book.leaves()]
    with book.node.database.engine.connect() as connection:
        found = read_tiles(connection, [Place(0, n) for n in range(4)] + [Place(1, 0)])
    assert b"".join(found[Place(0, n)] for n in range(4)) == b"".join(hashes)
    assert found[Place(1, 0)] == b"".join(merkle.root(hashes[n * 256 : n * 256 + 256]) for n in range(3))


def test_the_mirror_is_the_whole_log(book: Book) -> None:
    book.write(300)
    book.sequence()
    book.write(260)
    book.sequence()
    note, mirror = book.published(), book.mirror
    assert str(mirror.checkpoint()) == str(note)
    size = book.checkpoint.size
    assert list(mirror.leaves(0, size)) == book.leaves()
    assert list(mirror.leaves(299, size)) == book.leaves()[299:]
    for n in range(2):
        tile = (mirror.folder / "tile" / path_of(0, n)).read_bytes()
        assert tile == bundle_hashes((mirror.folder / "tile" / path_of("entries", n)).read_bytes())
        assert not (mirror.folder / "tile" / f"{path_of(0, n)}.p").exists()
    assert (mirror.folder / "tile" / path_of(1, 0, 2)).read_bytes() == b"".join(
        merkle.root(map(merkle.leaf_hash, book.leaves()[n * 256 : n * 256 + 256])) for n in range(2)
    )


def test_a_new_mirror_is_filled_from_the_beginning(book: Book) -> None:
    book.write(300)
    book.sequence()
    shutil.rmtree(book.mirror.folder)
    assert book.sequence() == 0
    assert list(book.mirror.leaves(0, book.checkpoint.size)) == book.leaves()
    assert str(book.mirror.checkpoint()) == str(book.published())


def test_nothing_new_is_nothing_published(book: Book) -> None:
    book.write(3)
    book.sequence()
    assert book.sequence() == 0
    assert book.count("log_checkpoint") == 1


def test_there_is_one_sequencer(book: Book) -> None:
    with Sequencer(book.node) as first, Sequencer(book.node) as second:
        assert first.leads
        assert not second.leads
    with Sequencer(book.node) as third:
        assert third.leads


def test_there_are_fault_points_at_every_step() -> None:
    assert len(POINTS) >= 8


@pytest.mark.parametrize("point", POINTS)
def test_dying_at_a_fault_point_loses_no_leaf_and_repeats_none(
    book: Book, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    book.write(300)
    book.sequence()
    promised = [book.checkpoint]
    for more in (40, 300):
        book.write(more)
        monkeypatch.setenv("REGISTRY_FAULT", point)
        with pytest.raises(Fault, match=point):
            book.sequence()
        monkeypatch.delenv("REGISTRY_FAULT")
        note = book.mirror.checkpoint()
        assert note
        promised += [Checkpoint.of(note), book.checkpoint]
        book.write(2)
        book.sequence()
        promised.append(book.checkpoint)
    ensure_whole(book, promised)


def ensure_whole(book: Book, promised: list[Checkpoint]) -> None:
    """Each event has its leaf, none has two, and whatever was ever promised is the beginning of the tree there is."""
    with book.node.database.engine.connect() as connection:
        seqs = list(connection.execute(sa.text("select seq from log_leaf order by index")).scalars())
        events = set(connection.execute(sa.text("select seq from audit_event")).scalars())
    assert len(seqs) == len(set(seqs))
    assert set(seqs) == events
    leaves = book.leaves()
    hashes = [merkle.leaf_hash(leaf) for leaf in leaves]
    assert book.checkpoint.size == len(leaves)
    for checkpoint in promised:
        assert merkle.root(hashes[: checkpoint.size]) == checkpoint.root


def test_a_database_below_the_mirror_is_refused_and_recovered_from_it(book: Book) -> None:
    book.write(300)
    book.sequence()
    book.write(30)
    book.sequence()
    whole, published = book.leaves(), book.published()
    size = Checkpoint.of(published).size
    # The backup was taken when the last 30 were still waiting; ten of those came after it.
    superuser(
        book,
        "delete from log_checkpoint where size > 0",
        f"insert into log_pending select seq from log_leaf where index >= {size - 30} and index < {size - 10}",
        f"delete from audit_event where seq in (select seq from log_leaf where index >= {size - 10})",
        f"delete from log_leaf where index >= {size - 30}",
    )
    with pytest.raises(Refusal, match="log_behind"):
        Sequencer(book.node).__enter__()
    assert recovery.recover(book.node) == recovery.Recovered(30, 10)
    assert book.leaves() == whole
    assert recovery.recover(book.node) == recovery.Recovered(0, 0)
    book.sequence()
    assert book.leaves()[:size] == whole
    assert book.checkpoint.size == size + 1  # the recovery itself
    with book.node.database.engine.connect() as connection:
        lost = connection.execute(sa.text("select count(*) from log_leaf where seq is null")).scalar_one()
    assert lost == 10


def test_a_mirror_that_does_not_fit_its_checkpoint_recovers_nothing(book: Book) -> None:
    book.write(300)
    book.sequence()
    size = book.checkpoint.size
    bundle = book.mirror.folder / "tile" / path_of("entries", size // 256, size % 256)
    content = bundle.read_bytes()
    bundle.write_bytes(content.replace(b"test.happen", b"test.forged", 1))
    superuser(book, "delete from log_checkpoint", "delete from log_leaf where index >= 256")
    with pytest.raises(Refusal, match="nothing was changed"):
        recovery.recover(book.node)
    assert book.count("log_leaf") == 256
    bundle.write_bytes(content[:-5])
    with pytest.raises(Refusal, match="nothing was changed"):
        recovery.recover(book.node)


def test_a_tree_that_is_not_the_published_one_is_never_signed(book: Book) -> None:
    book.write(300)
    book.sequence()
    superuser(
        book, "update log_leaf set leaf = replace(encode(leaf, 'escape'), 'happen', 'forged')::bytea where index = 299"
    )
    book.write(1)
    with pytest.raises(Refusal, match="log_forked"):
        book.sequence()
    assert book.checkpoint == Checkpoint.of(book.mirror.checkpoint() or book.published())


def test_tiles_that_are_missing_stop_the_log(book: Book) -> None:
    book.write(600)
    book.sequence()
    superuser(book, "delete from log_tile where level = 0 and n = 1")
    book.write(1)
    with pytest.raises(Refusal, match="log_forked"):
        book.sequence()


def test_another_key_or_name_cannot_go_on_with_the_log(book: Book, tmp_path: Path) -> None:
    book.write(3)
    book.sequence()
    published = book.published()
    book.node.settings.log_origin = "elsewhere.example/log"
    with pytest.raises(Refusal, match="log_not_ours"):
        Sequencer(book.node).__enter__()
    with pytest.raises(Untrusted):
        published.ensure_by(book.key)


def test_the_origin_is_the_address_of_the_log(book: Book) -> None:
    assert book.node.settings.origin == "localhost/log"
    book.node.settings.public_url = "https://registry.example"
    assert book.node.settings.origin == "registry.example/log"


def test_references_of_one_person_are_alike_and_of_two_differ(book: Book) -> None:
    book.write(2)
    book.sequence()
    first, second = (json.loads(leaf) for leaf in book.leaves()[-2:])
    assert first["subject_ref"] == second["subject_ref"]
    assert first["subject_ref"] != first["actor_ref"]
    assert first["actor_ref"] != hashlib.sha256(b"operator").hexdigest()[:32]


def test_the_application_s_role_rewrites_nothing_of_the_log(book: Book) -> None:
    book.write(300)
    book.sequence()
    for table in ("log_leaf", "log_tile", "log_checkpoint"):
        for engine in (book.node.database.engine, book.node.database.owner_engine):
            with pytest.raises(sa.exc.ProgrammingError), engine.begin() as connection:
                connection.execute(sa.delete(sa.table(table)))

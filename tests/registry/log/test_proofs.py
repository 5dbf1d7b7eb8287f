"""A proof stands alone: whoever has the log's key checks it, without us, and nothing else passes for it."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from registry.cli import main
from registry.errors import Conflict, NotFound
from registry.log import merkle, proofs
from registry.log.checkpoint import Checkpoint
from registry.log.note import COSIGNATURE, Malformed, Note, Untrusted, VerifierKey, cosign, sign, verifier_key
from registry.log.proofs import Proof
from registry.log.sequencer import Sequencer
from registry.log.tiles import WIDTH, bundle_hashes, parse_path, path_of, split_bundle
from registry.node import Node
from registry.transaction import transaction
from tests.registry.log.conftest import Book
from tests.stories import reviewed, submitted
from tests.world import AUTHORITY, World

WITNESS = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest.fixture
def of_600(book: Book) -> Book:
    book.write(600)
    book.sequence()
    return book


def proofs_of(book: Book, indices: list[int]) -> list[Proof]:
    with transaction(book.node.database) as session:
        found = session.execute(sa.text("select seq from log_leaf where index = any(:wanted)"), {"wanted": indices})
        return proofs.prove(session, list(found.scalars()))


def test_a_proof_of_any_leaf_is_read_back_and_verifies(of_600: Book) -> None:
    leaves = of_600.leaves()
    for proof in proofs_of(of_600, [0, 1, 255, 256, 257, 511, 512, len(leaves) - 1]):
        again = Proof.parse(str(proof))
        assert again == proof
        assert again.verified(of_600.key) == of_600.checkpoint
        assert again.leaf == leaves[proof.index]
        assert str(proof).startswith("c2sp.org/tlog-proof@v1\nextra ")


def test_a_proof_of_something_else_is_refused(of_600: Book) -> None:
    (proof,) = proofs_of(of_600, [300])
    other = bytes([proof.leaf[0] ^ 1]) + proof.leaf[1:]
    for forged in (
        Proof(proof.index, other, proof.path, proof.note),
        Proof(proof.index + 1, proof.leaf, proof.path, proof.note),
        Proof(proof.index, proof.leaf, proof.path[:-1], proof.note),
        Proof(proof.index, proof.leaf, (*proof.path, merkle.EMPTY), proof.note),
    ):
        with pytest.raises(Malformed):
            forged.verified(of_600.key)
    size = of_600.checkpoint.size
    resized = Note(proof.note.text.replace(f"\n{size}\n", f"\n{size + 1}\n"), proof.note.signatures)
    with pytest.raises(Untrusted):
        Proof(proof.index, proof.leaf, proof.path, resized).verified(of_600.key)
    with pytest.raises(Untrusted):
        proof.verified(verifier_key(of_600.key.name, WITNESS))


def test_a_checkpoint_of_another_log_proves_nothing_here(of_600: Book) -> None:
    (proof,) = proofs_of(of_600, [300])
    checkpoint = Checkpoint("other.example/log", of_600.checkpoint.size, of_600.checkpoint.root)
    name = of_600.key.name
    note = Note(str(checkpoint)).signed(sign(str(checkpoint), name, WITNESS))
    with pytest.raises(Malformed, match=r"other\.example"):
        Proof(proof.index, proof.leaf, proof.path, note).verified(verifier_key(name, WITNESS))


def test_consistency_is_proved_from_the_tiles(of_600: Book) -> None:
    hashes = [merkle.leaf_hash(leaf) for leaf in of_600.leaves()]
    size, whole = len(hashes), merkle.root(hashes)
    with transaction(of_600.node.database) as session:
        for old in (1, 2, 255, 256, 257, 512, 599, size):
            proof = proofs.consistency(session, old, size)
            assert merkle.continues(merkle.root(hashes[:old]), old, whole, size, proof)
        with pytest.raises(ValueError, match="missing"):
            proofs.consistency(session, 3, size + 300)


def test_an_event_not_published_yet_has_no_proof(of_600: Book) -> None:
    of_600.write(1)
    with transaction(of_600.node.database) as session:
        (seq,) = session.execute(sa.text("select seq from log_pending")).scalars()
        with pytest.raises(Conflict):
            proofs.prove(session, [seq])
        with pytest.raises(NotFound):
            proofs.prove(session, [seq + 1])
        with pytest.raises(NotFound):
            proofs.events_of_filing(session, "no such number")
        with pytest.raises(NotFound):
            proofs.events_of_decision(session, uuid.UUID(int=1))


@given(st.text(), st.integers(0, 400))
def test_no_text_breaks_the_parser(text: str, cut: int) -> None:
    whole = "c2sp.org/tlog-proof@v1\nextra eA==\nindex 0\n\norigin\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n— o AAAAAAA=\n"
    for attempt in (text, whole[:cut] + text + whole[cut:]):
        try:
            assert str(Proof.parse(attempt)) == attempt
        except Malformed:
            continue


@given(st.integers(0, 10**18), st.integers(1, WIDTH), st.sampled_from([0, 1, 63, "entries"]))
def test_paths_of_tiles_are_read_as_they_are_written(n: int, width: int, level: int | str) -> None:
    assert parse_path(path_of(level, n, width)) == (level, n, width)


@pytest.mark.parametrize(
    "path",
    ["", "0", "0/0", "0/1000", "0/x001", "0/x000/001", "64/000", "00/000", "0/000.p/0", "0/000.p/256", "0/000.p/01",
     "0/000/", "entries/x/000", "data/000", "0/../000", "٠/000", "0/000.p/1\n"],
)  # fmt: skip
def test_what_is_no_path_of_a_tile_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="path"):
        parse_path(path)


def test_a_path_is_written_as_the_standard_says() -> None:
    assert path_of(0, 1234067) == "0/x001/x234/067"
    assert path_of("entries", 5, 7) == "entries/005.p/7"


@pytest.fixture
def cli(of_600: Book, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Book:
    settings, database = of_600.node.settings, of_600.node.database
    for name, value in {
        "ENV": "demo",
        "DATABASE_URL": database.app_url,
        "OWNER_DATABASE_URL": database.owner_url,
        "DATA_DIR": settings.data_dir,
        "KEY_DIR": settings.keys,
        "LOG_ORIGIN": settings.origin,
    }.items():
        monkeypatch.setenv(f"REGISTRY_{name}", str(value))
    monkeypatch.chdir(tmp_path)
    return of_600


def test_prove_and_check_by_command(cli: Book, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with cli.node.database.engine.connect() as connection:
        seq = connection.execute(sa.text("select seq from log_leaf where index = 300")).scalar_one()
    assert main(["log", "prove", "--event", str(seq), "--out", "proofs", "--open"]) == 0
    file, opening = capsys.readouterr().out.split()
    assert main(["log", "key"]) == 0
    vkey = capsys.readouterr().out.strip()
    assert vkey == str(cli.key)
    assert main(["log", "check-proof", file, "--vkey", vkey, "--opening", opening]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == f"leaf 300 of {cli.checkpoint.size} in {cli.key.name}"
    assert json.loads(out[1])["type"] == "test.happen"
    assert json.loads(out[2]) == json.loads(json.loads(Path(opening).read_text())["payload"])
    witness = verifier_key("w.example", WITNESS, COSIGNATURE)
    assert main(["log", "check-proof", file, "--vkey", vkey, "--witness", str(witness)]) == 1
    assert "w.example has not signed" in capsys.readouterr().err
    proof = Proof.parse(Path(file).read_text())
    note = proof.note.signed(cosign(proof.note.text, "w.example", WITNESS, 1_795_000_000))
    Path(file).write_text(str(Proof(proof.index, proof.leaf, proof.path, note)))
    assert main(["log", "check-proof", file, "--vkey", vkey, "--witness", str(witness)]) == 0
    assert "co-signed by w.example at 2026-11-18" in capsys.readouterr().out
    Path(opening).write_text(Path(opening).read_text().replace("n", "m"))
    assert main(["log", "check-proof", file, "--vkey", vkey, "--opening", opening]) == 1
    Path(file).write_text(Path(file).read_text().replace("index 300", "index 301"))
    assert main(["log", "check-proof", file, "--vkey", vkey]) == 1
    assert main(["log", "check-proof", "absent", "--vkey", vkey]) == 1
    assert main(["log", "prove", "--filing", "absent"]) == 1


def test_verify_by_command(cli: Book, capsys: pytest.CaptureFixture[str]) -> None:
    kept = Path("kept")
    kept.write_text(str(cli.published()))
    assert main(["log", "verify"]) == 0
    assert capsys.readouterr().out.startswith(f"{cli.checkpoint.size} leaves, 1 checkpoints: 0 findings")
    assert main(["log", "verify", "--from", str(kept)]) == 0
    seq = cli.count("audit_event")
    assert main(["log", "erase", str(seq), "--basis", "an order"]) == 0
    capsys.readouterr()
    with cli.node.database.owner_engine.begin() as connection:
        connection.execute(sa.text("set local session_replication_role = replica"))
        connection.execute(sa.text("update audit_event set actor = 'x' where seq = 5"))
    assert main(["log", "verify"]) == 1
    out = capsys.readouterr().out
    assert "event 5 (" in out
    assert "actor or organisation: differs" in out
    assert main(["log", "recover"]) == 0


def test_the_log_is_served_as_the_standard_says(world: World) -> None:
    filer, reviewer = world.account("filer", world.internet["登记号"]), world.account("reviewer", AUTHORITY)
    filing, _ = submitted(world, filer, world.physician("海南省"))
    filing = reviewer.does(reviewed(reviewer, filing), "approve")
    node = Node(world.app.state.settings, world.database, world.clock)
    with Sequencer(node) as sequencer:
        sequencer.step()

    answer = world.http.get("/log/checkpoint")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    key = VerifierKey.parse(world.http.get("/log/key").text)
    checkpoint = Checkpoint.of(Note.parse(answer.text).ensure_by(key))
    full, rest = divmod(checkpoint.size, WIDTH)
    hashes = b""
    for n in range(full + bool(rest)):
        width = WIDTH if n < full else rest
        tile = world.http.get(f"/log/tile/{path_of(0, n, width)}")
        assert tile.headers["content-type"] == "application/octet-stream"
        assert ("immutable" in tile.headers["cache-control"]) is (width == WIDTH)
        bundle = world.http.get(f"/log/tile/{path_of('entries', n, width)}")
        assert bundle.headers["content-type"] == "application/octet-stream"
        assert bundle_hashes(bundle.content) == tile.content
        assert len(split_bundle(bundle.content)) == width
        hashes += tile.content
    assert merkle.root([hashes[at : at + 32] for at in range(0, len(hashes), 32)]) == checkpoint.root
    for path in (path_of(0, full, rest + 1), path_of(0, full + 1, 1), path_of(3, 0, 1), "nonsense"):
        assert world.http.get(f"/log/tile/{path}").status_code == 404

    auditor = world.account("auditor", AUTHORITY)
    status, page = auditor.get("/audit/events", subject=filing["id"], type="filing.", limit=3)
    assert status == 200
    assert [item["type"] for item in page["items"]] == ["filing.approve", "filing.accept", "filing.claim"]
    _, following = auditor.get("/audit/events", subject=filing["id"], cursor=page["next"], limit=50)
    seqs = [item["seq"] for item in page["items"] + following["items"]]
    assert seqs == sorted(seqs, reverse=True)
    assert following["items"][-1]["type"] == "filing.create"
    assert following["next"] is None
    asked = world.http.get(
        f"/api/v1/audit/events/{seqs[0]}/proof", headers={"Authorization": f"Bearer {auditor.token}"}
    )
    proof = Proof.parse(asked.text)
    assert proof.verified(key) == checkpoint
    assert json.loads(proof.leaf)["type"] == "filing.approve"
    assert auditor.get("/audit/events/999999999/proof")[0] == 404
    for wrong in ({"since": "yesterday"}, {"cursor": "-1"}, {"unknown": "1"}):
        assert auditor.get("/audit/events", **wrong)[0] == 422
    with transaction(world.database) as session:
        assert proofs.events_of_filing(session, filing["number"]) == sorted(seqs)
        found = session.execute(sa.text("select id from decision where filing_id = :id"), {"id": filing["id"]})
        assert proofs.events_of_decision(session, found.scalar_one()) == [seqs[0]]

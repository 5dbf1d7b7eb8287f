"""log: verify it, prove something with it, check such a proof anywhere, recover it after a restore."""

from __future__ import annotations

import argparse
import json
import uuid
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa
from sqlmodel import Session

from registry.cli.failures import REFUSED, Failure
from registry.cli.operation import Commands
from registry.keys import open_keys
from registry.log import proofs, recovery, verifying
from registry.log.erasing import erase
from registry.log.events import commitment
from registry.log.leaf import reference_key
from registry.log.mirror import Mirror
from registry.log.note import Malformed, Note, Untrusted, VerifierKey, verifier_key
from registry.log.proofs import Proof
from registry.node import Node, open_node
from registry.transaction import transaction

_OPENING = sa.text("select seq, salt, payload from audit_payload where seq = any(:seqs)")


def add(commands: Commands) -> None:
    nouns = commands.add_parser("log", help="the transparency log").add_subparsers(required=True, metavar="ACT")
    looking = nouns.add_parser("verify", help="derive everything again from the records, and say what does not fit")
    looking.add_argument(
        "--from", dest="known", type=Path, metavar="CHECKPOINT", help="one kept from earlier: go on there"
    )
    looking.set_defaults(run=run_verify)
    proving = nouns.add_parser("prove", help="write .tlog-proof files that anybody can check")
    what = proving.add_mutually_exclusive_group(required=True)
    what.add_argument("--event", type=int, metavar="SEQ")
    what.add_argument("--filing", metavar="NUMBER", help="number or id; all its events")
    what.add_argument("--decision", type=uuid.UUID, metavar="ID")
    proving.add_argument("--out", type=Path, default=Path(), metavar="DIR")
    proving.add_argument("--open", action="store_true", help="also write what each event told, to whom it may be shown")
    proving.set_defaults(run=run_prove)
    checking = nouns.add_parser("check-proof", help="check a .tlog-proof; needs no database, no network, no settings")
    checking.add_argument("file", type=Path)
    checking.add_argument("--vkey", required=True, help="the log's verifier key, as it was handed to you")
    checking.add_argument("--witness", action="append", default=[], metavar="VKEY", help="must have co-signed; repeat")
    checking.add_argument("--opening", type=Path, help="what the event told, as prove --open wrote it")
    checking.set_defaults(run=run_check_proof)
    nouns.add_parser("key", help="print the verifier key to hand to verifiers").set_defaults(run=run_key)
    nouns.add_parser("recover", help="replay leaves lost by a restore, from the mirror").set_defaults(run=run_recover)
    erasing = nouns.add_parser("erase", help="erase what events told; the events stay")
    erasing.add_argument("seq", type=int, nargs="+")
    erasing.add_argument("--basis", required=True, help="the law or order that demands it")
    erasing.set_defaults(run=run_erase)


def run_verify(arguments: argparse.Namespace) -> int:
    with open_node() as node:
        log_key = open_keys(node.settings, node.clock()).log_key()
        key = verifier_key(node.settings.origin, log_key)
        try:
            known = _note(arguments.known) if arguments.known else None
            mirror = Mirror(
                node.settings.mirror
            ).checkpoint()  # before the database is looked at: it is never ahead of it
            with _one_state(node) as connection:
                report = verifying.verify(connection, key, reference_key(log_key), known=known, mirror=mirror)
        except (Malformed, Untrusted) as error:
            return Failure(str(error)).print()
    for finding in report.findings:
        print(finding)
    print(f"{report.leaves} leaves, {report.checkpoints} checkpoints: {len(report.findings)} findings")
    return REFUSED if report.findings else 0


def run_prove(arguments: argparse.Namespace) -> int:
    with open_node() as node, transaction(node.database) as session:
        if arguments.filing:
            seqs = proofs.events_of_filing(session, arguments.filing)
        elif arguments.decision:
            seqs = proofs.events_of_decision(session, arguments.decision)
        else:
            seqs = [arguments.event]
        found = proofs.prove(session, seqs)
        opening = {row.seq: row for row in session.execute(_OPENING, {"seqs": seqs})} if arguments.open else {}
    arguments.out.mkdir(parents=True, exist_ok=True)
    for seq, proof in zip(seqs, found, strict=True):
        path = arguments.out / f"event-{seq}.tlog-proof"
        path.write_text(str(proof), "utf-8")
        print(path)
        if seq in opening:
            path = arguments.out / f"event-{seq}.opening.json"
            told = {"salt": bytes(opening[seq].salt).hex(), "payload": opening[seq].payload}
            path.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", "utf-8")
            print(path)
    return 0


def run_check_proof(arguments: argparse.Namespace) -> int:
    try:
        proof = Proof.parse(arguments.file.read_text("utf-8"))
        checkpoint = proof.verified(VerifierKey.parse(arguments.vkey))
        witnesses = [VerifierKey.parse(vkey) for vkey in arguments.witness]
        lines = [f"leaf {proof.index} of {checkpoint.size} in {checkpoint.origin}", proof.leaf.decode()]
        for witness in witnesses:
            (_, signature), *_ = proof.note.ensure_by(witness).by([witness])
            lines.append(f"co-signed by {witness.name} at {datetime.fromtimestamp(signature.time, UTC):%FT%TZ}")
        if arguments.opening:
            lines.append(_opened(proof, arguments.opening))
    except (Malformed, Untrusted, UnicodeDecodeError) as error:
        return Failure(f"refused: {error}").print()
    print("\n".join(lines))
    return 0


def run_key(_: argparse.Namespace) -> int:
    with open_node() as node:
        print(verifier_key(node.settings.origin, open_keys(node.settings, node.clock()).log_key()))
    return 0


def run_recover(_: argparse.Namespace) -> int:
    with open_node() as node:
        found = recovery.recover(node)
    print(
        f"{found.leaves} leaves came back; the events of {found.lost} of them are lost (registry log verify names them)"
    )
    return 0


def run_erase(arguments: argparse.Namespace) -> int:
    with open_node() as node, Session(node.database.owner_engine) as session, session.begin():
        seq = erase(session, arguments.seq, arguments.basis, now=node.clock())
    print(f"erased; event {seq} says so")
    return 0


def _opened(proof: Proof, path: Path) -> str:
    """What the event told, when it is what its leaf commits to. Raises `Malformed`."""
    try:
        told = json.loads(path.read_text("utf-8"))
        salt, payload = bytes.fromhex(told["salt"]), str(told["payload"])
        committed = json.loads(proof.leaf)["commitment"]
    except (ValueError, TypeError, KeyError):
        raise Malformed("not an opening of this proof") from None
    if commitment(salt, payload).hex() != committed:
        raise Malformed("the opening is not what the leaf commits to")
    return payload


def _note(path: Path) -> Note:
    return Note.parse(path.read_text("utf-8"))


def _one_state(node: Node) -> sa.engine.base.Connection:
    """A connection whose one transaction reads one state of things, for as long as that takes."""
    connection = node.database.engine.connect().execution_options(
        isolation_level="REPEATABLE READ", postgresql_readonly=True
    )
    connection.execute(sa.text("set local statement_timeout = 0"))
    return connection

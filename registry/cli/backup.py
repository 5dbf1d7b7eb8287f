"""backup, restore: the database as files. Keys are kept apart, and the published log has its mirror."""

from __future__ import annotations

import argparse
from pathlib import Path

from registry import backup
from registry.cli.operation import Commands
from registry.log.sequencer import Sequencer
from registry.node import open_node


def add(commands: Commands) -> None:
    backing = commands.add_parser("backup", help="copy the database into a folder; keys are not in it")
    backing.add_argument("folder", type=Path, metavar="DIR", help="new or empty")
    backing.set_defaults(run=run_backup)
    restoring = commands.add_parser("restore", help="bring a copy into an empty database")
    restoring.add_argument("folder", type=Path, metavar="DIR")
    restoring.set_defaults(run=run_restore)


def run_backup(arguments: argparse.Namespace) -> int:
    with open_node() as node:
        manifest = backup.back_up(node.database, arguments.folder, node.clock())
    print(f"{manifest.last_event} events, {manifest.leaves} leaves in {arguments.folder}")
    return 0


def run_restore(arguments: argparse.Namespace) -> int:
    """Exit code 1 also when the copy is whole and older than what was published: the log will not go on from it."""
    with open_node() as node:
        manifest = backup.restore(node.database, arguments.folder)
        print(f"restored as of {manifest.made_at:%Y-%m-%dT%H:%M:%SZ}: {manifest.leaves} leaves", flush=True)
        with Sequencer(node):
            pass  # holds what was restored against what was published
    return 0

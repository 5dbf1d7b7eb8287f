"""The command `registry`: each noun's commands in its own file, and one clear line for each failure."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from registry.cli import accounts, authority, backup, clients, demo, imports, keys, log, operation, rosters, witness
from registry.cli.failures import Failure, said

COMMANDS = (operation, demo, imports, rosters, accounts, clients, authority, keys, backup, log, witness)


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0 done, 1 refused or failed, 2 wrong usage or settings, 3 the database or keys cannot be had, 130 interrupted."""
    parsed = parser().parse_args(arguments)
    try:
        code: int = parsed.run(parsed)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader went away (`registry … | head`): nothing more to say, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        failure = said(error)
        if failure is None:
            raise
        return failure.print()
    return code


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="registry", description="Physician practice registry", allow_abbrev=False)
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    for nouns in COMMANDS:
        nouns.add(commands)
    return top


__all__ = ["Failure", "main", "parser"]

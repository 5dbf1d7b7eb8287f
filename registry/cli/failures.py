"""What a failure is in one line: for a person at a terminal, without secrets and without a traceback."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

import psycopg
from psycopg import errors as pg
from sqlalchemy.exc import DBAPIError

from auth.errors import AuthError, KeyFault
from registry.errors import DomainError
from registry.localpg import LocalPgError
from registry.settings import SettingsError
from workflows.text import Text

NOT_MIGRATED = "the database is not migrated; run: registry migrate"

REFUSED, USAGE, UNAVAILABLE = 1, 2, 3
_MISSING = (pg.UndefinedTable, pg.UndefinedColumn, pg.UndefinedFunction, pg.InsufficientPrivilege)


@dataclass(frozen=True)
class Failure:
    line: str
    code: int = REFUSED

    def print(self) -> int:
        print(f"registry: {self.line}", file=sys.stderr)
        return self.code


def said(error: Exception) -> Failure | None:
    """The line for a failure that is to be expected; None for a fault of ours, which deserves its traceback."""
    match error:
        case SettingsError():
            return Failure(str(error), USAGE)
        case LocalPgError():
            return Failure(one_line(str(error)), UNAVAILABLE)
        case KeyFault():
            return Failure(words(Text(error.zh, error.en)), UNAVAILABLE)
        case AuthError():
            return Failure(words(Text(error.zh, error.en)))
        case DomainError():
            fields = "; ".join(f"{field.field}: {words(field.text)}" for field in error.errors)
            return Failure(fields or words(error.text))
        case DBAPIError() if isinstance(error.orig, psycopg.Error):
            return _of_database(error.orig)
        case psycopg.Error():
            return _of_database(error)
        case OSError() if error.filename is not None:
            return Failure(f"{error.filename}: {error.strerror}")
        case _:
            return None


def _of_database(error: psycopg.Error) -> Failure | None:
    if isinstance(error, _MISSING):
        return Failure(NOT_MIGRATED, UNAVAILABLE)
    if isinstance(error, psycopg.OperationalError):
        if 'role "registry_app" does not exist' in str(error):
            return Failure(NOT_MIGRATED, UNAVAILABLE)
        return Failure(f"the database does not answer: {one_line(str(error))}", UNAVAILABLE)
    return None


def words(text: Text) -> str:
    """In the terminal's language: Chinese where the locale says so."""
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return text.zh if locale.startswith("zh") else text.en


def one_line(text: str) -> str:
    return " ".join(text.split())[:500]

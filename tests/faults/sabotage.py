"""Triggers that make the database fail where a test wants it to, in the real code and the real server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

DOOR = 4711  # the advisory lock that a halted transaction waits for


class Sabotage:
    """Made with the owner's engine; `end` takes away whatever is left."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    @contextmanager
    def refusing(
        self, table: str, event: str, sqlstate: str, *, times: int = 1, at_commit: bool = False
    ) -> Iterator[None]:
        """The next writes of `table` fail with `sqlstate`, so many times; `at_commit`, only when the transaction ends."""
        timing = "deferrable initially deferred" if at_commit else ""
        # A sequence counts tries: unlike a row it is not rolled back with them.
        self._run(
            f"""
            create sequence sabotage;
            create function sabotage() returns trigger security definer language plpgsql as $$
            begin
                if nextval('public.sabotage') <= {times} then
                    raise exception 'sabotage' using errcode = '{sqlstate}';
                end if;
                return null;
            end $$;
            create constraint trigger sabotage after {event} on {table} {timing} for each row execute function sabotage();
            """
        )
        try:
            yield
        finally:
            self.end()

    @contextmanager
    def halting(self, table: str, *, after: int = 0) -> Iterator[sa.Connection]:
        """Inserts into `table`, all but the first `after`, wait until the given connection ends its transaction."""
        self._run(
            f"""
            create sequence sabotage;
            create function sabotage() returns trigger security definer language plpgsql as $$
            begin
                if nextval('public.sabotage') > {after} then
                    perform pg_advisory_xact_lock({DOOR});
                end if;
                return new;
            end $$;
            create trigger sabotage before insert on {table} for each row execute function sabotage();
            """
        )
        try:
            with self._engine.connect() as connection:
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(DOOR)))
                yield connection
        finally:
            self.end()

    def waiting(self) -> bool:
        """Whether somebody stands before the door."""
        query = "select exists (select from pg_locks where locktype = 'advisory' and objid = :door and not granted)"
        with self._engine.connect() as connection:
            return bool(connection.execute(sa.text(query), {"door": DOOR}).scalar_one())

    def end(self) -> None:
        self._run("drop function if exists sabotage() cascade; drop sequence if exists sabotage")

    def _run(self, statements: str) -> None:
        with self._engine.begin() as connection:
            connection.exec_driver_sql(statements)

"""Where questions are answered: the read-only connections, the access records and the keys of one process."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from datetime import datetime
from typing import Any

import psycopg
import sqlalchemy.exc

from auth.actor import Actor
from auth.actors import actor_from
from auth.errors import AuthError
from auth.keys import KeyStore, Purpose, Signer
from auth.tokens import Claims, Realm
from registry.codes.load import code_tables
from registry.database import new_id
from registry.time import Clock
from registry.transaction import Database, app_options
from registry.verification.access import Access, AccessLog
from registry.verification.answer import Facts, answer
from registry.verification.callers import Callers
from registry.verification.groups import Group, Line
from registry.verification.question import Question
from registry.verification.receipts import receipt
from registry.verification.rendering import rendered
from registry.verification.sql import ASKED_SQL, facts
from workflows.codes import CodeTables
from workflows.text import Text

REFRESH = 15.0  # seconds between looks at keys and code tables; a new key is published 300 seconds before it signs

# One plan for all: each look-up is by key, and planning would cost as much as reading.
_READ_ONLY = (
    "-c default_transaction_read_only=on -c plan_cache_mode=force_generic_plan -c jit=off -c statement_timeout=3s"
)
_GONE = Text("查验暂时不可用，请稍后重试。", "Verification is not available just now; try again shortly.")

Asked = tuple[Claims, Question | None, datetime]


class Desk:
    """Made closed; `open` before the first question, `close` after the last."""

    def __init__(self, database: Database, keys: KeyStore, *, issuer: str, province: str, clock: Clock) -> None:
        self._database, self._keys, self._clock = database, keys, clock
        self._issuer, self._authority = issuer, f"{province}0000"
        self.callers = Callers(Realm(issuer))
        read_url = database.read_url or database.app_url
        self._line = Line(read_url, f"{app_options(read_url)} {_READ_ONLY}", "registry-verify")
        self._group: Group[Asked, tuple[Any, ...]] = Group(self._read, "questions", _GONE)
        self.log = AccessLog(database.app_url, app_options(database.app_url))
        self._refreshing: asyncio.Task[None] | None = None
        self.codes: CodeTables
        self._signer: Signer

    async def open(self) -> None:
        """Raises what the keys or the database raise when they are not there."""
        await self._refresh()
        self._group.open()
        self.log.open()
        self._refreshing = asyncio.create_task(self._keep_fresh(), name="verification keys and codes")

    async def close(self) -> None:
        if self._refreshing:
            self._refreshing.cancel()
            with suppress(asyncio.CancelledError):
                await self._refreshing
        await self.log.close()
        await self._group.close()
        await self._line.close()

    async def look_up(
        self, claims: Claims, question: Question | None, now: datetime
    ) -> tuple[Actor, Facts | None] | None:
        """Who asks, and the facts they ask for; None when the token no longer counts. Raises `Unavailable`.

        Without a question only the actor is found.
        """
        row = await self._group.ask((claims, question, now))
        return (actor_from(row[:5], claims), facts(row[5])) if row[0] is not None else None

    async def answer(
        self,
        actor: Actor,
        organisation: str | None,
        purpose: str,
        question: Question,
        found: Facts | None,
        now: datetime,
    ) -> bytes:
        """The JSON of the answer, with its receipt; its access record is durable before this returns.

        Raises `Unavailable` when the record cannot be kept.
        """
        said = answer(found, question, now)
        jti = str(new_id())
        kept = self.log.keep(
            Access(
                id=jti,
                at=now,
                asked_by=actor.id,
                organisation=organisation,
                purpose=purpose,
                physician_id=said.physician_id,
                practising_code=question.practising_code,
                institution=question.institution,
                scope=question.scope,
                valid_on=question.on,
                answer=said.verdict,
                receipt_jti=jti,
            )
        )
        signed = receipt(question, said, jti, issuer=self._issuer, signer=self._signer, now=now)
        body = rendered(said, self.codes, signed)
        await kept
        return body

    async def _read(self, asked: list[Asked]) -> list[tuple[Any, ...]]:
        questions = json.dumps([self._question(*one) for one in asked], default=str)
        try:
            cursor = await self._line.execute(ASKED_SQL, (questions,))
        except psycopg.OperationalError:  # the server was restarted meanwhile: nothing was written, so ask again
            cursor = await self._line.execute(ASKED_SQL, (questions,))
        return await cursor.fetchall()

    def _question(self, claims: Claims, question: Question | None, now: datetime) -> tuple[object, ...]:
        known = (question.as_known_on if question else None) or now
        code = question.practising_code if question else ""
        return claims.kind, claims.subject, claims.sign_in, claims.jti, known, self._authority, code

    async def _keep_fresh(self) -> None:
        while True:
            await asyncio.sleep(REFRESH)
            with suppress(AuthError, OSError, sqlalchemy.exc.SQLAlchemyError):  # what is known still serves
                await self._refresh()

    async def _refresh(self) -> None:
        now = self._clock()
        self._signer = self._keys.signer(Purpose.RECEIPT, now)
        self.callers.trust(self._keys.verifying(Purpose.TOKEN, now))
        self.codes = await asyncio.to_thread(self._read_codes)

    def _read_codes(self) -> CodeTables:
        with self._database.engine.connect() as connection:
            return code_tables(connection)

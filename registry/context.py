"""What a command works with: one transaction, one actor, one moment, and the keys and settings of this node."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlmodel import Session

from auth.actor import Actor
from registry.codes.load import code_tables
from registry.sealed import Seal
from registry.settings import Settings
from registry.time import day_in_china
from workflows.codes import CodeTables


@dataclass(frozen=True)
class Context:
    session: Session
    actor: Actor
    now: datetime
    seal: Seal
    codes: CodeTables
    province: str  # two digits of the province this node serves
    demo: bool  # a fresh sign-in counts as confirmed identity
    on: date | None = None  # judged as of this day, under the settings of now; None: the day of now

    @classmethod
    def of(cls, session: Session, actor: Actor, now: datetime, seal: Seal, settings: Settings) -> Context:
        """The context of a transaction on the node that has these settings."""
        codes = code_tables(session.connection())
        return cls(session, actor, now, seal, codes, settings.province, settings.demo)

    def by(self, actor: Actor) -> Context:
        """The same transaction and moment, for another actor."""
        return replace(self, actor=actor)

    @property
    def today(self) -> date:
        return self.on or day_in_china(self.now)

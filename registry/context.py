"""What a command works with: one transaction, one actor, one moment, and the keys and settings of this node."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session

from auth.actor import Actor
from registry.sealed import Seal
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
    demo: bool  # a fresh sign-in counts as confirmed identity (contract.md, Commands)

    @property
    def today(self) -> date:
        return day_in_china(self.now)

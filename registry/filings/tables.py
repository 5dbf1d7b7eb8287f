"""Filings and what belongs to them."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from registry.database import instant, json_column, key, texts
from workflows.codes import FilingType
from workflows.filing import State


def _one_of(column: str, values: list[str]) -> sa.CheckConstraint:
    return sa.CheckConstraint(sa.text(f"{column} in ({', '.join(repr(v) for v in values)})"), name=column)


class Filing(SQLModel, table=True):
    """One application of one physician for one institution. Moved by `commands.act` alone."""

    __tablename__ = "filing"
    __table_args__ = (
        _one_of("type", [str(t) for t in FilingType]),
        _one_of("state", [str(s) for s in State]),
        sa.Index("ix_filing_institution_state", "institution_id", "state", "id"),
        sa.Index(
            "ix_filing_authority_state",
            "authority",
            "state",
            "id",
            postgresql_where=sa.text("submitted_at is not null"),
        ),
        sa.Index("ix_filing_physician_id", "physician_id"),
        sa.Index("ix_filing_main_institution", "main_registration_no", "id"),
        sa.Index("ix_filing_practising_code", "practising_code"),
        sa.Index(
            "ix_filing_roster",
            "roster_id",
            "roster_row",
            unique=True,
            postgresql_where=sa.text("roster_id is not null"),
        ),
    )

    id: uuid.UUID = key()
    number: str = Field(sa_type=sa.Text, unique=True)
    type: str = Field(sa_type=sa.Text)
    type_chosen: bool = False  # the filer named it; otherwise it follows the facts until the filing is proposed
    state: str = Field(sa_type=sa.Text)
    revision: int = 1
    disputed: bool = False
    paused: bool = False

    # who it is about, as the filer wrote it
    physician_id: uuid.UUID | None = Field(default=None, foreign_key="physician.id")  # null: not in the register
    name: str = Field(sa_type=sa.Text)
    name_key: str = Field(sa_type=sa.Text)
    id_type: str = Field(sa_type=sa.Text)
    id_number_sealed: bytes = Field(sa_type=sa.LargeBinary)
    id_number_index: bytes = Field(sa_type=sa.LargeBinary)
    practising_code: str = Field(sa_type=sa.Text)
    qualification_sealed: bytes = Field(sa_type=sa.LargeBinary)
    phone_sealed: bytes | None = Field(default=None, sa_type=sa.LargeBinary)
    phone_index: bytes | None = Field(default=None, sa_type=sa.LargeBinary, index=True)

    # what is asked for
    institution_id: uuid.UUID = Field(foreign_key="institution.id")
    authority: str | None = Field(default=None, foreign_key="authority.code", sa_type=sa.Text)  # that decides
    category: str = Field(sa_type=sa.Text)
    scopes: list[str] = texts()
    valid_from: date | None = None
    valid_to: date | None = None
    activity: str | None = Field(default=None, sa_type=sa.Text)
    reason: str | None = Field(default=None, sa_type=sa.Text)
    schedule: str | None = Field(default=None, sa_type=sa.Text)
    contract_until: date | None = None
    note: str | None = Field(default=None, sa_type=sa.Text)

    # what it rests on, read from the register when it was last judged
    place: str | None = Field(default=None, sa_type=sa.Text)
    main_registration_no: str | None = Field(default=None, sa_type=sa.Text)

    # whose turn, and who did what
    author: str = Field(sa_type=sa.Text)  # institution or physician
    filed_by: str = Field(sa_type=sa.Text)  # account id
    roster_id: uuid.UUID | None = Field(default=None, foreign_key="roster.id")
    roster_row: int | None = None  # with the roster unique: a row is filed once, whoever is killed
    attested_by: str | None = Field(default=None, sa_type=sa.Text)
    attested_sha256: str | None = Field(default=None, sa_type=sa.Text)  # of the text it was given to, as for a consent
    recommended_by: str | None = Field(default=None, sa_type=sa.Text)
    recommendation: str | None = Field(default=None, sa_type=sa.Text)
    claimed_by: str | None = Field(default=None, sa_type=sa.Text)
    claimed_until: datetime | None = instant(nullable=True)
    returned_from: str | None = Field(default=None, sa_type=sa.Text)
    consented_at: datetime | None = instant(nullable=True)
    institution_confirmed_at: datetime | None = instant(nullable=True)
    main_agreed_at: datetime | None = instant(nullable=True)
    main_agreed_sha256: str | None = Field(default=None, sa_type=sa.Text)
    created_at: datetime = instant()
    proposed_at: datetime | None = instant(nullable=True)  # from here on it exists for the other party
    main_asked_at: datetime | None = instant(nullable=True)  # … for the main institution
    submitted_at: datetime | None = instant(nullable=True)  # … for the authority
    accepted_at: datetime | None = instant(nullable=True)
    decided_at: datetime | None = instant(nullable=True)
    waiting_since: datetime | None = instant(
        nullable=True
    )  # entered its present state: limits of WAIT_* and CORRECTION


class Evaluation(SQLModel, table=True):
    """What the rules said of a filing at one moment: all findings, with the policy they were judged by. Rows are only added."""

    __tablename__ = "evaluation"
    __table_args__ = (
        sa.Index("ix_evaluation_filing_round", "filing_id", "round", unique=True),
        sa.Index("ix_evaluation_open_rules", "open_rules", postgresql_using="gin"),
    )

    id: uuid.UUID = key()
    filing_id: uuid.UUID = Field(foreign_key="filing.id")
    round: int
    at: datetime = instant()
    act: str = Field(sa_type=sa.Text)
    policy_version: str = Field(sa_type=sa.Text)
    outcome: str = Field(sa_type=sa.Text)
    open_rules: list[str] = texts()  # ids of findings return, reject and senior
    findings: list[dict[str, Any]] = json_column(default=list)


class Decision(SQLModel, table=True):
    """An officer's act with its reasons from the catalogue."""

    __tablename__ = "decision"

    id: uuid.UUID = key()
    filing_id: uuid.UUID = Field(foreign_key="filing.id", index=True)
    kind: str = Field(sa_type=sa.Text)  # the act: return, not_accept, recommend, approve, refuse
    proposal: str | None = Field(default=None, sa_type=sa.Text)  # of a recommendation: approve or refuse
    reasons: list[dict[str, Any]] = json_column(default=list)
    evaluation_id: uuid.UUID = Field(foreign_key="evaluation.id")
    decided_by: str = Field(sa_type=sa.Text)
    at: datetime = instant()


class Consent(SQLModel, table=True):
    """The physician's own confirmation of the text that was shown (rule R124)."""

    __tablename__ = "consent"

    id: uuid.UUID = key()
    filing_id: uuid.UUID = Field(foreign_key="filing.id", index=True)
    physician_id: uuid.UUID = Field(foreign_key="physician.id")
    given_by: str = Field(sa_type=sa.Text)
    text: str = Field(sa_type=sa.Text)
    text_sha256: str = Field(sa_type=sa.Text)
    method: str = Field(sa_type=sa.Text)
    at: datetime = instant()


class Attachment(SQLModel, table=True):
    """A document as evidence of a filing."""

    __tablename__ = "attachment"
    __table_args__ = (sa.UniqueConstraint("filing_id", "sha256", "kind"),)

    id: uuid.UUID = key()
    filing_id: uuid.UUID = Field(foreign_key="filing.id")
    sha256: str = Field(foreign_key="document.sha256", sa_type=sa.Text)
    kind: str = Field(sa_type=sa.Text)
    file_name: str = Field(sa_type=sa.Text)
    attached_by: str = Field(sa_type=sa.Text)
    at: datetime = instant()


class ClockEntry(SQLModel, table=True):
    """One entry of the ledger that explains a due date: start, pause, resume or stop of a limit."""

    __tablename__ = "clock_entry"

    id: uuid.UUID = key()
    filing_id: uuid.UUID = Field(foreign_key="filing.id", index=True)
    kind: str = Field(sa_type=sa.Text)  # start, pause, resume, stop
    limit: str | None = Field(default=None, sa_type=sa.Text)  # id of time_limits, of a start
    cause: str = Field(sa_type=sa.Text)
    at: datetime = instant()

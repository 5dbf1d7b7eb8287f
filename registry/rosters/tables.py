"""Rosters, their rows, and the sealed spool of the uploaded file."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from registry.database import instant, json_column, key, texts
from workflows.roster import State


class Roster(SQLModel, table=True):
    """One uploaded file and how far the work on it has come. The worker goes on from `state`, whoever held it before."""

    __tablename__ = "roster"
    __table_args__ = (
        sa.CheckConstraint(sa.text(f"state in ({', '.join(repr(str(s)) for s in State)})"), name="state"),
        sa.Index("ix_roster_institution", "institution_id", "id"),
        sa.Index(
            "ix_roster_at_work",
            "worked_at",
            postgresql_where=sa.text(
                "state in ('received', 'parsing', 'mapping', 'judging', 'filing') or not drafts_done and (state = 'filed' and attested_by is not null or state in ('cancelled', 'failed') and filed_by is not null)"
            ),
        ),
    )

    id: uuid.UUID = key()
    institution_id: uuid.UUID = Field(foreign_key="institution.id")
    state: str = Field(sa_type=sa.Text)
    resting: str | None = Field(default=None, sa_type=sa.Text)  # the state a pause goes back to
    uploaded_by: str = Field(sa_type=sa.Text)
    uploaded_at: datetime = instant()
    upload_id: uuid.UUID  # of the spool
    file_name: str = Field(sa_type=sa.Text)
    file_sha256: str = Field(sa_type=sa.Text)
    file_size: int = Field(sa_type=sa.BigInteger)
    mapping: dict[str, str] = json_column()  # column of the file → heading of ours, where the uploader said so
    places: dict[str, int] = json_column()  # heading of ours → index of its column, as found
    columns: list[str] = texts()  # the file's own headings, in order
    fault: dict[str, Any] | None = Field(default=None, sa_type=sa.JSON)  # why the file as a whole failed: code, zh, en
    rows: int = 0
    judged_on: date | None = None  # the day the rows were judged as of
    cursor: int = 0  # the row up to which the present stage has come
    stage_began: datetime | None = instant(nullable=True)
    stage_base: int = 0  # what was done already when the stage began, or was taken up again
    worked_at: datetime | None = instant(nullable=True)  # last chunk: the one that has waited longest comes next
    filed_by: str | None = Field(default=None, sa_type=sa.Text)
    attested_by: str | None = Field(default=None, sa_type=sa.Text)
    attested_at: datetime | None = instant(nullable=True)
    drafts_done: bool = False  # none is left to be attested or, after a cancellation, withdrawn
    agreements: list[str] = texts()  # SHA-256 of the agreements the manager attests by
    version: int = 1


class RosterRow(SQLModel, table=True):
    """One data row as it was read. The cells are sealed; what is kept open is what finds two rows of one person."""

    __tablename__ = "roster_row"
    __table_args__ = (
        sa.PrimaryKeyConstraint("roster_id", "row"),
        sa.Index("ix_roster_row_person", "roster_id", "person_index", "row"),
    )

    roster_id: uuid.UUID = Field(foreign_key="roster.id")
    row: int  # from 1, the heading not counted
    line: int  # of the sheet or file
    cells_sealed: bytes = Field(sa_type=sa.LargeBinary)  # JSON list of the cells as written
    person_index: bytes | None = Field(
        default=None, sa_type=sa.LargeBinary
    )  # of the practising code; null: none written
    valid_from: date | None = None
    valid_to: date | None = None


class RosterVerdict(SQLModel, table=True):
    """What the rules said of a row. Apart from the row, so that both are written once and in bulk."""

    __tablename__ = "roster_verdict"
    __table_args__ = (
        sa.PrimaryKeyConstraint("roster_id", "row"),
        sa.ForeignKeyConstraint(["roster_id", "row"], ["roster_row.roster_id", "roster_row.row"]),
        sa.Index("ix_roster_verdict_outcome", "roster_id", "outcome", "row"),
    )

    roster_id: uuid.UUID
    row: int
    outcome: str = Field(sa_type=sa.Text)
    rules: list[str] = texts()
    findings: list[dict[str, Any]] = json_column(default=list)


class SpooledPart(SQLModel, table=True):
    """A part of an uploaded file, sealed. Parts of an upload that became no roster are swept away."""

    __tablename__ = "spooled_part"

    upload_id: uuid.UUID = Field(primary_key=True)
    part: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    sealed: bytes = Field(sa_type=sa.LargeBinary)
    at: datetime = instant(now=True)

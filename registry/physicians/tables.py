"""Physicians and the facts the national register gave about them, bitemporal where verification depends on it."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlmodel import Field, SQLModel

from registry.database import instant, key, span, texts


class Physician(SQLModel, table=True):
    """A person, found by practising code. Numbers are sealed (registry/sealed.py); the indexes find them blind."""

    __tablename__ = "physician"
    __table_args__ = (sa.Index("ix_physician_name_parts", "name_parts", postgresql_using="gin"),)

    id: uuid.UUID = key()
    practising_code: str = Field(sa_type=sa.Text, unique=True)
    name: str = Field(sa_type=sa.Text)  # as the register writes it
    name_key: str = Field(sa_type=sa.Text, index=True)
    name_parts: list[str] = texts()
    id_type: str = Field(sa_type=sa.Text)
    id_number_sealed: bytes | None = Field(default=None, sa_type=sa.LargeBinary)
    id_number_index: bytes | None = Field(default=None, sa_type=sa.LargeBinary, index=True)
    qualification_sealed: bytes | None = Field(default=None, sa_type=sa.LargeBinary)
    sex: str | None = Field(default=None, sa_type=sa.Text)
    birth_date: date | None = None
    level: str = Field(sa_type=sa.Text)
    title: str | None = Field(default=None, sa_type=sa.Text)
    first_registered: date | None = None
    source: str = Field(sa_type=sa.Text)
    source_at: datetime = instant()
    version: int = Field(default=1, sa_column_kwargs={"server_default": sa.text("1")})


class Registration(SQLModel, table=True):
    """What the register says of one practice place over a span of days (`valid`), as known over a span of time (`recorded`).

    Nothing is overwritten: a correction closes `recorded` and inserts. A province for a physician, a county for an assistant
    (Order 13, art. 7); each row has exactly one main institution.
    """

    __tablename__ = "registration"
    __table_args__ = (
        sa.CheckConstraint(
            sa.text("status in ('ACTIVE', 'SUSPENDED', 'CANCELLED', 'REVOKED', 'WITHDRAWN')"), name="status"
        ),
        # One current truth for each day of a place. (Not deferrable: the writer closes before it inserts.)
        pg.ExcludeConstraint(
            ("physician_id", "="),
            ("place", "="),
            ("valid", "&&"),
            where=sa.text("upper_inf(recorded)"),
            name="ex_registration_one_truth",
        ),
        sa.Index("ix_registration_physician_id", "physician_id"),
        sa.Index(
            "ix_registration_main",
            "main_registration_no",
            "physician_id",
        ),
    )

    id: uuid.UUID = key()
    physician_id: uuid.UUID = Field(foreign_key="physician.id")
    place: str = Field(sa_type=sa.Text)
    province: str = Field(sa_type=sa.Text)
    main_registration_no: str | None = Field(default=None, sa_type=sa.Text)
    main_name: str = Field(sa_type=sa.Text)
    level: str = Field(sa_type=sa.Text)
    category: str = Field(sa_type=sa.Text)
    scopes: list[str] = texts()
    status: str = Field(sa_type=sa.Text)
    status_from: date | None = None
    status_to: date | None = None
    status_cause: str | None = Field(default=None, sa_type=sa.Text)
    registered_on: date | None = None
    valid: Any = span(pg.DATERANGE)
    recorded: Any = span(pg.TSTZRANGE)
    source: str = Field(sa_type=sa.Text)
    source_at: datetime = instant()
    digest: bytes = Field(sa_type=sa.LargeBinary)


class RegisterConfirmation(SQLModel, table=True):
    """When a source last said what is recorded of a place. Narrow and apart, so that a re-import that changes nothing is cheap."""

    __tablename__ = "register_confirmation"

    physician_id: uuid.UUID = Field(primary_key=True, foreign_key="physician.id")
    place: str = Field(primary_key=True, sa_type=sa.Text)
    digest: bytes = Field(sa_type=sa.LargeBinary)  # keyed digest of the last source row
    source: str = Field(sa_type=sa.Text)
    source_at: datetime = instant()


class Assessment(SQLModel, table=True):
    """A periodic assessment (医师法 42)."""

    __tablename__ = "assessment"
    __table_args__ = (sa.UniqueConstraint("physician_id", "assessed_on"),)

    id: uuid.UUID = key()
    physician_id: uuid.UUID = Field(foreign_key="physician.id")
    assessed_on: date | None = None
    result: str = Field(sa_type=sa.Text)
    source: str = Field(sa_type=sa.Text)
    source_at: datetime = instant()
    recorded_at: datetime = instant(now=True)


class Disqualification(SQLModel, table=True):
    """A ground of 医师法 16 or its neighbours that a source reported (codes: disqualification)."""

    __tablename__ = "disqualification"
    __table_args__ = (sa.UniqueConstraint("physician_id", "code", "since"),)

    id: uuid.UUID = key()
    physician_id: uuid.UUID = Field(foreign_key="physician.id")
    code: str = Field(sa_type=sa.Text)
    since: date
    until: date | None = None
    source: str = Field(sa_type=sa.Text)
    source_at: datetime = instant()
    recorded_at: datetime = instant(now=True)


class Extract(SQLModel, table=True):
    """One import of a file: what it was, what it said and what came of it."""

    __tablename__ = "extract"

    id: uuid.UUID = key()
    kind: str = Field(sa_type=sa.Text)  # institutions or register
    file_name: str = Field(sa_type=sa.Text)
    file_sha256: bytes = Field(sa_type=sa.LargeBinary)
    source_at: datetime = instant()
    imported_at: datetime = instant(now=True)
    read: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    finished_at: datetime | None = instant(nullable=True)

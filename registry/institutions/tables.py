"""Medical institutions as their licences say."""

from __future__ import annotations

import uuid
from datetime import date, datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from registry.database import instant, key, texts


class Institution(SQLModel, table=True):
    __tablename__ = "institution"
    __table_args__ = (
        sa.CheckConstraint(sa.text("status in ('ACTIVE', 'SUSPENDED', 'CLOSED')"), name="status"),
        sa.Index("ix_institution_name_parts", "name_parts", postgresql_using="gin"),
    )

    id: uuid.UUID = key()
    registration_no: str = Field(sa_type=sa.Text, unique=True)
    name: str = Field(sa_type=sa.Text)
    name_key: str = Field(sa_type=sa.Text, index=True)
    name_parts: list[str] = texts()  # single characters and bigrams of name_key: see workflows.names.parts
    uscc: str = Field(sa_type=sa.Text)
    division: str = Field(sa_type=sa.Text)
    province: str = Field(sa_type=sa.Text, index=True)  # two digits
    category: str = Field(sa_type=sa.Text)
    management: str = Field(sa_type=sa.Text)
    internet: bool
    subjects: list[str] = texts()  # codes of clinical_subject; a subject not in the table is kept as written
    licence_until: date | None
    status: str = Field(sa_type=sa.Text)
    authority: str | None = Field(default=None, foreign_key="authority.code", sa_type=sa.Text)
    authority_name: str = Field(sa_type=sa.Text)  # as the licence prints it, also when it is not known here
    source: str = Field(sa_type=sa.Text)
    source_at: datetime = instant()
    digest: bytes = Field(sa_type=sa.LargeBinary)  # keyed digest of the source row, to tell changed from unchanged
    version: int = Field(default=1, sa_column_kwargs={"server_default": sa.text("1")})

"""Code tables in the database: what is graded below high is an operator's to edit."""

from __future__ import annotations

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from registry.database import json_column


class CodeRow(SQLModel, table=True):
    """One code of one table. `edited` rows are never overwritten by a later release's seed."""

    __tablename__ = "code"

    table: str = Field(primary_key=True, sa_type=sa.Text)
    code: str = Field(primary_key=True, sa_type=sa.Text)
    key: str | None = Field(default=None, sa_type=sa.Text)
    zh: str = Field(sa_type=sa.Text)
    en: str = Field(sa_type=sa.Text)
    attributes: dict[str, object] = json_column()
    confidence: str = Field(sa_type=sa.Text)
    edited: bool = Field(default=False, sa_column_kwargs={"server_default": sa.false()})

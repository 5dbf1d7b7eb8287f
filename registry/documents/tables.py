"""Evidence files, addressed by their content and sealed."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from registry.database import instant


class Document(SQLModel, table=True):
    """A file by the SHA-256 of its plain bytes; stored once however often it is attached."""

    __tablename__ = "document"

    sha256: str = Field(primary_key=True, sa_type=sa.Text)
    size: int
    media_type: str = Field(sa_type=sa.Text)
    content_sealed: bytes = Field(sa_type=sa.LargeBinary)
    scan: str = Field(sa_type=sa.Text)  # what the antivirus said; not_connected where there is none
    stored_at: datetime = instant(now=True)

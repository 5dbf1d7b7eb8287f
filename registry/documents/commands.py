"""Keeping evidence files: sniffed, bounded, sealed, stored once."""

from __future__ import annotations

import hashlib

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session

from registry.documents.tables import Document
from registry.errors import FieldError, Invalid, NotFound, TooLarge
from registry.sealed import Seal
from workflows.text import Text

MAX_BYTES = 20 * 1024 * 1024

# What a reviewer's browser can show safely, told by its first bytes, never by its name (ASVS 5.2.2).
_SIGNATURES = ((b"%PDF-", "application/pdf"), (b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"))

_TYPE = Text(
    "只接受 PDF、JPEG 或 PNG 文件，请转换后重新上传。", "Only PDF, JPEG or PNG; convert the file and upload it again."
)
_EMPTY = Text("文件为空，请重新选择。", "The file is empty; choose it again.")
_SIZE = Text("文件超过 20 MB，请压缩后重新上传。", "The file is larger than 20 MB; compress it and upload it again.")


def sniffed(content: bytes) -> str | None:
    """The media type by signature; None for anything else."""
    return next((kind for mark, kind in _SIGNATURES if content.startswith(mark)), None)


def store(session: Session, seal: Seal, content: bytes) -> Document:
    """The document of these bytes, stored when it was not yet there. `Invalid` or `TooLarge` with the remedy."""
    if len(content) > MAX_BYTES:
        raise TooLarge(_SIZE)
    media_type = sniffed(content)
    if media_type is None:
        raise Invalid(errors=(FieldError("file", "type" if content else "empty", _TYPE if content else _EMPTY),))
    sha256 = hashlib.sha256(content).hexdigest()
    session.execute(
        insert(Document)
        .values(
            sha256=sha256,
            size=len(content),
            media_type=media_type,
            content_sealed=seal.seal_bytes("document.content", sha256, content),
            scan="not_connected",
        )
        .on_conflict_do_nothing()
    )
    return session.get_one(Document, sha256)


def content(session: Session, seal: Seal, sha256: str) -> tuple[Document, bytes]:
    """The document and its plain bytes; `NotFound` when it is not there."""
    found = session.get(Document, sha256)
    if found is None:
        raise NotFound
    return found, seal.open_bytes("document.content", sha256, found.content_sealed)

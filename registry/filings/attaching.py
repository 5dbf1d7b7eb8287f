"""Evidence of a filing."""

from __future__ import annotations

import unicodedata

from sqlmodel import col, select

from auth.roles import Role
from registry.context import Context
from registry.documents import commands as documents
from registry.errors import FieldError, Forbidden, Invalid, NotFound, Refusal
from registry.filings.casefile import MAIN_CONSENT
from registry.filings.schemas import AttachmentOut
from registry.filings.tables import Attachment, Filing
from registry.institutions.tables import Institution
from registry.log.events import record
from workflows.filing import OPEN, Author, State
from workflows.text import Text

KINDS = frozenset({MAIN_CONSENT, "employment_proof", "identity", "qualification", "practising_certificate", "other"})
MOST = 50  # of one filing

_KIND = Text("材料类别须为以下之一：{kinds}。", "The kind must be one of: {kinds}.")
_CLOSED = Text("该申请已办结，不能再添加材料。", "This filing is closed; nothing can be attached.")
_FULL = Text("每份申请最多 50 份材料。", "A filing takes at most 50 attachments.")
_NOT_A_PARTY = Text("只有申报机构或医师本人可以添加材料。", "Only the filing institution or the physician can attach.")


def attach(context: Context, filing: Filing, content: bytes, kind: str, file_name: str) -> AttachmentOut:
    """Store and attach. Raises `Invalid`, `TooLarge`, `Refusal` (closed), `Forbidden` (not a party)."""
    session, actor = context.session, context.actor
    if kind not in KINDS:
        text = _KIND.filled({"kinds": ", ".join(sorted(KINDS))})
        raise Invalid(errors=(FieldError("kind", "kind", text),))
    if not _is_party(context, filing):
        raise Forbidden(_NOT_A_PARTY)
    if State(filing.state) not in OPEN:
        raise Refusal(_CLOSED)
    if len(session.exec(select(Attachment.id).where(col(Attachment.filing_id) == filing.id)).all()) >= MOST:
        raise Refusal(_FULL)
    document = documents.store(session, context.seal, content)
    found = session.exec(
        select(Attachment).where(
            col(Attachment.filing_id) == filing.id,
            col(Attachment.sha256) == document.sha256,
            col(Attachment.kind) == kind,
        )
    ).one_or_none()
    if found is None:
        found = Attachment(
            filing_id=filing.id,
            sha256=document.sha256,
            kind=kind,
            file_name=_safe_name(file_name),
            attached_by=actor.id,
            at=context.now,
        )
        session.add(found)
        filing.revision += 1  # what an officer looked at has changed
        session.flush()
        record(
            session,
            actor,
            "filing.attach",
            ("filing", filing.id),
            filing.revision,
            {"sha256": document.sha256, "kind": kind, "size": document.size},
            now=context.now,
        )
    return AttachmentOut(
        sha256=document.sha256,
        kind=kind,
        file_name=found.file_name,
        size=document.size,
        media_type=document.media_type,
        scan=document.scan,
        at=found.at.isoformat(),
    )


def content(context: Context, filing: Filing, sha256: str) -> tuple[str, str, bytes]:
    """File name, media type and bytes of an attachment of this filing. Raises `NotFound`."""
    found = context.session.exec(
        select(Attachment).where(col(Attachment.filing_id) == filing.id, col(Attachment.sha256) == sha256).limit(1)
    ).one_or_none()
    if found is None:
        raise NotFound
    document, plain = documents.content(context.session, context.seal, sha256)
    return found.file_name, document.media_type, plain


def _is_party(context: Context, filing: Filing) -> bool:
    actor = context.actor
    if filing.author == Author.PHYSICIAN or filing.physician_id == actor.physician_id is not None:
        return True  # it was theirs to see, and their role may attach
    institution = context.session.get_one(Institution, filing.institution_id)
    return institution.registration_no in actor.organisations(Role.FILER, Role.MANAGER)


def _safe_name(name: str) -> str:
    """What is left of a file name: its last part, without control characters, at most 120 characters."""
    last = name.replace("\\", "/").rpartition("/")[2]
    kept = "".join(c for c in last if unicodedata.category(c)[0] not in "CZ" or c == " ").strip()
    return kept[-120:] or "file"

"""Machine clients as the installing operator registers them (`registry client …`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from auth import clients
from auth.actor import OPERATOR
from auth.tables import Client
from registry.accounts import ensure_organisation, in_our_words
from registry.errors import Conflict, Invalid, NotFound
from registry.log.events import record
from workflows.text import Text


def add_client(
    session: Session,
    name: str,
    organisation: str,
    scopes: Sequence[str],
    *,
    public_key: str | None = None,
    secret: str | None = None,
    purpose: str | None = None,
    now: datetime,
) -> str | None:
    """A new client; its secret, to be shown once, unless it has a key (`public_key`: PEM or JWK text).

    `secret` is for a demo that wants a known one. Raises `DomainError`.
    """
    wanted = frozenset(scopes)
    if not wanted or not wanted <= clients.SCOPES:
        known = sorted(clients.SCOPES)
        raise Invalid(Text(f"--scope 可用：{'、'.join(known)}。", f"--scope takes: {', '.join(known)}."))
    ensure_organisation(session, organisation)
    with in_our_words():
        client, given = clients.add(
            session, name, organisation, wanted, public_key=public_key, secret=secret, purpose=purpose, now=now
        )
    payload = {"scopes": sorted(wanted), "proof": "key" if given is None else "secret"}
    record(session, OPERATOR, "client.add", ("client", client.id), 1, payload, now=now, organisation=organisation)
    return given


def disable_client(session: Session, name: str, *, now: datetime) -> None:
    """Closes a client and ends its tokens. Raises `DomainError`."""
    client = clients.find(session, name)
    if client is None:
        raise NotFound(Text("没有这个客户端。", "There is no such client; see: registry client list."))
    if not clients.disable(session, client.id, now=now):
        raise Conflict(Text("该客户端已停用。", "The client is disabled already."))
    organisation = client.organisation
    record(session, OPERATOR, "client.disable", ("client", client.id), 1, {}, now=now, organisation=organisation)


def list_clients(session: Session) -> Sequence[Client]:
    """Every client, by name."""
    return session.exec(select(Client).order_by(col(Client.name))).all()

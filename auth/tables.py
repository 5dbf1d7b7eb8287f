"""Accounts, machine clients, the roles they hold, and what keeps a sign-in honest."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.schema import conv
from sqlmodel import Field, SQLModel

from auth.actor import Grant
from auth.roles import ADMINISTRATORS, AUTHORITY_ROLES, INSTITUTION_ROLES, Role


# Names are written out (`conv`: as they stand), since this package does not depend on the registry's naming convention.
def _check(name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(sa.text(condition), name=conv(name))


def _listed(roles: frozenset[Role] | type[Role]) -> str:
    return ", ".join(f"'{role}'" for role in sorted(roles))


def _key() -> Any:
    """The primary key: a time-ordered id, given by the database."""
    return Field(default=None, sa_column_kwargs={"server_default": sa.text("uuid7()")}, sa_type=sa.Uuid, nullable=False)


def _instant(*, now: bool = False, nullable: bool = False) -> Any:
    return Field(
        default=None,
        sa_type=sa.DateTime(timezone=True),
        sa_column_kwargs={"server_default": sa.func.now()} if now else {},
        nullable=nullable,
    )


class Account(SQLModel, table=True):
    """A person who signs in. For role physician `physician_id` says which physician the person is."""

    __tablename__ = "account"
    __table_args__ = (
        sa.PrimaryKeyConstraint("id", name="pk_account"),
        sa.UniqueConstraint("name_key", name="uq_account_name_key"),
    )

    id: uuid.UUID = _key()
    name: str = Field(sa_type=sa.Text)
    name_key: str = Field(sa_type=sa.Text)  # auth.accounts.name_key: Li.Wei and li.wei are one account
    password_hash: str | None = Field(default=None, sa_type=sa.Text)
    physician_id: uuid.UUID | None = None
    totp_sealed: bytes | None = Field(default=None, sa_type=sa.LargeBinary)
    totp_step: int | None = Field(default=None, sa_type=sa.BigInteger)  # the last one used; none is taken twice
    created_at: datetime = _instant(now=True)
    disabled_at: datetime | None = _instant(nullable=True)


class AccountGrant(SQLModel, table=True):
    """A role in an organisation: an institution's registration number or an authority's division code."""

    __tablename__ = "account_grant"
    __table_args__ = (
        sa.PrimaryKeyConstraint("account_id", "role", "organisation", name="pk_account_grant"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_account_grant_account_id"),
        _check("ck_account_grant_role", f"role in ({_listed(Role)})"),
        _check(
            "ck_account_grant_organisation",
            f"case when role in ({_listed(INSTITUTION_ROLES)}) then organisation ~ '^[0-9A-Z]{{22}}$'"
            f" when role in ({_listed(AUTHORITY_ROLES)}) then organisation ~ '^[0-9]{{6}}$'"
            " else organisation ~ '^([0-9]{6}|[0-9A-Z]{22})$' end",
        ),
        # Three administrators, three persons: an account holds one kind at most, wherever, whoever writes at the same time.
        pg.ExcludeConstraint(
            ("account_id", "="),
            ("role", "<>"),
            where=sa.text(f"role in ({_listed(ADMINISTRATORS)})"),
            name="ex_account_grant_one_kind_of_administrator",
        ),
    )

    account_id: uuid.UUID
    role: str = Field(sa_type=sa.Text)
    organisation: str = Field(sa_type=sa.Text)
    created_at: datetime = _instant(now=True)

    @property
    def grant(self) -> Grant:
        return Grant(Role(self.role), self.organisation)


class Client(SQLModel, table=True):
    """A machine of an organisation. It proves itself by a secret or, better, by a key that only it holds (RFC 7523)."""

    __tablename__ = "client"
    __table_args__ = (
        sa.PrimaryKeyConstraint("id", name="pk_client"),
        sa.UniqueConstraint("name", name="uq_client_name"),
        _check("ck_client_proof", "num_nonnulls(secret_sha256, public_key) = 1"),
        _check("ck_client_scopes", "scopes <@ array['verify', 'directory', 'changes'] and cardinality(scopes) > 0"),
    )

    id: uuid.UUID = _key()
    name: str = Field(sa_type=sa.Text)  # its client_id
    organisation: str = Field(sa_type=sa.Text)
    scopes: list[str] = Field(default_factory=list, sa_type=pg.ARRAY(sa.Text), nullable=False)
    purpose: str | None = Field(default=None, sa_type=sa.Text)  # why it asks, unless a request says so
    # A secret has 256 random bits, so a plain digest keeps it; passwords go through argon2.
    secret_sha256: bytes | None = Field(default=None, sa_type=sa.LargeBinary)
    public_key: str | None = Field(default=None, sa_type=sa.Text)  # PEM of a P-256 key
    created_at: datetime = _instant(now=True)
    disabled_at: datetime | None = _instant(nullable=True)


class SignIn(SQLModel, table=True):
    """One sign-in of a person and all that grew from it: access tokens name it, refresh tokens belong to it.

    Ending it ends them all at once, which is also what a refresh token used twice does.
    """

    __tablename__ = "sign_in"
    __table_args__ = (
        sa.PrimaryKeyConstraint("id", name="pk_sign_in"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_sign_in_account_id"),
        sa.Index("ix_sign_in_account_id", "account_id"),
        sa.Index("ix_sign_in_origin", "origin"),
        sa.Index("ix_sign_in_expires_at", "expires_at"),
    )

    id: uuid.UUID = _key()
    account_id: uuid.UUID
    auth_time: datetime = _instant()  # when the person proved who they are; a refresh does not move it
    expires_at: datetime = _instant()
    ended_at: datetime | None = _instant(nullable=True)
    origin: bytes = Field(sa_type=sa.LargeBinary)  # digest of name and address: a known origin passes the common limits


class RefreshToken(SQLModel, table=True):
    """A refresh token, by its digest; good once."""

    __tablename__ = "refresh_token"
    __table_args__ = (
        sa.PrimaryKeyConstraint("sha256", name="pk_refresh_token"),
        sa.ForeignKeyConstraint(["sign_in_id"], ["sign_in.id"], name="fk_refresh_token_sign_in_id", ondelete="CASCADE"),
        sa.Index("ix_refresh_token_sign_in_id", "sign_in_id"),
    )

    sha256: bytes = Field(sa_type=sa.LargeBinary)
    sign_in_id: uuid.UUID
    issued_at: datetime = _instant()
    used_at: datetime | None = _instant(nullable=True)


class RevokedToken(SQLModel, table=True):
    """An access token that ended early, kept until it would have ended by itself."""

    __tablename__ = "revoked_token"
    __table_args__ = (
        sa.PrimaryKeyConstraint("jti", name="pk_revoked_token"),
        sa.Index("ix_revoked_token_expires_at", "expires_at"),
    )

    jti: str = Field(sa_type=sa.Text)
    expires_at: datetime = _instant()


class UsedAssertion(SQLModel, table=True):
    """An assertion a client has proved itself with (RFC 7523, 3.7), kept until it expires."""

    __tablename__ = "used_assertion"
    __table_args__ = (
        sa.PrimaryKeyConstraint("client_id", "jti", name="pk_used_assertion"),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], name="fk_used_assertion_client_id"),
        sa.Index("ix_used_assertion_expires_at", "expires_at"),
    )

    client_id: uuid.UUID
    jti: str = Field(sa_type=sa.Text)
    expires_at: datetime = _instant()


class SignInAttempt(SQLModel, table=True):
    """A sign-in that was tried and has not succeeded; written before the password is looked at, so none goes uncounted."""

    __tablename__ = "sign_in_attempt"
    __table_args__ = (
        sa.PrimaryKeyConstraint("id", name="pk_sign_in_attempt"),
        sa.Index("ix_sign_in_attempt_at", "at"),
    )

    id: uuid.UUID = _key()
    at: datetime = _instant()
    origin: bytes = Field(sa_type=sa.LargeBinary)  # digest of name and address
    address: bytes = Field(sa_type=sa.LargeBinary)  # digest of the address alone

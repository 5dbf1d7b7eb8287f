"""Settings from the environment or `.env`, read once at the edge and passed down."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class SettingsError(Exception):
    """A setting that cannot be used; one line for the operator, without the value (it may be a secret)."""


class Environment(StrEnum):
    PRODUCTION = "production"
    DEMO = "demo"


def _postgres(url: str) -> str:
    if url and not url.startswith(("postgresql://", "postgres://")):
        raise ValueError("it must begin with postgresql://")
    return url.replace("postgres://", "postgresql://", 1)


def _web(url: str) -> str:
    if url and not url.startswith(("https://", "http://")):
        raise ValueError("it must begin with https:// or http://")
    return url.rstrip("/")


PostgresUrl = Annotated[str, AfterValidator(_postgres)]
WebUrl = Annotated[str, AfterValidator(_web)]


class Settings(BaseSettings):
    """Each field is REGISTRY_ and its name in capitals. Made by `read_settings`, so that errors are one line."""

    model_config = SettingsConfigDict(env_prefix="REGISTRY_", env_file=".env", extra="ignore", env_ignore_empty=True)

    env: Environment = Environment.PRODUCTION
    database_url: PostgresUrl = ""  # empty: the embedded cluster under data_dir
    owner_database_url: PostgresUrl = ""  # for migrations, where the application's own login may not own the tables
    read_database_url: PostgresUrl = ""  # a replica for verification
    data_dir: Path = Path("var")
    key_dir: Path | None = None  # None: data_dir/keys, in a demo only
    public_url: WebUrl = ""
    log_origin: str = Field(default="", pattern=r"^[^\s+]*$")  # who the log is; empty: the public address and /log
    log_mirror: Path | None = None  # None: data_dir/log
    log_witnesses: Path | None = None  # a file with a line NAME URL VKEY for each; None: nobody co-signs
    log_quorum: int | None = Field(default=None, ge=1, le=100)  # cosignatures that are enough; None: more than half
    witness_name: str = Field(
        default="", pattern=r"^[^\s+]*$"
    )  # who we are to others' logs; empty: the host and /witness
    province: str = Field(default="46", pattern=r"^\d\d$")
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    now: datetime | None = None  # a fixed clock, in a demo only
    demo_password: SecretStr | None = None
    demo_client_secret: SecretStr | None = None
    roster_max_bytes: int = Field(default=512 * 1024 * 1024, ge=1024)
    demo_mfa: bool = False

    @model_validator(mode="after")
    def _production_has_the_true_time(self) -> Self:
        if self.now is not None:
            if self.env is not Environment.DEMO:
                raise ValueError("REGISTRY_NOW is allowed only with REGISTRY_ENV=demo")
            if self.now.tzinfo is None:
                raise ValueError("REGISTRY_NOW needs its offset, such as 2026-11-21T09:00:00+08:00")
        return self

    @property
    def demo(self) -> bool:
        return self.env is Environment.DEMO

    @property
    def keys(self) -> Path:
        """Where the signing and sealing keys lie."""
        return self.key_dir or self.data_dir / "keys"

    @property
    def origin(self) -> str:
        """The log's name in every checkpoint: its address without the scheme (c2sp.org/tlog-tiles, Parameters)."""
        return self.log_origin or (self.public_url.partition("://")[2] or "localhost") + "/log"

    @property
    def witness(self) -> str:
        """The name under which this node co-signs others' logs."""
        return self.witness_name or (self.public_url.partition("://")[2] or "localhost") + "/witness"

    @property
    def mirror(self) -> Path:
        """The folder with the published log as files, outside the database."""
        return self.log_mirror or self.data_dir / "log"

    @property
    def base_url(self) -> str:
        """What the outside calls this service, without a slash at the end."""
        return self.public_url or f"http://{self.host}:{self.port}"

    def ensure_fit_to_serve(self) -> None:
        """Production never serves with keys made on the way or over plain HTTP. Raises `SettingsError`."""
        if self.demo:
            return
        if not self.public_url.startswith("https://"):
            raise SettingsError("REGISTRY_PUBLIC_URL: production needs the public https:// address of the service")
        if self.key_dir is None:
            raise SettingsError("REGISTRY_KEY_DIR: production needs the folder of its own keys (registry keys new)")


def read_settings(env_file: Path | None = Path(".env")) -> Settings:
    """The settings of this process. Raises `SettingsError` with one line that names the setting and not its value."""
    try:
        return Settings(_env_file=env_file)
    except ValidationError as invalid:
        error = invalid.errors(include_input=False, include_url=False)[0]
        name = f"REGISTRY_{error['loc'][0]}".upper() + ": " if error["loc"] else ""
        raise SettingsError(name + error["msg"].removeprefix("Value error, ")) from None

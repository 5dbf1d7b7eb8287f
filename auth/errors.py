"""What can go wrong with who acts. Each carries its sentence in both languages; the edge says which status it is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class AuthError(Exception):
    """Base. No message holds a name, a password, a token or a key."""

    zh: str
    en: str

    def __str__(self) -> str:
        return self.en


class KeyFault(AuthError):
    """A key is missing, cannot be read or is not what its name says."""


class UnfitPassword(AuthError):
    """A password that may not be set, and why."""


class UnfitName(AuthError):
    """An account's or client's name that cannot be used."""


class Taken(AuthError):
    """The name belongs to another account or client."""


class Held(AuthError):
    """The account holds this very role here already."""


class AdministratorsApart(AuthError):
    """System, security and audit administration are three persons (GB/T 22239-2019, level 3)."""


class UnfitKey(AuthError):
    """A client's public key that cannot be used."""


@dataclass
class InvalidToken(AuthError):
    """A token or assertion that is not accepted. `reason` is for tests and logs; a caller is never told."""

    zh: str = "登录已失效，请重新登录。"
    en: str = "The token is not valid; sign in again."
    reason: str = ""

    def __str__(self) -> str:
        return self.reason


@dataclass
class Throttled(AuthError):
    """Too many failed sign-ins; `retry_after` in seconds."""

    zh: str = "登录失败次数过多，请稍后重试。"
    en: str = "Too many failed sign-ins; try again later."
    retry_after: int = 300

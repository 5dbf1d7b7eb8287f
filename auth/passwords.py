"""Passwords: argon2id, at a bounded pace, in the same time for every account."""

from __future__ import annotations

import os
import threading
import unicodedata
from functools import cache

from passlib.context import CryptContext

from auth.errors import UnfitPassword

MIN_LENGTH = 12
MAX_LENGTH = 128

# OWASP's size: 19 MiB, two passes, one lane; about 25 ms. The library's default takes 64 MiB and 180 ms a sign-in.
_ARGON2 = CryptContext(
    schemes=["argon2"],
    argon2__type="ID",
    argon2__memory_cost=19456,
    argon2__time_cost=2,
    argon2__parallelism=1,
)

# A crowd at the door waits here and not in memory: as many at a time as there are cores.
_TURNS = threading.BoundedSemaphore(os.cpu_count() or 1)

# What long passwords that everybody tries are made of, once digits and marks are taken away.
_COMMON = frozenset(
    {
        "password", "passwordpassword", "passw", "passwd", "qwerty", "qwertyuiop", "qwertyuiopasdfghjkl", "qazwsxedc",
        "asdfghjkl", "admin", "administrator", "adminadmin", "root", "welcome", "letmein", "iloveyou", "changeme",
        "woaini", "mima", "woainima", "zhongguo", "hospital", "doctor", "yisheng", "yiyuan", "registry", "test",
    }
)  # fmt: skip
_RUNS = ("01234567890123456789", "98765432109876543210", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm")


def hash_password(password: str) -> str:
    """The hash to keep. `ensure_fit` is the caller's to ask first."""
    with _TURNS:
        return str(_ARGON2.hash(_normal(password)))


def matches(password: str, kept: str | None) -> bool:
    """Whether it is the password. Takes as long when there is none to compare with (`kept` is None)."""
    given = _normal(password)
    usable = kept is not None and len(given) <= MAX_LENGTH
    with _TURNS:
        found = bool(_ARGON2.verify(given if usable else "", kept if usable else _nobodys()))
    return usable and found


def ensure_fit(password: str, name: str) -> None:
    """Raises `UnfitPassword` with the reason. Length counts, composition does not (ASVS 5.0, 6.2)."""
    given = _normal(password)
    folded = given.casefold()
    if len(given) < MIN_LENGTH:
        raise UnfitPassword(f"密码至少 {MIN_LENGTH} 个字符。", f"A password has at least {MIN_LENGTH} characters.")
    if len(given) > MAX_LENGTH or len(password) > MAX_LENGTH:
        raise UnfitPassword(f"密码至多 {MAX_LENGTH} 个字符。", f"A password has at most {MAX_LENGTH} characters.")
    if any(unicodedata.category(c) in ("Cc", "Cs", "Cn") for c in password):
        raise UnfitPassword("密码含有无法识别的字符。", "The password holds a character that cannot be typed again.")
    if len(name) > 3 and name.casefold() in folded:
        raise UnfitPassword("密码不能包含账号名。", "The password must not contain the account's name.")
    letters = "".join(c for c in folded if c.isalpha())
    if len(set(folded)) < 5 or letters in _COMMON or any(folded in run * 3 for run in _RUNS):
        raise UnfitPassword(
            "密码过于常见，容易被猜中，请另设一个。", "The password is one that everybody tries; choose another."
        )


def _normal(password: str) -> str:
    """One spelling for full-width and half-width typing (NIST SP 800-63B asks for a normal form)."""
    return unicodedata.normalize("NFKC", password[: MAX_LENGTH + 1].encode(errors="replace").decode())


@cache
def _nobodys() -> str:
    """A hash of the same cost that no password has."""
    return str(_ARGON2.hash(os.urandom(32).hex()))

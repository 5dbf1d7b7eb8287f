"""Keys in a folder: one file each, with key ids from the first day, so that every one of them can be replaced in service.

Purposes never share a key (architecture: four kinds of key). A file is `<purpose>-<n>.pem`, mode 0600, PKCS#8 PEM with two lines
of text above it (RFC 7468 allows them): when it was published, and whether an operator made it or the service on its way up.
"""

from __future__ import annotations

import base64
import os
import re
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from auth.ed25519 import private_of, seed_pem
from auth.errors import KeyFault
from auth.p256 import Es256, jwk, pair, private_pem, public_pem, thumbprint

# A reader may hold the key set this long; no key signs before every reader has been able to see it.
PUBLISHED_BEFORE_USE = timedelta(seconds=300)
# A token's life and the minute that clocks may differ: so long after its last signature a key is still needed.
KEPT_AFTER_USE = timedelta(seconds=660)

_FILE = re.compile(r"(token|receipt|personal|log|witness)-([1-9][0-9]{0,4})\.pem")
_MASTER = re.compile(r"-----BEGIN MASTER KEY-----\s+([A-Za-z0-9+/=]{44})\s+-----END MASTER KEY-----")


class Purpose(StrEnum):
    TOKEN = "token"  # noqa: S105  # signs access tokens, P-256
    RECEIPT = "receipt"  # signs receipts of verification, P-256
    PERSONAL = "personal"  # seals personal data, 256 bits
    LOG = "log"  # signs the checkpoints of the transparency log, Ed25519
    WITNESS = "witness"  # co-signs the checkpoints of others' logs, Ed25519


IDENTITIES = frozenset({Purpose.LOG, Purpose.WITNESS})


class Signer(Protocol):
    """What signs: a key here, or a signing machine that shows no key."""

    @property
    def alg(self) -> str: ...
    @property
    def kid(self) -> str: ...
    def sign(self, message: bytes) -> bytes: ...


@dataclass(frozen=True)
class StoredKey:
    """One file. `secret` is None where only the public half was kept."""

    purpose: Purpose
    number: int
    published_at: datetime
    generated: bool  # made by the service on its way up, not by an operator
    public: ec.EllipticCurvePublicKey | None
    private: ec.EllipticCurvePrivateKey | None
    master: bytes | None
    ed25519: Ed25519PrivateKey | None = None

    @cached_property
    def kid(self) -> str:
        """The thumbprint of a public key (RFC 7638); the number of every other key."""
        return thumbprint(self.public) if self.public else str(self.number)

    @cached_property
    def pem(self) -> str:
        """The public half; empty for a master key and for an identity, whose public form is a vkey (registry/log/note.py)."""
        return public_pem(self.public) if self.public else ""


class KeyStore:
    """The keys of one folder. Reads it again when it has changed, so a rotation reaches running processes by itself."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: tuple[int, tuple[str, ...]] = (-1, ())
        self._keys: dict[Purpose, list[StoredKey]] = {}

    def signer(self, purpose: Purpose, now: datetime) -> Signer:
        """The key that signs at this time. Raises `KeyFault`."""
        key = _current(self._of(purpose), now)
        if key is None or key.private is None:
            raise KeyFault(
                f"没有可用的 {purpose} 密钥，请运行 registry keys new。",
                f"There is no {purpose} key; run: registry keys new.",
            )
        return Es256(key.kid, key.private)

    def verifying(self, purpose: Purpose, now: datetime) -> Mapping[str, str]:
        """Key id → public PEM of every key whose signature still counts."""
        return {key.kid: key.pem for key in self._living(purpose, now) if key.public}

    def jwks(self, now: datetime) -> dict[str, list[dict[str, str]]]:
        """The public key set (RFC 7517): token keys in use or about to be, and every receipt key there ever was."""
        keys = [*self._living(Purpose.TOKEN, now), *self._living(Purpose.RECEIPT, now)]
        return {"keys": [{**jwk(k.public), "kid": k.kid, "use": "sig", "alg": "ES256"} for k in keys if k.public]}

    def masters(self) -> dict[int, bytes]:
        """Number → master key for personal data; the highest one seals, all of them open."""
        return {key.number: key.master for key in self._of(Purpose.PERSONAL) if key.master}

    def log_key(self) -> Ed25519PrivateKey:
        """The key of the transparency log: one for the whole life of a log. Raises `KeyFault`."""
        return self._identity(Purpose.LOG)

    def witness_key(self) -> Ed25519PrivateKey:
        """The key of this node as a witness of others' logs: as lasting. Raises `KeyFault`."""
        return self._identity(Purpose.WITNESS)

    def _identity(self, purpose: Purpose) -> Ed25519PrivateKey:
        key = next((key.ed25519 for key in self._of(purpose)), None)
        if key is None:
            raise KeyFault(
                f"没有 {purpose} 密钥，请运行 registry keys new。",
                f"There is no {purpose} key; run: registry keys new.",
            )
        return key

    def listed(self) -> list[StoredKey]:
        """Every key, by purpose and age."""
        return [key for purpose in Purpose for key in self._of(purpose)]

    def current(self, purpose: Purpose, now: datetime) -> StoredKey | None:
        """The key that signs or seals at this time."""
        keys = self._of(purpose)
        if purpose is Purpose.PERSONAL:
            return keys[-1] if keys else None
        return next(iter(keys), None) if purpose in IDENTITIES else _current(keys, now)

    def missing(self) -> list[Purpose]:
        """Purposes without a key."""
        return [purpose for purpose in Purpose if not self._of(purpose)]

    def generated(self, now: datetime) -> list[Purpose]:
        """Purposes whose key in use was made by the service itself; production starts with none."""
        return [purpose for purpose in Purpose if (key := self.current(purpose, now)) and key.generated]

    def make_missing(self, now: datetime, *, generated: bool) -> list[Purpose]:
        """Makes the first key of each purpose that has none; says which. Safe when two processes start at once."""
        made = []
        for purpose in self.missing():
            try:
                self._create(purpose, 1, now, generated=generated)
            except FileExistsError:
                continue
            made.append(purpose)
        return made

    def rotate(self, purpose: Purpose, now: datetime) -> StoredKey:
        """Adds a key: published at once, signing when readers have had time to see it. Old ones go when nothing needs them.

        Raises `KeyFault`, also for the keys that are an identity: another key is another log, or another witness (docs/adr/0018).
        """
        if purpose in IDENTITIES:
            raise KeyFault(
                "日志和见证的密钥就是其身份，不能更换；更换须另立新日志或新见证，见 docs/adr/0018。",
                "The key of a log or a witness is its identity and is not rotated; a new key is a new one, see docs/adr/0018.",
            )
        keys = self._of(purpose)
        number = keys[-1].number + 1 if keys else 1
        try:
            self._create(purpose, number, now, generated=False)
        except FileExistsError:
            raise KeyFault(
                "另一操作正在更换密钥，请查看后再试。", "The key is being rotated already; look and try again."
            ) from None
        self._retire(now)
        return self._of(purpose)[-1]

    def _of(self, purpose: Purpose) -> list[StoredKey]:
        try:
            seen = (self._folder.stat().st_mtime_ns, tuple(sorted(file.name for file in self._folder.iterdir())))
        except FileNotFoundError:
            seen = (-1, ())
        except OSError as error:
            raise _unreadable(self._folder, error) from None
        if seen != self._seen:
            found: dict[Purpose, list[StoredKey]] = {}
            for name in seen[1]:
                if match := _FILE.fullmatch(name):
                    place = Purpose(match[1])
                    found.setdefault(place, []).append(_read(self._folder / name, place, int(match[2])))
            for keys in found.values():
                keys.sort(key=lambda key: key.number)
            self._keys, self._seen = found, seen
        return self._keys.get(purpose, [])

    def _living(self, purpose: Purpose, now: datetime) -> list[StoredKey]:
        keys = self._of(purpose)
        if purpose is not Purpose.TOKEN:
            return keys  # a receipt must be checkable for as long as somebody keeps it
        return [key for key, next_ in zip(keys, [*keys[1:], None], strict=True) if not _outlived(next_, now)]

    def _create(self, purpose: Purpose, number: int, now: datetime, *, generated: bool) -> None:
        if purpose is Purpose.PERSONAL:
            body = f"-----BEGIN MASTER KEY-----\n{base64.b64encode(secrets.token_bytes(32)).decode()}\n-----END MASTER KEY-----\n"
        elif purpose in IDENTITIES:
            body = seed_pem(Ed25519PrivateKey.generate())
        else:
            body = private_pem(ec.generate_private_key(ec.SECP256R1()))
        text = _heads(now, generated=generated) + body
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(self._folder / f"{purpose}-{number}.pem", text, replace=False)
        except FileExistsError:
            raise
        except OSError as error:
            raise _unreadable(self._folder, error) from None

    def _retire(self, now: datetime) -> None:
        for purpose in (Purpose.TOKEN, Purpose.RECEIPT):
            keys = self._of(purpose)
            for key, next_ in pairwise(keys):
                path = self._folder / f"{purpose}-{key.number}.pem"
                if not _outlived(next_, now):
                    continue
                if purpose is Purpose.TOKEN:
                    path.unlink(missing_ok=True)
                elif key.private:  # can sign no more, verifies for ever
                    text = _heads(key.published_at, generated=key.generated) + key.pem
                    _write(path, text, replace=True)


def _current(keys: list[StoredKey], now: datetime) -> StoredKey | None:
    """The newest key that has been public long enough; before that, the oldest there is."""
    ready = [key for key in keys if key.published_at + PUBLISHED_BEFORE_USE <= now]
    return ready[-1] if ready else next(iter(keys), None)


def _outlived(next_: StoredKey | None, now: datetime) -> bool:
    """Whether everything signed before `next_` took over has expired."""
    return next_ is not None and next_.published_at + PUBLISHED_BEFORE_USE + KEPT_AFTER_USE <= now


def _heads(published: datetime, *, generated: bool) -> str:
    made_by = "the service" if generated else "an operator"
    return f"Published: {published.astimezone(UTC).isoformat(timespec='seconds')}\nMade by: {made_by}\n"


def _read(path: Path, purpose: Purpose, number: int) -> StoredKey:
    try:
        text = path.read_text("utf-8")
        if os.name == "posix" and path.stat().st_mode & 0o027:
            raise KeyFault(
                f"密钥文件 {path} 可被他人读取，请运行 chmod 600。",
                f"The key file {path} is open to others; run: chmod 600 {path}",
            )
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, error) from None
    heads = dict(line.split(": ", 1) for line in text.partition("-----BEGIN")[0].splitlines() if ": " in line)
    try:
        # A key that came from elsewhere has no lines of ours: it has always been published.
        published = datetime.fromisoformat(heads.get("Published", "1970-01-01T00:00:00+00:00")).astimezone(UTC)
        generated = heads.get("Made by") == "the service"
        if purpose is Purpose.PERSONAL:
            master = base64.b64decode(_MASTER.findall(text)[0], validate=True)
            return StoredKey(purpose, number, published, generated, None, None, master)
        pem = text[text.index("-----BEGIN") :].encode()
        if purpose in IDENTITIES:
            return StoredKey(purpose, number, published, generated, None, None, None, private_of(pem))
        public, private = pair(pem)
    except (ValueError, TypeError, IndexError):
        raise KeyFault(
            f"密钥文件 {path} 已损坏或类型不符。", f"The key file {path} is damaged or of another kind."
        ) from None
    return StoredKey(purpose, number, published, generated, public, private, None)


def _write(path: Path, text: str, *, replace: bool) -> None:
    """All of the file or none of it, readable by its owner only; FileExistsError unless it may be replaced."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".")  # mkstemp: mode 0600
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            Path(name).replace(path)
        else:
            os.link(name, path)
    finally:
        Path(name).unlink(missing_ok=True)


def _unreadable(path: Path, error: Exception) -> KeyFault:
    why = error.strerror if isinstance(error, OSError) else type(error).__name__
    return KeyFault(f"无法读写密钥 {path}：{why}。", f"Cannot read or write keys at {path}: {why}.")

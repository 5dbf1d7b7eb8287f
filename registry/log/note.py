"""Signed notes (c2sp.org/signed-note@v1.0.0) and timestamped cosignatures (c2sp.org/tlog-cosignature@v1.0.1), Ed25519. Pure.

A note is a text and lines of signatures. A verifier's key, the vkey, is handed over out of band: a log's own word for its key is worth
nothing.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = 0x01
COSIGNATURE = 0x04

_NAME = re.compile(r"[^\s+\x00-\x1f]+")
_MOST_SIGNATURES = 100
_MOST_BYTES = 1_000_000


class Malformed(ValueError):
    """Not a note, a key or a checkpoint; the text says what is wrong."""


class Untrusted(Exception):
    """A well-formed note that no known key vouches for, or that a known key's line does not fit."""


@dataclass(frozen=True)
class VerifierKey:
    """A key as its verifiers know it; `str()` is its vkey, `<name>+<key id>+<base64 of type and key>`."""

    name: str
    public: bytes  # 32 bytes
    type: int = ED25519

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or self.type not in {ED25519, COSIGNATURE} or len(self.public) != 32:
            raise Malformed("not the parts of a verifier key")

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """The key of a vkey. Raises `Malformed`."""
        name, _, rest = vkey.strip().partition("+")
        id_, _, encoded = rest.partition("+")
        material = from_base64(encoded)
        if len(material) != 33:
            raise Malformed("the verifier key is not an Ed25519 key")
        key = cls(name, material[1:], material[0])
        if key.id.hex() != id_:
            raise Malformed("the verifier key does not fit its own id")
        return key

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{to_base64(bytes([self.type]) + self.public)}"

    @property
    def id(self) -> bytes:
        """Four bytes that name the key beside its name."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.type]) + self.public).digest()[:4]

    def made(self, signature: Signature) -> bool:
        """Whether the line says that it is of this key."""
        return (signature.name, signature.key_id) == (self.name, self.id)

    def verifies(self, text: str, signature: Signature) -> bool:
        message, mark = text.encode(), signature.mark
        if self.type == COSIGNATURE:
            if len(mark) != 72 or mark[0] & 0x80:
                return False
            message, mark = _cosigned(text, int.from_bytes(mark[:8])), mark[8:]
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(mark, message)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True)
class Signature:
    """One line: who signed, with which key, and the signature itself, for a cosignature with its time before it."""

    name: str
    key_id: bytes
    mark: bytes

    def __str__(self) -> str:
        return f"— {self.name} {to_base64(self.key_id + self.mark)}\n"

    @classmethod
    def parse(cls, line: str) -> Self:
        """The signature of a line without its newline. Raises `Malformed`."""
        dash, name, encoded = [*line.split(" "), "", ""][:3]
        blob = from_base64(encoded)
        if line.count(" ") != 2 or dash != "—" or not _NAME.fullmatch(name) or len(blob) < 5:
            raise Malformed("not a signature line")
        return cls(name, blob[:4], blob[4:])

    @property
    def time(self) -> int:
        """Of a cosignature: when the witness signed, in POSIX seconds."""
        return int.from_bytes(self.mark[:8])


@dataclass(frozen=True)
class Note:
    """A text, which ends with a newline, and its signatures; `str()` is the note as it travels."""

    text: str
    signatures: tuple[Signature, ...] = field(default=())

    def __str__(self) -> str:
        return f"{self.text}\n{''.join(map(str, self.signatures))}"

    @classmethod
    def parse(cls, note: str) -> Self:
        """The note, nothing of it verified. Raises `Malformed`."""
        if len(note) > _MOST_BYTES or re.search(r"[\x00-\x09\x0b-\x1f]", note):
            raise Malformed("not a note: too long, or control characters in it")
        text, blank, lines = note.rpartition("\n\n")
        if not blank or not lines.endswith("\n"):
            raise Malformed("not a note: no signatures below an empty line")
        signatures = tuple(map(Signature.parse, lines.removesuffix("\n").split("\n")))
        if len(signatures) > _MOST_SIGNATURES:
            raise Malformed("not a note: too many signatures")
        return cls(text + "\n", signatures)

    def by(self, keys: Collection[VerifierKey]) -> list[tuple[VerifierKey, Signature]]:
        """The known keys that signed, each once, in the note's order; unknown lines are passed over.

        Raises `Untrusted` when a line of a known key does not verify or comes twice.
        """
        found: dict[VerifierKey, Signature] = {}
        for signature in self.signatures:
            for key in keys:
                if not key.made(signature):
                    continue
                if key in found or not key.verifies(self.text, signature):
                    raise Untrusted(f"the signature of {key.name} does not verify")
                found[key] = signature
        return list(found.items())

    def ensure_by(self, key: VerifierKey) -> Self:
        """The note itself. Raises `Untrusted` unless this key signed it."""
        if not self.by([key]):
            raise Untrusted(f"{key.name} has not signed this")
        return self

    def signed(self, *signatures: Signature) -> Note:
        """With more signatures below."""
        return Note(self.text, (*self.signatures, *signatures))


def sign(text: str, name: str, key: Ed25519PrivateKey) -> Signature:
    """The signature of a log, or of anybody else, over the text."""
    return Signature(name, verifier_key(name, key).id, key.sign(text.encode()))


def cosign(text: str, name: str, key: Ed25519PrivateKey, time: int) -> Signature:
    """The cosignature of a witness over a checkpoint's text, at POSIX `time` in seconds."""
    mark = time.to_bytes(8) + key.sign(_cosigned(text, time))
    return Signature(name, verifier_key(name, key, COSIGNATURE).id, mark)


def verifier_key(name: str, key: Ed25519PrivateKey, type_: int = ED25519) -> VerifierKey:
    return VerifierKey(name, key.public_key().public_bytes_raw(), type_)


def to_base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def from_base64(text: str) -> bytes:
    """The bytes of standard base64 in its one canonical form. Raises `Malformed`."""
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Malformed("not base64") from None
    if to_base64(value) != text:
        raise Malformed("not canonical base64")
    return value


def _cosigned(text: str, time: int) -> bytes:
    return f"cosignature/v1\ntime {time}\n{text}".encode()

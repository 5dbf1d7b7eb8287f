"""Identity numbers, qualification codes and phones: sealed where they are kept, found blind, masked where they are shown.

A sealed value is `0x01 ‖ kid(2) ‖ nonce(12) ‖ AES-256-GCM`, bound by its associated data to one column of one row, so a
value copied elsewhere does not open. A blind index is `kid(2) ‖ HMAC-SHA-256[:16]` of the normalised text. Every
purpose has its own key, derived from the master by HKDF (RFC 5869). The masters are never in the database: the space of
identity numbers is small, and whoever holds an index key can try them all.
"""

from __future__ import annotations

import hmac
import os
import uuid
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_VERSION = b"\x01"
_NONCE = 12
_INDEX = 16
_HEAD = 1 + 2  # version and key id

RowId = uuid.UUID | str


class SealBroken(Exception):
    """A sealed value was altered, moved to another row or column, or its key is not here. Says nothing of the content."""


class Seal:
    """Seals, opens and indexes with the `personal` master keys (key id → 32 bytes or more); the highest key id writes.

    Built once per process: the derived keys are kept, so that a bulk import pays only for the cipher.
    """

    def __init__(self, masters: Mapping[int, bytes]) -> None:
        if not masters or any(not 0 <= kid <= 0xFFFF or len(key) < 32 for kid, key in masters.items()):
            raise ValueError("sealing needs at least one master key of 32 bytes, with a key id of two bytes")
        self._masters = dict(masters)
        self._kids = sorted(masters, reverse=True)
        self._ciphers: dict[tuple[int, str], AESGCM] = {}
        self._indexes: dict[tuple[int, str], HMAC] = {}

    def seal(self, column: str, row_id: RowId, text: str) -> bytes:
        """`text` sealed for `column` (table.column) of the row."""
        return self.seal_bytes(column, row_id, text.encode())

    def open(self, column: str, row_id: RowId, sealed: bytes) -> str:
        """The text sealed for this column of this row. Raises `SealBroken`."""
        return self.open_bytes(column, row_id, sealed).decode()

    def seal_bytes(self, column: str, row_id: RowId, plain: bytes) -> bytes:
        kid, nonce = self._kids[0], os.urandom(_NONCE)
        sealed = self._cipher(kid, column).encrypt(nonce, plain, f"{column}|{row_id}".encode())
        return b"".join((_VERSION, kid.to_bytes(2), nonce, sealed))

    def open_bytes(self, column: str, row_id: RowId, sealed: bytes) -> bytes:
        """Raises `SealBroken`."""
        kid = int.from_bytes(sealed[1:_HEAD])
        if sealed[:1] != _VERSION or kid not in self._masters:
            raise SealBroken(f"{column}: not sealed with a key that is here")
        nonce, cipher = sealed[_HEAD : _HEAD + _NONCE], self._cipher(kid, column)
        try:
            return cipher.decrypt(nonce, sealed[_HEAD + _NONCE :], f"{column}|{row_id}".encode())
        except (InvalidTag, ValueError):
            raise SealBroken(f"{column}: altered, or sealed for another row") from None

    def index(self, purpose: str, normalised: str) -> bytes:
        """The blind index that is written: by the newest key."""
        return self._index(self._kids[0], purpose, normalised)

    def indexes(self, purpose: str, normalised: str) -> list[bytes]:
        """The blind indexes a look-up compares with (`= ANY`): one per living key, the newest first."""
        return [self._index(kid, purpose, normalised) for kid in self._kids]

    def matches(self, purpose: str, normalised: str, index: bytes) -> bool:
        """Whether `index` is that of the text, under the key it was made with."""
        kid = int.from_bytes(index[:2])
        return kid in self._masters and hmac.compare_digest(self._index(kid, purpose, normalised), index)

    def _index(self, kid: int, purpose: str, normalised: str) -> bytes:
        keyed = self._indexes.get((kid, purpose))
        if keyed is None:
            keyed = self._indexes[kid, purpose] = HMAC(self._key(kid, f"index {purpose}"), SHA256())
        one = keyed.copy()
        one.update(normalised.encode())
        return kid.to_bytes(2) + one.finalize()[:_INDEX]

    def _cipher(self, kid: int, column: str) -> AESGCM:
        cipher = self._ciphers.get((kid, column))
        if cipher is None:
            cipher = self._ciphers[kid, column] = AESGCM(self._key(kid, f"seal {column}"))
        return cipher

    def _key(self, kid: int, purpose: str) -> bytes:
        return HKDF(SHA256(), 32, salt=None, info=f"physician registry {purpose}".encode()).derive(self._masters[kid])


def mask_id_number(number: str) -> str:
    """The first three and the last two characters; a number shorter than eight shows its first only."""
    return _masked(number, 3, 2)


def mask_phone(number: str) -> str:
    """The first three and the last four digits, as phones are masked in China."""
    return _masked(number, 3, 4)


def mask_qualification(code: str) -> str:
    """Year, province, level and category; what follows (digits 10 to 24 or 27) is the identity number."""
    return code[:9] + mask_id_number(code[9:]) if len(code) >= 24 else mask_id_number(code)


def _masked(text: str, first: int, last: int) -> str:
    hidden = len(text) - first - last
    if hidden < 3:
        return text[:1] + "*" * (len(text) - 1)
    return text[:first] + "*" * hidden + text[-last:]

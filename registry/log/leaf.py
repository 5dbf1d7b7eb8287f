"""From an audit event to the leaf that everybody may read. Pure.

A leaf is JCS (RFC 8785) without personal data: the event's type, time, record version and commitment as they are; who acted and on
what as HMACs, `actor_ref` over actor and organisation, `subject_ref` over kind and id. Their key is derived from the log's own and
no other, so that erasing a person's data never touches the tree, and nobody without the key can ask it for a person.
"""

from __future__ import annotations

import hmac
import json
from functools import lru_cache
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

VERSION = 1
_REF = 16  # bytes: too many to try, and not two alike
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode  # made once: there are millions of leaves


class Recorded(NamedTuple):
    """What a leaf is made of; `at` in UTC with microseconds and Z, `commitment` in hex."""

    type: str
    at: str
    actor: str
    organisation: str | None
    subject_type: str
    subject_id: str
    version: int
    commitment: str


def reference_key(log_key: Ed25519PrivateKey) -> bytes:
    """The key of the references, which the log's key does not give away and cannot be learned from."""
    return HKDF(SHA256(), 32, salt=None, info=b"registry log references v1").derive(log_key.private_bytes_raw())


def leaf(event: Recorded, key: bytes) -> bytes:
    """The bytes of the leaf: members in JCS order, values that JCS and JSON write alike."""
    return (
        f'{{"actor_ref":"{reference(key, event.actor, event.organisation)}","at":"{event.at}",'
        f'"commitment":"{event.commitment}","record_version":{event.version},'
        f'"subject_ref":"{reference(key, event.subject_type, event.subject_id)}",'
        f'"type":{_encode(event.type)},"v":{VERSION}}}'
    ).encode()


@lru_cache(maxsize=4096)
def reference(key: bytes, *named: str | None) -> str:
    """HMAC-SHA-256 over the JCS array of what is named, 16 bytes in hex."""
    return hmac.digest(key, _encode(named).encode(), "sha256")[:_REF].hex()

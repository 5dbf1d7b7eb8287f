"""The Ed25519 key of the transparency log as a file keeps it."""

from __future__ import annotations

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def seed_pem(key: Ed25519PrivateKey) -> str:
    """PKCS#8 PEM, unencrypted: the file's mode guards it."""
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain).decode()


def private_of(pem: bytes) -> Ed25519PrivateKey:
    """The key; ValueError for any other."""
    key = serialization.load_pem_private_key(pem, None)
    if isinstance(key, Ed25519PrivateKey):
        return key
    raise ValueError("not an Ed25519 key")

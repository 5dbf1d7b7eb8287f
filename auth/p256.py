"""Keys on P-256: their public forms, and the signature that JOSE wants of them."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256


@dataclass(frozen=True)
class Es256:
    """ECDSA on P-256 with SHA-256 in JOSE's form, r ‖ s (RFC 7518, 3.4)."""

    kid: str
    key: ec.EllipticCurvePrivateKey
    alg: str = "ES256"

    def sign(self, message: bytes) -> bytes:
        r, s = decode_dss_signature(self.key.sign(message, ec.ECDSA(SHA256())))
        return r.to_bytes(32) + s.to_bytes(32)


def thumbprint(key: ec.EllipticCurvePublicKey) -> str:
    """RFC 7638: the digest of the key's required members."""
    text = json.dumps(jwk(key), separators=(",", ":"), sort_keys=True)
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def jwk(key: ec.EllipticCurvePublicKey) -> dict[str, str]:
    """The public members of a P-256 key (RFC 7518, 6.2)."""
    numbers = key.public_numbers()
    x, y = (base64.urlsafe_b64encode(n.to_bytes(32)).rstrip(b"=").decode() for n in (numbers.x, numbers.y))
    return {"kty": "EC", "crv": "P-256", "x": x, "y": y}


def from_jwk(members: Mapping[str, Any]) -> ec.EllipticCurvePublicKey:
    """The key; ValueError or KeyError when the members make none."""
    if members["kty"] != "EC" or members["crv"] != "P-256":
        raise ValueError("not a P-256 key")
    x, y = (int.from_bytes(base64.urlsafe_b64decode(members[name] + "==")) for name in ("x", "y"))
    return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()


def public_pem(key: ec.EllipticCurvePublicKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_bytes(serialization.Encoding.PEM, form).decode()


def private_pem(key: ec.EllipticCurvePrivateKey) -> str:
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain).decode()


def pair(pem: bytes) -> tuple[ec.EllipticCurvePublicKey, ec.EllipticCurvePrivateKey | None]:
    """The halves of a P-256 key; ValueError for any other."""
    if b"PRIVATE KEY" in pem:
        private = serialization.load_pem_private_key(pem, None)
        if isinstance(private, ec.EllipticCurvePrivateKey) and isinstance(private.curve, ec.SECP256R1):
            return private.public_key(), private
        raise ValueError("not a P-256 key")
    return ensure_p256(serialization.load_pem_public_key(pem)), None


def ensure_p256(key: object) -> ec.EllipticCurvePublicKey:
    """The key itself; ValueError when it is not a public key on P-256."""
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise ValueError("not a P-256 key")

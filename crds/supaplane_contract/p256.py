"""Keys and signatures of the curve P-256, by the package `cryptography`; JWKs as in jose.py."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from . import jose

P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Number of points of the curve P-256 (FIPS 186-5); a private key lies between 0 and this."""
SCALAR_BYTES: Final = 40
"""Eight more than the order has, so that the remainder is spread evenly (FIPS 186-5, A.2.1)."""
_FIELD_BYTES: Final = 32


def private_key(seed: bytes) -> ec.EllipticCurvePrivateKey:
    """A P-256 key out of `SCALAR_BYTES` random bytes; the same bytes give the same key."""
    if len(seed) != SCALAR_BYTES:
        raise ValueError(f"a P-256 key is made of {SCALAR_BYTES} random bytes, not {len(seed)}")
    scalar = int.from_bytes(seed, "big") % (P256_ORDER - 1) + 1
    return ec.derive_private_key(scalar, ec.SECP256R1())


def private_jwk(key: ec.EllipticCurvePrivateKey, kid: str) -> jose.Jwk:
    """The JWK that auth signs with."""
    point = key.public_key().public_numbers()
    return {
        "kty": "EC",
        "kid": kid,
        "use": "sig",
        "key_ops": ["sign", "verify"],
        "alg": "ES256",
        "ext": True,
        "crv": "P-256",
        "x": _field(point.x),
        "y": _field(point.y),
        "d": _field(key.private_numbers().private_value),
    }


def load(jwk: Mapping[str, Any]) -> ec.EllipticCurvePrivateKey:
    """The key of a private JWK. Raises ValueError when it is none, or its halves do not match."""
    try:
        scalar = int.from_bytes(jose.unb64url(jwk["d"]), "big")
        x, y = (int.from_bytes(jose.unb64url(jwk[axis]), "big") for axis in ("x", "y"))
        numbers = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1())
        return ec.EllipticCurvePrivateNumbers(scalar, numbers).private_key()
    except (KeyError, TypeError, AttributeError, ValueError):
        raise ValueError("not the private JWK of a P-256 key") from None


def sign_es256(claims: Mapping[str, Any], key: ec.EllipticCurvePrivateKey, kid: str) -> str:
    """A token signed with the private key; the same claims give the same token (RFC 6979)."""
    text = jose.signing_input({"alg": "ES256", "kid": kid, "typ": "JWT"}, claims)
    der = key.sign(text.encode(), ec.ECDSA(SHA256(), deterministic_signing=True))
    r, s = decode_dss_signature(der)
    return (
        f"{text}.{jose.b64url(r.to_bytes(_FIELD_BYTES, 'big') + s.to_bytes(_FIELD_BYTES, 'big'))}"
    )


def _field(number: int) -> str:
    return jose.b64url(number.to_bytes(_FIELD_BYTES, "big"))

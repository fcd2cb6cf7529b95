"""How a signed token and a published key are written: the few JOSE shapes that a stack needs.

Tokens are compact JWS (RFC 7515), keys are JWKs (RFC 7517, 7518). Writing them takes forty lines;
reading them, where mistakes are dangerous, is left to libraries. The shapes are those that
Supabase's self-hosted key scripts produce, so that every service of a stack understands them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

Jwk = dict[str, Any]

P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Number of points of the curve P-256 (FIPS 186-5); a private key lies between 0 and this."""
SCALAR_BYTES: Final = 40
"""Eight more than the order has, so that the remainder is spread evenly (FIPS 186-5, A.2.1)."""
_FIELD_BYTES: Final = 32


def b64url(raw: bytes) -> str:
    """Base64url without padding, as everywhere in JOSE."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64url(text: str) -> bytes:
    """The bytes of base64url without padding. Raises ValueError."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def compact_json(value: Any) -> str:
    """JSON without white space, keys in the order given."""
    return json.dumps(value, separators=(",", ":"))


def private_key(seed: bytes) -> ec.EllipticCurvePrivateKey:
    """A P-256 key out of `SCALAR_BYTES` random bytes; the same bytes give the same key."""
    if len(seed) != SCALAR_BYTES:
        raise ValueError(f"a P-256 key is made of {SCALAR_BYTES} random bytes, not {len(seed)}")
    scalar = int.from_bytes(seed, "big") % (P256_ORDER - 1) + 1
    return ec.derive_private_key(scalar, ec.SECP256R1())


def private_jwk(key: ec.EllipticCurvePrivateKey, kid: str) -> Jwk:
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


def public_jwk(private: Mapping[str, Any]) -> Jwk:
    """The JWK that everybody may see, out of the private one."""
    shown = {name: value for name, value in private.items() if name != "d"}
    return {**shown, "key_ops": ["verify"]}


def symmetric_jwk(secret: str) -> Jwk:
    """The JWK of the HS256 secret: as secret as the secret."""
    return {"kty": "oct", "k": b64url(secret.encode()), "alg": "HS256"}


def load_private_jwk(jwk: Mapping[str, Any]) -> ec.EllipticCurvePrivateKey:
    """The key of a private JWK. Raises ValueError when it is none, or its halves do not match."""
    try:
        scalar = int.from_bytes(unb64url(jwk["d"]), "big")
        x, y = (int.from_bytes(unb64url(jwk[axis]), "big") for axis in ("x", "y"))
        numbers = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1())
        return ec.EllipticCurvePrivateNumbers(scalar, numbers).private_key()
    except (KeyError, TypeError, AttributeError, ValueError):
        raise ValueError("not the private JWK of a P-256 key") from None


def sign_hs256(claims: Mapping[str, Any], secret: str) -> str:
    """A token signed with a shared secret."""
    text = _signing_input({"alg": "HS256", "typ": "JWT"}, claims)
    mac = hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()
    return f"{text}.{b64url(mac)}"


def sign_es256(claims: Mapping[str, Any], key: ec.EllipticCurvePrivateKey, kid: str) -> str:
    """A token signed with the private key; the same claims give the same token (RFC 6979)."""
    text = _signing_input({"alg": "ES256", "kid": kid, "typ": "JWT"}, claims)
    der = key.sign(text.encode(), ec.ECDSA(SHA256(), deterministic_signing=True))
    r, s = decode_dss_signature(der)
    return f"{text}.{b64url(r.to_bytes(_FIELD_BYTES, 'big') + s.to_bytes(_FIELD_BYTES, 'big'))}"


def _signing_input(header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    return ".".join(b64url(compact_json(part).encode()) for part in (header, claims))


def _field(number: int) -> str:
    return b64url(number.to_bytes(_FIELD_BYTES, "big"))

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
from typing import Any

Jwk = dict[str, Any]


def b64url(raw: bytes) -> str:
    """Base64url without padding, as everywhere in JOSE."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64url(text: str) -> bytes:
    """The bytes of base64url without padding. Raises ValueError."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def compact_json(value: Any) -> str:
    """JSON without white space, keys in the order given."""
    return json.dumps(value, separators=(",", ":"))


def public_jwk(private: Mapping[str, Any]) -> Jwk:
    """The JWK that everybody may see, out of the private one."""
    shown = {name: value for name, value in private.items() if name != "d"}
    return {**shown, "key_ops": ["verify"]}


def symmetric_jwk(secret: str) -> Jwk:
    """The JWK of the HS256 secret: as secret as the secret."""
    return {"kty": "oct", "k": b64url(secret.encode()), "alg": "HS256"}


def sign_hs256(claims: Mapping[str, Any], secret: str) -> str:
    """A token signed with a shared secret."""
    text = signing_input({"alg": "HS256", "typ": "JWT"}, claims)
    mac = hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()
    return f"{text}.{b64url(mac)}"


def signing_input(header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    """The part of a token that is signed."""
    return ".".join(b64url(compact_json(part).encode()) for part in (header, claims))

"""With which connection does postgres-meta work for a caller? Pure.

It takes a connection URL out of a header, encrypted with a passphrase that it shares with us. The
URL is made here from the ref and the caller's role; the one that the request carries is never read.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from urllib.parse import quote, urlencode

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from supaplane_api.access import Right, Role, may
from supaplane_contract import names
from supaplane_contract.credentials import password_key

WRITER = "postgres"
READER = "supabase_read_only_user"
HEADER = "x-connection-encrypted"
CRYPTO_KEY = "pg-meta-crypto-key"
SALTED = b"Salted__"


def database_role(role: Role) -> str:
    """The role of the database that a member's SQL runs as."""
    return WRITER if may(role, Right.SCHEMA_CHANGE) else READER


def connection_url(ref: str, user: str, password: str, *, seconds: int) -> str:
    """The URL of the project's database, whose statements end after so many seconds."""
    options = f"-c statement_timeout={seconds}s"
    if user == READER:
        options += " -c default_transaction_read_only=on"
    query = urlencode({"options": options}, quote_via=quote)
    host = f"db.{names.project_namespace(ref)}.svc"
    return f"postgresql://{user}:{quote(password, safe='')}@{host}:5432/postgres?{query}"


def password_of(values: dict[str, str], user: str) -> str | None:
    """The password of a database role out of the master Secret."""
    return values.get(password_key(user))


def encrypted(text: str, passphrase: str, *, random_bytes: Callable[[int], bytes]) -> str:
    """As crypto-js encrypts with a passphrase: OpenSSL's salted form, key and IV by MD5."""
    salt = random_bytes(8)
    made = previous = b""
    while len(made) < 48:
        previous = hashlib.md5(
            previous + passphrase.encode() + salt, usedforsecurity=False
        ).digest()
        made += previous
    padder = PKCS7(128).padder()
    padded = padder.update(text.encode()) + padder.finalize()
    encryptor = Cipher(algorithms.AES(made[:32]), modes.CBC(made[32:48])).encryptor()
    return base64.b64encode(
        SALTED + salt + encryptor.update(padded) + encryptor.finalize()
    ).decode()

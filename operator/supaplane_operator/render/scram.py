"""How does PostgreSQL store a password? As a SCRAM verifier, which we make ourselves.

So the password itself never travels to the database: not in a statement, a log or a Secret that
the database's pod can read; and a verifier can be compared, so nothing is written when it is there.
Format and procedure: RFC 5803, RFC 7677, RFC 4013 as PostgreSQL applies them
(https://www.postgresql.org/docs/current/sasl-authentication.html,
https://www.postgresql.org/docs/current/catalog-pg-authid.html).
"""

from __future__ import annotations

import hashlib
import hmac
import stringprep
import unicodedata
from base64 import b64encode
from functools import lru_cache
from typing import Final

ITERATIONS: Final = 4096
"""PostgreSQL's own default (scram_iterations)."""
SALT_BYTES: Final = 16

_PROHIBITED: Final = (
    stringprep.in_table_c12,
    stringprep.in_table_c21_c22,
    stringprep.in_table_c3,
    stringprep.in_table_c4,
    stringprep.in_table_c5,
    stringprep.in_table_c6,
    stringprep.in_table_c7,
    stringprep.in_table_c8,
    stringprep.in_table_c9,
    stringprep.in_table_a1,
)


@lru_cache(maxsize=4096)
def verifier(password: str, *, role: str, salt_key: str) -> str:
    """What `pg_authid.rolpassword` holds for a password.

    The salt follows from `salt_key` (a secret of the project), role and password, so that the same
    project always gives the same verifier and no two roles share a salt.
    """
    seed = f"{role}\0{password}".encode()
    salt = hmac.digest(salt_key.encode(), seed, hashlib.sha256)[:SALT_BYTES]
    salted = hashlib.pbkdf2_hmac("sha256", prepare(password).encode(), salt, ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", hashlib.sha256)).digest()
    server = hmac.digest(salted, b"Server Key", hashlib.sha256)
    parts = (f"{ITERATIONS}:{_text(salt)}", f"{_text(stored)}:{_text(server)}")
    return "SCRAM-SHA-256$" + "$".join(parts)


def prepare(password: str) -> str:
    """A password as client and server compare it (SASLprep); unchanged where that is not allowed.

    PostgreSQL takes a password that SASLprep refuses as it is.
    """
    if password.isascii():
        return password
    mapped = "".join(
        " " if stringprep.in_table_c12(c) else c for c in password if not stringprep.in_table_b1(c)
    )
    prepared = unicodedata.ucd_3_2_0.normalize("NFKC", mapped)
    if not prepared or any(test(c) for c in prepared for test in _PROHIBITED):
        return password
    return prepared if _directions_fit(prepared) else password


def _directions_fit(text: str) -> bool:
    """RFC 3454 section 6: text that runs from right to left does so from end to end."""
    leftwards = [stringprep.in_table_d1(c) for c in text]
    if not any(leftwards):
        return True
    return leftwards[0] and leftwards[-1] and not any(map(stringprep.in_table_d2, text))


def _text(data: bytes) -> str:
    return b64encode(data).decode()

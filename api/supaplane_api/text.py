"""Which text do we take from people? Types for names, addresses and passwords in request bodies.

PostgreSQL cannot hold a NUL, JSON can carry half a surrogate pair, and a name that turns the
direction of writing can pose as another: all of these end here, as an error about the field.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

LONGEST_NAME = 128
LONGEST_PASSWORD = 256
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_DIRECTION = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean_name(text: str) -> str:
    """The name in normal form (NFC), trimmed. Raises ValueError for what no name holds."""
    name = unicodedata.normalize("NFC", text).strip()
    kinds = {unicodedata.category(c) for c in name}
    if kinds & {"Cc", "Cs", "Zl", "Zp"} or _DIRECTION & set(name):
        raise ValueError("must not hold control characters")
    if kinds <= {"Cf", "Cn", "Co", "Mn", "Me", "Zs"}:
        raise ValueError("must hold at least one visible character")
    if len(name) > LONGEST_NAME:
        raise ValueError(f"must not be longer than {LONGEST_NAME} characters")
    return name


def clean_email(text: str) -> str:
    """The address in lower case and normal form. Raises ValueError for what is no address."""
    email = unicodedata.normalize("NFC", text).strip().lower()
    if len(email) > 254 or not _EMAIL.fullmatch(email) or not email.isprintable():
        raise ValueError("must be an e-mail address")
    return email


def clean_password(text: str) -> str:
    """The password as it is. Raises ValueError for what cannot be typed or stored."""
    if not text.isprintable():
        raise ValueError("must hold printable characters only")
    return text


def encodable(text: str) -> str:
    """The text as it is. Raises ValueError for half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("must be Unicode text") from None
    return text


Name = Annotated[
    str, StringConstraints(min_length=1, max_length=4 * LONGEST_NAME), AfterValidator(clean_name)
]
Email = Annotated[str, StringConstraints(max_length=320), AfterValidator(clean_email)]
Password = Annotated[
    str,
    StringConstraints(min_length=1, max_length=LONGEST_PASSWORD),
    AfterValidator(clean_password),
]
Word = Annotated[str, StringConstraints(max_length=256), AfterValidator(clean_password)]
"""Any short printable text."""

"""What is in the person's own Secrets that a spec refers to?"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import Any

from supaplane_contract.status import Reason
from supaplane_kube import Kube
from supaplane_kube.resources import SECRETS

from .errors import Problem
from .render import ALL_KEYS


async def read(
    kube: Kube, namespace: str, wanted: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], str]:
    """(name, key) -> value; the key `*` stands for all. Raises Problem(SecretMissing)."""
    by_name: dict[str, set[str]] = {}
    for name, key in wanted:
        by_name.setdefault(name, set()).add(key)
    values: dict[tuple[str, str], str] = {}
    for name, keys in sorted(by_name.items()):
        secret = await kube.get(SECRETS, namespace, name)
        if secret is None:
            raise _missing(f"Secret {name} is missing in namespace {namespace}: make it")
        data = secret.get("data") or {}
        for key in sorted(data) if ALL_KEYS in keys else sorted(keys):
            values[name, key] = _value(data, name, key)
    return values


def _value(data: dict[str, Any], name: str, key: str) -> str:
    if key not in data:
        raise _missing(f"Secret {name} has no key {key}: add it")
    try:
        return base64.b64decode(data[key] or "", validate=True).decode()
    except (binascii.Error, ValueError):
        raise _missing(f"key {key} of Secret {name} is not text") from None


def _missing(message: str) -> Problem:
    return Problem(Reason.SECRET_MISSING, message, waiting_helps=False)

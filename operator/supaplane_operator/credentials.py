"""Where are a project's credentials, and which must be minted? Kept if there, never made twice.

The master Secret beside the SupabaseProject counts. What it lacks is taken from the full copy in
the project namespace, and only what neither has is minted; nothing that data is encrypted with is
minted where there is data already.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from supaplane_contract import names
from supaplane_contract.credentials import (
    IRREPLACEABLE,
    RandomBytes,
    from_secret_data,
    master_secret,
    mint,
    to_secret_data,
)
from supaplane_contract.errors import CredentialsLost
from supaplane_contract.resource import SupabaseProject
from supaplane_contract.rotation import PENDING_KEYS
from supaplane_contract.status import Reason
from supaplane_kube import AlreadyExists, Conflict, Kube, NotFound
from supaplane_kube.port import Manifest
from supaplane_kube.resources import SECRETS, VOLUME_CLAIMS

from .claim import Claim
from .errors import LookAgain, Problem

MANAGER = names.FIELD_MANAGER_OPERATOR


@dataclass(frozen=True)
class Sources:
    """The Secrets that credentials may be in, as values; None: there is no such Secret."""

    master: Mapping[str, str] | None
    copy: Mapping[str, str] | None

    @property
    def known(self) -> dict[str, str]:
        """What either has; the master counts where both have it. That a password waits is the
        master's alone to say, as long as there is one."""
        over = PENDING_KEYS.keys() if self.master is not None else ()
        copied = {k: v for k, v in (self.copy or {}).items() if v and k not in over}
        return copied | {k: v for k, v in (self.master or {}).items() if v}


async def ensure(
    kube: Kube,
    project: SupabaseProject,
    claim: Claim,
    *,
    found: Manifest | None,
    ref: str,
    random_bytes: RandomBytes,
    now: datetime,
) -> dict[str, str]:
    """All credentials of a project, after whatever was missing is in the master Secret. `found` is
    the master Secret as it was read a moment ago.

    Raises Problem(CredentialsLost) when that cannot be, LookAgain when somebody else was faster.
    """
    name = names.credentials_secret(project.name)
    copied = None if claim.fresh else await kube.get(SECRETS, claim.name, names.CREDENTIALS_COPY)
    sources = _read(found, copied)
    demand_agreement(sources, name, claim.name)
    known = sources.known
    if IRREPLACEABLE - known.keys() and not claim.fresh:
        await _demand_no_data(kube, claim.name, project, IRREPLACEABLE - known.keys())
    whole = known | _minted(known, random_bytes, now)
    missing = {k: v for k, v in whole.items() if not (sources.master or {}).get(k)}
    if found is None:
        await _make(kube, project, ref, whole)
    elif missing:
        await _add(kube, found, missing)
    return whole


def demand_agreement(sources: Sources, name: str, namespace: str) -> None:
    """Raises Problem when master and copy hold different keys that data is encrypted with."""
    master, copy = sources.master or {}, sources.copy or {}
    both = sorted(k for k in IRREPLACEABLE if master.get(k) and copy.get(k))
    differing = [key for key in both if master[key] != copy[key]]
    if differing:
        raise Problem(
            Reason.CREDENTIALS_LOST,
            f"{', '.join(differing)} in Secret {name} is not what the project was made with: put "
            f"the old value back from Secret {names.CREDENTIALS_COPY} in namespace {namespace}, "
            "or what is encrypted in the database cannot be read any more",
            waiting_helps=False,
        )


def _read(found: Manifest | None, copied: Manifest | None) -> Sources:
    try:
        return Sources(
            master=None if found is None else from_secret_data(found),
            copy=None if copied is None else from_secret_data(copied),
        )
    except CredentialsLost as error:
        raise Problem(Reason.CREDENTIALS_LOST, str(error), waiting_helps=False) from None


async def _demand_no_data(
    kube: Kube, namespace: str, project: SupabaseProject, lost: frozenset[str]
) -> None:
    volumes = await kube.list(VOLUME_CLAIMS, namespace)
    if volumes.items:
        raise Problem(
            Reason.CREDENTIALS_LOST,
            f"namespace {namespace} holds data, but {', '.join(sorted(lost))} is neither in Secret "
            f"{project.namespace}/{names.credentials_secret(project.name)} nor in Secret "
            f"{namespace}/{names.CREDENTIALS_COPY}: put one of them back from a backup. "
            "Nothing is touched until then",
            waiting_helps=False,
        )


def _minted(known: Mapping[str, str], random_bytes: RandomBytes, now: datetime) -> dict[str, str]:
    try:
        return mint(known, random_bytes=random_bytes, now=now)
    except CredentialsLost as error:
        raise Problem(Reason.CREDENTIALS_LOST, str(error), waiting_helps=False) from None


async def _make(kube: Kube, project: SupabaseProject, ref: str, values: Mapping[str, str]) -> None:
    body = master_secret(cr_name=project.name, namespace=project.namespace, ref=ref, values=values)
    try:
        await kube.create(SECRETS, project.namespace, body, manager=MANAGER)
    except AlreadyExists:
        raise LookAgain("somebody else made the credentials") from None


async def _add(kube: Kube, found: Manifest, missing: Mapping[str, str]) -> None:
    meta = found["metadata"]
    patch = {
        "metadata": {"resourceVersion": meta["resourceVersion"]},
        "data": to_secret_data(missing),
    }
    try:
        await kube.merge_patch(SECRETS, meta["namespace"], meta["name"], patch, manager=MANAGER)
    except (Conflict, NotFound):
        raise LookAgain("somebody else changed the credentials") from None

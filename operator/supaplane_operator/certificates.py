"""Are the certificates of a project's public hosts issued? cert-manager is asked, seldom.

cert-manager makes a Certificate for each entry of an Ingress's `tls`, named like its Secret.
https://cert-manager.io/docs/usage/ingress/
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from supaplane_contract.status import Reason
from supaplane_kube import Forbidden, Kube, NotFound, Resource
from supaplane_kube.port import Manifest

from .errors import Problem

CERTIFICATES: Final = Resource("cert-manager.io", "v1", "certificates", "Certificate")
ISSUERS: Final = ("cert-manager.io/cluster-issuer", "cert-manager.io/issuer")
SOONEST: Final = 3.0
LATEST: Final = 60.0
ISSUED_SECONDS: Final = 500.0
"""How long certificates that were issued are not looked at again."""


def expected(rendered: Iterable[Manifest]) -> dict[str, str]:
    """The hosts that a certificate is to be issued for, by the name of its Secret."""
    return {
        entry["secretName"]: ", ".join(entry["hosts"])
        for manifest in rendered
        if manifest["kind"] == "Ingress"
        and any(key in ISSUERS for key in manifest["metadata"].get("annotations", {}))
        for entry in manifest["spec"].get("tls", ())
    }


def trouble(wanted: Mapping[str, str], found: Iterable[Mapping[str, Any]]) -> Problem | None:
    """Why a certificate that is wanted is not there; None when all are."""
    by_secret = {(c.get("spec") or {}).get("secretName"): c for c in found}
    for secret, hosts in wanted.items():
        why = _why_not(by_secret.get(secret))
        if why:
            told = f"the certificate of {hosts} is not issued: {why}"
            return Problem(Reason.CERTIFICATE_NOT_ISSUED, told, waiting_helps=True)
    return None


def _why_not(certificate: Mapping[str, Any] | None) -> str:
    if certificate is None:
        return "cert-manager has made no Certificate for it (is it installed?)"
    conditions = (certificate.get("status") or {}).get("conditions") or ()
    by_type = {condition.get("type"): condition for condition in conditions}
    ready, issuing = by_type.get("Ready") or {}, by_type.get("Issuing") or {}
    if ready.get("status") == "True":
        return ""
    failed = issuing if issuing.get("reason") == "Failed" else ready
    return str(failed.get("message") or "cert-manager has not looked at it yet")[:300]


@dataclass
class _Look:
    wanted: Mapping[str, str]
    since: float
    at: float
    pause: float
    found: Problem | None


class Certificates:
    """Lists the Certificates of a namespace, seldom, and more seldom once all are issued."""

    def __init__(self, kube: Kube, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._kube = kube
        self._clock = clock
        self._looks: dict[str, _Look] = {}

    async def trouble(
        self, namespace: str, wanted: Mapping[str, str]
    ) -> tuple[Problem | None, float | None]:
        """What keeps a host without its certificate, and after how many seconds to ask again."""
        if not wanted:
            self.forget(namespace)
            return None, None
        now, look = self._clock(), self._looks.get(namespace)
        if look is None or look.wanted != wanted:
            look = self._looks[namespace] = _Look(wanted, now, now, 0.0, None)
        if now >= look.at + look.pause:
            look.found = await self._ask(namespace, wanted)
            waiting = min(LATEST, max(SOONEST, (now - look.since) / 4))
            look.at, look.pause = now, waiting if look.found else ISSUED_SECONDS
        return look.found, look.at + look.pause - now if look.found else None

    def known(self, namespace: str) -> Problem | None:
        """What kept a host without its certificate when that was last looked at."""
        look = self._looks.get(namespace)
        return look.found if look else None

    async def _ask(self, namespace: str, wanted: Mapping[str, str]) -> Problem | None:
        try:
            found = (await self._kube.list(CERTIFICATES, namespace)).items
        except NotFound:  # cert-manager is not installed
            found = []
        except Forbidden:  # under a chart that is older than this operator: nobody knows
            return None
        return trouble(wanted, found)

    def forget(self, namespace: str) -> None:
        """No certificates are wanted there any more."""
        self._looks.pop(namespace, None)

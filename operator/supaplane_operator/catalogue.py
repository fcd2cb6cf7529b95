"""Which releases does this operator know? Those that ship with it, and those that it was offered.

What was offered is kept in a ConfigMap beside the Lease, so that a project stays on its release
wherever the offer has gone. It is read before the first project is looked at, and never made less.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from supaplane_contract import names
from supaplane_kube import Kube, NotFound
from supaplane_kube.resources import CONFIG_MAPS

from .releases import Release, as_data
from .releases.offer import Taken, take_in
from .render.components import PARTS

log = logging.getLogger(__name__)

NAME: Final = "supaplane-releases"
SUFFIX: Final = ".json"
MANAGER: Final = names.FIELD_MANAGER_OPERATOR


class Catalogue:
    """All releases by name."""

    def __init__(self, kube: Kube, shipped: Mapping[str, Release], namespace: str | None) -> None:
        """`namespace`: where offered releases are kept; None: nowhere."""
        self._kube = kube
        self._namespace = namespace
        self._shipped = shipped
        self._known = dict(shipped)

    @property
    def releases(self) -> Mapping[str, Release]:
        """Every release that a project may run with; always as it is now."""
        return MappingProxyType(self._known)

    @property
    def offered(self) -> int:
        """How many of them do not ship with this operator."""
        return len(self._known) - len(self._shipped)

    async def load(self) -> None:
        """Takes in what is kept. Raises KubeError."""
        if self._namespace is None:
            return
        kept = await self._kube.get(CONFIG_MAPS, self._namespace, NAME)
        texts = ((kept or {}).get("data") or {}).items()
        taken = self._judged(_read(key, text) for key, text in sorted(texts))
        for why in taken.refused:
            log.warning("ConfigMap %s/%s: %s", self._namespace, NAME, why)
        self._known |= taken.new

    async def take_in(self, entries: Iterable[Any]) -> Taken:
        """Keeps what is offered and new, then knows it. Raises KubeError."""
        taken = self._judged(entries)
        if taken.new:
            await self._keep(taken.new)
            self._known |= taken.new
        return taken

    def _judged(self, entries: Iterable[Any]) -> Taken:
        return take_in(entries, self._known, renderable=PARTS.keys())

    async def _keep(self, new: Mapping[str, Release]) -> None:
        """Beside what is there, which may be of an operator that knows more than this one."""
        if self._namespace is None:
            return
        data = {
            f"{name}{SUFFIX}": json.dumps(as_data(release), sort_keys=True)
            for name, release in new.items()
        }
        try:
            await self._kube.merge_patch(
                CONFIG_MAPS, self._namespace, NAME, {"data": data}, manager=MANAGER
            )
        except NotFound:
            meta = {"name": NAME, "namespace": self._namespace}
            body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}
            await self._kube.create(CONFIG_MAPS, self._namespace, body, manager=MANAGER)


def _read(key: str, text: str) -> Any:
    """An entry, or what is judged to be none."""
    try:
        return json.loads(text)
    except ValueError:
        return {"name": key.removesuffix(SUFFIX)}

"""How do two manifests become one: JSON merge patch, and field-wise merge as apply has it.

Also the one home of which lists are maps in disguise, and by which keys.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

LIST_KEYS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "containers": (("name",),),
    "initContainers": (("name",),),
    "ephemeralContainers": (("name",),),
    "env": (("name",),),
    "volumes": (("name",),),
    "volumeMounts": (("mountPath",),),
    "volumeDevices": (("devicePath",),),
    "imagePullSecrets": (("name",),),
    "secrets": (("name",),),
    "hostAliases": (("ip",),),
    "topologySpreadConstraints": (("topologyKey", "whenUnsatisfiable"),),
    "conditions": (("type",),),
    "resizePolicy": (),
    "ports": (("containerPort", "protocol"), ("port", "protocol")),
}
"""By the name of a field: the keys that its items are merged by, as in the Kubernetes API's
`x-kubernetes-list-map-keys` of the kinds that we render. The first set of keys counts of which
every item has the first one; other lists are atomic.
https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy"""

DEFAULTS: Mapping[str, Any] = {"protocol": "TCP"}
"""Values that the API server gives to merge keys that are left out."""


def keys_of(field: str, *lists: Sequence[Any]) -> tuple[str, ...] | None:
    """The keys by which the items of lists under `field` are merged; None: atomic."""
    items = [item for values in lists for item in values]
    for keys in LIST_KEYS.get(field, ()):
        if all(isinstance(item, Mapping) and keys[0] in item for item in items):
            return keys
    return None


def item_key(item: Mapping[str, Any], keys: tuple[str, ...]) -> tuple[Any, ...]:
    """What tells an item of a merge-keyed list from the others."""
    return tuple(item.get(key, DEFAULTS.get(key)) for key in keys)


def merge_patched(live: Any, patch: Any) -> Any:
    """RFC 7396: null removes, objects merge, everything else replaces."""
    if not isinstance(patch, Mapping):
        return patch
    base = live if isinstance(live, Mapping) else {}
    merged = {
        key: value for key, value in base.items() if key not in patch or patch[key] is not None
    }
    for key, value in patch.items():
        if value is not None:
            merged[key] = merge_patched(base.get(key), value)
    return merged


def merged(live: Any, wanted: Any, field: str = "") -> Any:
    """`wanted` laid over `live`: maps and merge-keyed lists by key, all else replaced."""
    if isinstance(live, Mapping) and isinstance(wanted, Mapping):
        out = dict(live)
        for key, value in wanted.items():
            out[key] = merged(live.get(key), value, key)
        return out
    if isinstance(live, list) and isinstance(wanted, list):
        keys = keys_of(field, live, wanted)
        if keys is not None:
            return _merged_list(live, wanted, keys)
    return wanted


def _merged_list(live: list[Any], wanted: list[Any], keys: tuple[str, ...]) -> list[Any]:
    ours = {item_key(item, keys): item for item in wanted}
    out = [merged(item, ours.pop(item_key(item, keys), {})) for item in live]
    return out + list(ours.values())


def without_forgotten(live: Any, before: Any, wanted: Any, field: str = "") -> Any:
    """`live` without what the manager sent `before` and does not send now."""
    if isinstance(live, Mapping) and isinstance(before, Mapping) and isinstance(wanted, Mapping):
        return {
            key: without_forgotten(value, before.get(key), wanted.get(key), key)
            for key, value in live.items()
            if key not in before or key in wanted
        }
    if isinstance(live, list) and isinstance(before, list) and isinstance(wanted, list):
        keys = keys_of(field, live, before, wanted)
        if keys is not None:
            return _list_without_forgotten(live, before, wanted, keys)
    return live


def _list_without_forgotten(
    live: list[Any], before: list[Any], wanted: list[Any], keys: tuple[str, ...]
) -> list[Any]:
    was = {item_key(item, keys): item for item in before}
    ours = {item_key(item, keys): item for item in wanted}
    return [
        without_forgotten(item, was.get(key), ours.get(key))
        for item in live
        if (key := item_key(item, keys)) not in was or key in ours
    ]

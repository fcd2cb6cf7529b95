"""How do running pods learn soon that a file of theirs is another? By a mark on the pod.

The kubelet looks at a pod's volumes when the pod changes, and else once in its `syncFrequency`, a
minute by default, see "Mounted ConfigMaps are updated automatically" at
https://kubernetes.io/docs/concepts/configuration/configmap/.
Nothing hangs on the mark: without it the file arrives later.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from supaplane_contract import names
from supaplane_kube import Forbidden, Kube, NotFound
from supaplane_kube.port import Manifest
from supaplane_kube.resources import PODS

from .children import WORKLOADS, Child, Name
from .parallel import in_parallel
from .plan import Plan, name_of

MARK: Final = names.ANNOTATION_LIVE_INPUTS
MOST_AT_ONCE: Final = 8


def due(plan: Plan, children: Mapping[Name, Child]) -> dict[str, str]:
    """Workloads that are there and get other live inputs: component and hash. To be asked before
    the plan is applied."""
    found = {}
    for manifest in plan.apply:
        name, meta = name_of(manifest), manifest["metadata"]
        wanted = (meta.get("annotations") or {}).get(MARK, "")
        live = children.get(name)
        if name[0] in WORKLOADS and live and live.pods and live.live_inputs not in ("", wanted):
            found[live.component] = wanted
    return found


async def tell(kube: Kube, namespace: str, ref: str, wanted: Mapping[str, str]) -> None:
    """Marks the pods of these components. Raises KubeError when the server fails."""
    if not wanted:
        return
    selector = f"{names.LABEL_REF}={ref}"
    pods = (await kube.list(PODS, namespace, label_selector=selector)).items
    calls = [_call(kube, pod, hash_) for pod in pods if (hash_ := _missing(pod, wanted))]
    await in_parallel(calls, MOST_AT_ONCE)


def _missing(pod: Manifest, wanted: Mapping[str, str]) -> str:
    meta = pod["metadata"]
    hash_ = wanted.get((meta.get("labels") or {}).get(names.LABEL_COMPONENT, ""), "")
    marked = (meta.get("annotations") or {}).get(MARK) == hash_
    return "" if marked or "deletionTimestamp" in meta else hash_


def _call(kube: Kube, pod: Manifest, hash_: str) -> Callable[[], Awaitable[None]]:
    meta = pod["metadata"]

    async def mark() -> None:
        body = {"metadata": {"annotations": {MARK: hash_}}}
        # it ended meanwhile, or the chart is older than this operator
        with contextlib.suppress(NotFound, Forbidden):
            await kube.merge_patch(
                PODS, meta["namespace"], meta["name"], body, manager=names.FIELD_MANAGER_OPERATOR
            )

    return mark

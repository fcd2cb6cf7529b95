"""What do the pods of a component depend on, and has it changed?

Two hashes lie on each pod template. *Inputs*: what people, sizes and releases decide; when it
changes, the pods are replaced. *Rendering*: what we made of it; when only that changes, because a
newer operator renders differently, the pods wait their turn in the rollout. A third lies on the
workload itself: *live inputs*, which running pods take in. It replaces none, but tells that people
changed something, and then a template that waits does not wait any longer.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, Final

import orjson

from supaplane_contract.spec import Component

from .context import Project
from .model import Manifest
from .part import Part

ROOT_KEY: Final = "pgsodium-root-key"
"""Keys the hash of inputs. It is the one credential that is never rotated."""
NOT_OF_PODS: Final = frozenset({"enabled", "replicas", "autoscaling"})
"""Fields of every component's spec that its pods do not depend on."""


def of_inputs(project: Project, part: Part, own: Project) -> str:
    """Hash of a component's inputs.

    Keyed, for it lies open in an annotation and one of the inputs may be a password that a person
    chose. `own` is the project with only the component's own credentials.
    """
    inputs = {
        "image": project.image(part.name),
        "size": project.spec.size.value,
        "spec": _set_fields(project.spec.component(part.name), part.ignores),
        "credentials": {key: own.credential(key) for key in part.credentials},
        "environment": _extra_environment(project, part),
        "restart": project.input.restarts.get(part.name, ""),
        "clusterDomain": project.platform.cluster_domain,
        "pullSecrets": list(project.platform.image_pull_secrets),
        "other": part.inputs(own),
    }
    return _keyed(project, inputs)


def of_live_inputs(project: Project, part: Part, own: Project) -> str:
    """Hash of what running pods of a component take in by themselves; empty where that is nothing.
    Keyed like that of inputs."""
    # one that is not there is missed by what is rendered of it
    credentials = {k: own.credentials[k] for k in part.live_credentials if k in own.credentials}
    other = part.live_inputs(own)
    if not credentials and not other:
        return ""
    return _keyed(project, {"credentials": credentials, "other": other})


def of_rendering(template: Manifest, files: Mapping[str, str]) -> str:
    """Hash of a pod template and of the files mounted into it, secret ones as their own hashes."""
    hashed = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in files.items()}
    content = _canonical({"template": template, "files": hashed})
    return hashlib.sha256(content).hexdigest()[:32]


def _keyed(project: Project, inputs: Mapping[str, Any]) -> str:
    key = hashlib.sha256(b"supaplane inputs\0" + project.credential(ROOT_KEY).encode()).digest()
    return hmac.new(key, _canonical(inputs), hashlib.sha256).hexdigest()[:32]


def _set_fields(part: Component, ignored: frozenset[str]) -> Mapping[str, Any]:
    """What differs from the defaults, so that a field that a later version adds changes nothing."""
    return part.model_dump(mode="json", exclude_defaults=True, exclude=set(NOT_OF_PODS | ignored))


def _extra_environment(project: Project, part: Part) -> Mapping[str, Mapping[str, str]]:
    sources = project.spec.component(part.name).extra_env_from
    return {source.name: project.user_secret_all(source.name) for source in sources}


def _canonical(content: Any) -> bytes:
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)

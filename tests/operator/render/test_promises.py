"""Does every wish become objects that keep their promises, or a refusal that names the cure?"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import yaml
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from supaplane_contract import names
from supaplane_contract.spec import ComponentName, ProjectSpec
from supaplane_operator.render import (
    NotRenderable,
    Rendered,
    RenderInput,
    project,
    referenced_secrets,
)

MakeInput = Callable[..., RenderInput]
DRAWN = settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def secrets_for(spec: ProjectSpec) -> dict[tuple[str, str], str]:
    """What the engine would hand over for a spec: every Secret that it refers to."""
    return {
        (name, "ANY" if key == "*" else key): f"value of {name} {key}"
        for name, key in referenced_secrets(spec)
    }


def walk(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value inside an object, with where it is."""
    yield path, value
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from walk(inner, f"{path}.{key}")
    if isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from walk(inner, f"{path}[{number}]")


def of_kind(rendered: Rendered, *kinds: str) -> list[dict[str, Any]]:
    return [m for m in rendered.manifests if m["kind"] in kinds]


@DRAWN
@given(data=st.data())
def test_any_valid_spec_renders_or_says_why_not(
    data: st.DataObject, specs: st.SearchStrategy[ProjectSpec], make_input: MakeInput
) -> None:
    spec = data.draw(specs)
    rendered, refusal = attempt(make_input(spec, secrets=secrets_for(spec)))
    if rendered is None:
        assert refusal is not None
        assert refusal.message
        event(refusal.reason)
        return
    event("renders")
    yaml.safe_dump_all(rendered.manifests)
    keep_promises(rendered)


def attempt(input: RenderInput) -> tuple[Rendered | None, NotRenderable | None]:
    try:
        return project(input), None
    except NotRenderable as refusal:
        return None, refusal


def test_every_sample_keeps_its_promises(sample: Any) -> None:
    keep_promises(project(sample.input))


def keep_promises(rendered: Rendered) -> None:
    """What holds for every project that renders."""
    ref = rendered.manifests[0]["metadata"]["labels"][names.LABEL_REF]
    seen = set()
    for manifest in rendered.manifests:
        metadata = manifest["metadata"]
        identity = (manifest["kind"], metadata["name"])
        assert identity not in seen
        seen.add(identity)
        assert metadata["namespace"] == names.project_namespace(ref)
        assert "ownerReferences" not in metadata
        labels = metadata["labels"]
        assert labels[names.LABEL_REF] == ref
        assert labels[names.LABEL_MANAGED_BY] == names.MANAGED_BY
        assert labels[names.LABEL_COMPONENT] in {"project", *ComponentName}
        check_normal_form(manifest)
    for workload in of_kind(rendered, "Deployment", "StatefulSet"):
        check_workload(workload)
    for job in of_kind(rendered, "Job"):
        check_job(job)
    check_references(rendered)


def check_normal_form(manifest: Mapping[str, Any]) -> None:
    assert len(json.dumps(manifest)) < 900_000
    for path, value in walk(manifest):
        assert value is not None, path
        if value in ({}, []):
            assert path == ".spec.podSelector", path
        if path.endswith((".cpu", ".memory", ".storage")):
            assert re.fullmatch(r"[0-9]+(m|k|[KMGTPE]i?)?", value), (path, value)
    for container in containers(manifest):
        for port in container.get("ports", []):
            assert port["protocol"] == "TCP"


def containers(manifest: Mapping[str, Any]) -> list[Any]:
    if manifest["kind"] not in ("Deployment", "StatefulSet", "Job"):
        return []
    pod = manifest["spec"]["template"]["spec"]
    return [*pod.get("initContainers", []), *pod["containers"]]


def check_workload(workload: Mapping[str, Any]) -> None:
    assert "volumeClaimTemplates" not in workload["spec"]
    template = workload["spec"]["template"]
    pod = template["spec"]
    assert pod["enableServiceLinks"] is False
    assert pod["automountServiceAccountToken"] is False
    assert pod["serviceAccountName"] == "project"
    assert set(template["metadata"]["annotations"]) >= {
        names.ANNOTATION_INPUTS,
        names.ANNOTATION_RENDERING,
    }
    selector = workload["spec"]["selector"]["matchLabels"]
    assert selector.items() <= template["metadata"]["labels"].items()
    for container in containers(workload):
        assert set(container["resources"]) == {"requests", "limits"}
        security = container["securityContext"]
        assert security["allowPrivilegeEscalation"] is False
        assert security["capabilities"]["drop"] == ["ALL"]
        variables = [entry["name"] for entry in container.get("env", [])]
        assert len(variables) == len(set(variables))
    if workload["metadata"]["name"] != "db":
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] > 0
    main = pod["containers"][0]
    assert {"startupProbe", "readinessProbe", "livenessProbe"} <= main.keys()


def check_job(job: Mapping[str, Any]) -> None:
    # once gone it would only be made and run again
    assert "ttlSecondsAfterFinished" not in job["spec"]
    assert re.fullmatch(r"[a-z-]+-[0-9a-f]{10}", job["metadata"]["name"])
    pod = job["spec"]["template"]["spec"]
    assert pod["enableServiceLinks"] is False
    assert pod["automountServiceAccountToken"] is False
    assert pod["restartPolicy"] == "Never"
    assert pod["securityContext"]["runAsNonRoot"] is True
    for container in pod["containers"]:
        assert set(container["resources"]) == {"requests", "limits"}
        assert container["securityContext"]["capabilities"]["drop"] == ["ALL"]


def check_references(rendered: Rendered) -> None:
    """Every Secret, ConfigMap, claim and account that a pod names is among the objects."""
    there = {(m["kind"], m["metadata"]["name"]): m for m in rendered.manifests}
    for workload in of_kind(rendered, "Deployment", "StatefulSet", "Job"):
        pod = workload["spec"]["template"]["spec"]
        assert ("ServiceAccount", pod["serviceAccountName"]) in there
        for volume in pod.get("volumes", []):
            if "persistentVolumeClaim" in volume:
                claim = volume["persistentVolumeClaim"]["claimName"]
                assert ("PersistentVolumeClaim", claim) in there
            if "configMap" in volume:
                assert ("ConfigMap", volume["configMap"]["name"]) in there
            for source in volume.get("projected", {}).get("sources", []):
                kind, chosen = next(iter(source.items()))
                data = there["Secret" if kind == "secret" else "ConfigMap", chosen["name"]]["data"]
                assert {item["key"] for item in chosen["items"]} <= data.keys()
            if "secret" in volume:
                keys = there["Secret", volume["secret"]["secretName"]]["data"].keys()
                assert {item["key"] for item in volume["secret"]["items"]} <= keys
        for container in containers(workload):
            for source in container.get("envFrom", []):
                assert ("Secret", source["secretRef"]["name"]) in there
            for entry in container.get("env", []):
                if "valueFrom" in entry:
                    chosen = entry["valueFrom"]["secretKeyRef"]
                    assert chosen["key"] in there["Secret", chosen["name"]]["data"]
            mounted = {m["name"] for m in container.get("volumeMounts", [])}
            assert mounted <= {v["name"] for v in pod.get("volumes", [])}

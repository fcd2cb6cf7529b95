"""Is what we render missing in the live object? Only then is anything sent."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supaplane_kube.merge import merged
from supaplane_operator.differs import differences, differs

DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "rest", "labels": {"a": "b"}},
    "spec": {
        "replicas": 1,
        "template": {
            "spec": {
                "containers": [
                    {
                        "name": "rest",
                        "image": "rest:1",
                        "args": ["--one", "--two"],
                        "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
                        "ports": [{"name": "http", "containerPort": 3000, "protocol": "TCP"}],
                        "resources": {"requests": {"cpu": "500m", "memory": "1Gi"}},
                        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
                        "readinessProbe": {"httpGet": {"path": "/", "port": 3000}},
                    }
                ],
                "volumes": [{"name": "data", "emptyDir": {}}],
            }
        },
    },
}


def container(live: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = live["spec"]["template"]["spec"]["containers"][0]
    return found


def changed(change: Any) -> dict[str, Any]:
    live = copy.deepcopy(DEPLOYMENT)
    change(live)
    return live


def others_add(live: dict[str, Any]) -> None:
    live["metadata"] |= {"uid": "1", "resourceVersion": "7", "annotations": {"x": "y"}}
    live["metadata"]["labels"]["team"] = "blue"
    live["status"] = {"replicas": 1}
    live["spec"]["progressDeadlineSeconds"] = 600
    container(live)["env"].append({"name": "C", "value": "3"})
    container(live)["env"].reverse()
    container(live)["terminationMessagePath"] = "/dev/termination-log"
    container(live)["readinessProbe"]["timeoutSeconds"] = 1
    live["spec"]["template"]["spec"]["containers"].insert(0, {"name": "sidecar", "image": "x"})
    live["spec"]["template"]["spec"]["volumes"].append({"name": "token", "projected": {}})


SAME = {
    "itself": lambda live: None,
    "what others and the server add": others_add,
    "quantities in another form": lambda live: container(live)["resources"].update(
        requests={"cpu": "0.5", "memory": "1024Mi"}
    ),
    "no port protocol, which is TCP": lambda live: container(live)["ports"][0].pop("protocol"),
}
OTHER = {
    "a changed image": lambda live: container(live).update(image="rest:2"),
    "a changed value of a variable": lambda live: container(live)["env"][0].update(value="9"),
    "a missing variable": lambda live: container(live)["env"].pop(),
    "an argument more": lambda live: container(live)["args"].append("--three"),
    "arguments in another order": lambda live: container(live)["args"].reverse(),
    "a missing port": lambda live: container(live).update(ports=[]),
    "a changed quantity": lambda live: container(live)["resources"]["requests"].update(cpu="1"),
    "another number of pods": lambda live: live["spec"].update(replicas=2),
    "a missing label": lambda live: live["metadata"]["labels"].clear(),
    "a missing container": lambda live: live["spec"]["template"]["spec"].update(containers=[]),
    "a volume of another kind": lambda live: live["spec"]["template"]["spec"].update(
        volumes=[{"name": "data", "hostPath": {"path": "/"}}]
    ),
    "no spec at all": lambda live: live.pop("spec"),
}


@pytest.mark.parametrize("change", SAME.values(), ids=SAME.keys())
def test_is_the_same_with(change):
    live = changed(change)
    if "protocol" not in container(live).get("ports", [{}])[0]:
        wanted = copy.deepcopy(DEPLOYMENT)
        del container(wanted)["ports"][0]["protocol"]
        assert not differs(wanted, DEPLOYMENT)
        return
    assert list(differences(DEPLOYMENT, live)) == []


@pytest.mark.parametrize("change", OTHER.values(), ids=OTHER.keys())
def test_differs_by(change):
    assert differs(DEPLOYMENT, changed(change))


def test_an_object_that_is_not_there_differs():
    assert differs(DEPLOYMENT, None)


def test_a_peer_added_to_a_network_policy_is_a_difference():
    rule = {
        "from": [{"podSelector": {"matchLabels": {"a": "b"}}}],
        "ports": [{"port": 1, "protocol": "TCP"}],
    }
    wanted = {"spec": {"ingress": [rule]}}
    live = copy.deepcopy(wanted)
    live["spec"]["ingress"][0]["from"][0]["namespaceSelector"] = {}
    assert differs(wanted, live)
    live = copy.deepcopy(wanted)
    live["spec"]["ingress"].append({})
    assert differs(wanted, live)
    live = copy.deepcopy(wanted)
    live["spec"]["ingress"][0]["ports"].append({"port": 2, "protocol": "TCP"})
    assert differs(wanted, live)


def test_an_empty_list_is_the_same_as_none():
    assert not differs({"spec": {"ingress": []}}, {"spec": {}})
    assert differs({"spec": {"ingress": []}}, {"spec": {"ingress": [{}]}})


def test_true_is_not_one():
    assert differs({"spec": {"a": True}}, {"spec": {"a": 1}})


def test_a_path_tells_where_and_never_what():
    wanted = {"data": {"password": "c2VjcmV0"}}
    assert list(differences(wanted, {"data": {"password": "b3RoZXI="}})) == ["data.password"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=20,
)
manifests = st.dictionaries(st.text(max_size=6), json_values, max_size=5)


@given(manifests)
def test_nothing_differs_from_itself(manifest):
    assert not differs(manifest, copy.deepcopy(manifest))


@given(manifests, manifests)
def test_what_was_merged_in_is_there(wanted, live):
    wanted = {k: v for k, v in wanted.items() if v is not None}
    assert not differs(wanted, merged(live, copy.deepcopy(wanted)))

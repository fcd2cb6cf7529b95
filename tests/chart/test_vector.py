"""Are logs brought to the project that they belong to, and to nobody else?

What is done with a line is run, by a package that has an older version of Vector's language than
the image; the parts around it (sources, sinks, templates) are not.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import yaml
from pyvrl import Transform

from supaplane_contract import names
from supaplane_contract.spec import ComponentName
from supaplane_operator import settings as operator_settings
from supaplane_operator.render import logs
from supaplane_operator.render.components import PARTS
from supaplane_operator.render.envoy import config as envoy
from supaplane_operator.render.network import LOG_LABELS

Json = dict[str, Any]
One = Callable[..., Json]
Ship = Callable[..., Json | None]
KEY = "0123456789abcdef" * 4
REF = "abcdefghijklmnopqrst"
REQUEST = (
    '10.1.2.3 - - [22/Nov/2026:10:00:00 +0000] "GET /rest/v1/todos HTTP/1.1" 404 12 "-" "curl/8"'
)


@pytest.fixture(scope="module")
def config(rendered: dict[str, list[Json]], one: One) -> Json:
    """Vector's configuration as the pod finds it."""
    text = one(rendered["logs"], "ConfigMap", "supaplane-vector")["data"]["vector.yaml"]
    # variables of the environment are written like this; a dollar sign is two of them
    assert not re.findall(r"(?<!\$)\$(?!\$)", text)
    found: Json = yaml.safe_load(text.replace("$$", "$"))
    return found


@pytest.fixture
def ship(config: Json, monkeypatch: pytest.MonkeyPatch) -> Ship:
    """ship(component, line): the event that is sent, None when it is not."""
    monkeypatch.setenv("SUPAPLANE_LOG_KEY", KEY)
    monkeypatch.setenv("SUPAPLANE_CLUSTER_DOMAIN", "k8s.example.org")
    transform = Transform(config["transforms"]["of_projects"]["source"])

    def send(
        component: str, line: str, *, container: str | None = None, namespace: str | None = None
    ) -> Json | None:
        event = {
            "message": line,
            "timestamp": "2026-11-22T10:00:01Z",
            "kubernetes": {
                "pod_namespace": namespace or names.project_namespace(REF),
                "pod_labels": {names.LABEL_COMPONENT: component, names.LABEL_REF: "b" * 20},
                "container_name": container or component,
            },
        }
        try:
            found: Json = transform.remap(event)
        except ValueError as refusal:
            if "aborted" not in str(refusal):
                raise
            return None
        return found

    return send


SOURCES = {
    "auth": "gotrue.logs.prod",
    "db": "postgres.logs",
    "functions": "deno-relay-logs",
    "gateway": "cloudflare.logs.prod",
    "realtime": "realtime.logs.prod",
    "rest": "postgREST.logs.prod",
    "storage": "storage.logs.prod.2",
}


@pytest.mark.parametrize("component", [name.value for name in ComponentName])
def test_each_component_has_the_source_that_studio_asks_for(ship: Ship, component: str) -> None:
    event = ship(component, REQUEST)
    found = event["_to"]["source"] if event else None
    assert found == SOURCES.get(component)


def test_what_is_collected_is_what_has_a_source(config: Json) -> None:
    selector = config["sources"]["pods"]["extra_label_selector"]
    label, _, listed = selector.partition(" in ")
    assert label == names.LABEL_COMPONENT
    assert sorted(listed.strip("()").split(",")) == sorted(SOURCES)
    marked = f"{names.LABEL_LOGS}={names.LOGS_COLLECTED}"
    assert config["sources"]["pods"]["extra_namespace_label_selector"] == marked


def test_a_line_goes_to_the_project_of_its_namespace_with_that_projects_token(ship: Ship) -> None:
    """Whatever its pod's labels say."""
    event = ship("auth", "hello")
    assert event is not None
    assert event["_to"] == {
        "host": f"analytics.supabase-{REF}.svc.k8s.example.org",
        "source": "gotrue.logs.prod",
        "token": logs.token(KEY, REF),
    }


@pytest.mark.parametrize(
    "namespace",
    ["kube-system", "supabase-short", f"x-supabase-{REF}", f"supabase-{REF}x", f"supabase-{REF}.x"],
)
def test_what_is_of_no_project_goes_nowhere(ship: Ship, namespace: str) -> None:
    assert ship("auth", "hello", namespace=namespace) is None


@pytest.mark.parametrize("container", ["bootstrap", "prepare"])
def test_what_runs_beside_a_program_is_not_its_log(ship: Ship, container: str) -> None:
    assert ship("db", "hello", container=container) is None


def test_a_request_is_taken_apart_as_studio_shows_it(ship: Ship) -> None:
    event = ship("gateway", REQUEST)
    assert event is not None
    assert event["timestamp"].isoformat() == "2026-11-22T10:00:00+00:00"
    assert event["metadata"]["response"] == {"status_code": 404}
    request = event["metadata"]["request"]
    assert (request["method"], request["path"]) == ("GET", "/rest/v1/todos")
    assert request["headers"]["cf_connecting_ip"] == "10.1.2.3"


def test_the_line_of_our_gateways_is_the_one_that_is_read(ship: Ship) -> None:
    """Envoy's log format with values in it; Kong writes the same by itself."""
    line = envoy._LOG_LINE
    values = {
        "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT": "10.1.2.3",
        "START_TIME(%d/%b/%Y:%H:%M:%S %z)": "22/Nov/2026:10:00:00 +0000",
        "REQ(:METHOD)": "POST",
        "PATH(NQ:ORIG_OR_PATH)": "/auth/v1/token",
        "PROTOCOL": "HTTP/2",
        "RESPONSE_CODE": "200",
        "BYTES_SENT": "3",
        "REQ(USER-AGENT)": "agent 1",
    }
    for name, value in values.items():
        line = line.replace(f"%{name}%", value)
    assert "%" not in line
    event = ship("gateway", line.rstrip())
    assert event is not None
    assert event["metadata"]["request"]["path"] == "/auth/v1/token"
    kong = ship("gateway", line.rstrip().replace(" - - ", " - supabase "))
    assert kong is not None


def test_the_gateways_own_troubles_are_no_requests(ship: Ship) -> None:
    assert ship("gateway", "[2026-11-22 10:00:00.000][1][warning][config] odd") is None


@pytest.mark.parametrize(
    ("component", "line", "message", "metadata"),
    [
        (
            "auth",
            '{"level":"info","msg":"login","time":"2026-11-22T10:00:00Z"}',
            '{"level":"info","msg":"login","time":"2026-11-22T10:00:00Z"}',
            {
                "level": "info",
                "msg": "login",
                "time": "2026-11-22T10:00:00Z",
                "timestamp": "2026-11-22T10:00:00Z",
            },
        ),
        ("auth", "no JSON", "no JSON", {}),
        ("auth", "[1]", "[1]", {}),
        (
            "rest",
            "22/Nov/2026:10:00:00 +0000: Schema cache loaded",
            "Schema cache loaded",
            {"host": "default"},
        ),
        ("rest", "something else", "something else", {"host": "default"}),
        (
            "realtime",
            "10:00:00.123 project=realtime [error] Boo",
            "Boo",
            {"level": "error", "project": "default", "external_id": "default"},
        ),
        (
            "storage",
            '{"level":30,"time":1,"pid":7,"hostname":"h","msg":"incoming"}',
            "incoming",
            {
                "level": 30,
                "timestamp": 1,
                "context": [{"host": "h", "pid": 7}],
                "project": "default",
                "tenantId": "default",
            },
        ),
        ("functions", "hello", "hello", {"project_ref": "default"}),
        (
            "db",
            "2026-11-22 10:00:00 UTC [1] ERROR:  no such table",
            "2026-11-22 10:00:00 UTC [1] ERROR:  no such table",
            {
                "host": "db-default",
                "parsed": {"error_severity": "ERROR", "timestamp": "2026-11-22T10:00:01Z"},
            },
        ),
        (
            "db",
            "no severity",
            "no severity",
            {
                "host": "db-default",
                "parsed": {"error_severity": "LOG", "timestamp": "2026-11-22T10:00:01Z"},
            },
        ),
    ],
)
def test_lines_become_what_studio_reads(
    ship: Ship, component: str, line: str, message: str, metadata: Mapping[str, Any]
) -> None:
    event = ship(component, line)
    assert event is not None
    assert (event["event_message"], event["metadata"]) == (message, metadata)
    assert event["project"] == "default"


def test_where_it_goes_and_with_what_is_not_sent_along(config: Json) -> None:
    sink = config["sinks"]["analytics"]
    port = PARTS[ComponentName.ANALYTICS].ports["http"]
    path = "/api/logs?source_name={{ _to.source }}"
    assert sink["uri"] == f"http://{{{{ _to.host }}}}:{port}{path}"
    assert sink["request"]["headers"] == {"x-api-key": "{{ _to.token }}"}
    assert sink["encoding"] == {"codec": "json", "except_fields": ["_to"]}


def test_its_interface_answers_inside_of_the_pod_only(config: Json) -> None:
    assert config["api"]["address"].startswith("127.0.0.1:")


def test_operator_and_log_shipper_have_the_same_key(chart: Any, one: One) -> None:
    manifests = chart.render(chart.values("logs"))
    ours = one(manifests, "Secret", "supaplane-log-key", "supaplane-system")
    theirs = one(manifests, "Secret", "supaplane-log-key", "supaplane-logs")
    assert ours["data"] == theirs["data"]
    assert ours["immutable"] is theirs["immutable"] is True
    key = base64.b64decode(ours["data"]["LOG_KEY"]).decode()
    assert re.fullmatch(r"[0-9a-f]{64}", key)
    other = one(chart.render(chart.values("logs")), "Secret", "supaplane-log-key", "supaplane-logs")
    assert other["data"] != theirs["data"]


def variables(workload: Json) -> dict[str, Json]:
    (container,) = workload["spec"]["template"]["spec"]["containers"]
    return {entry["name"]: entry for entry in container["env"]}


@pytest.mark.parametrize(
    ("name", "secret", "place"),
    [("logs", "supaplane-log-key", "supaplane-logs"), ("full", "log-key", "logs")],
)
def test_both_read_the_key_from_the_secret_in_their_own_namespace(
    rendered: dict[str, list[Json]], one: One, name: str, secret: str, place: str
) -> None:
    shipper = one(rendered[name], "DaemonSet", "supaplane-vector", place)
    operator = one(rendered[name], "Deployment", "supaplane-operator")
    for workload in (shipper, operator):
        source = variables(workload)["SUPAPLANE_LOG_KEY"]["valueFrom"]
        assert source == {"secretKeyRef": {"name": secret, "key": "LOG_KEY"}}
    given = {name: entry.get("value", KEY) for name, entry in variables(operator).items()}
    settings = operator_settings.from_environment(given)
    assert settings.platform.log_namespace == place


def test_projects_let_its_pods_in(rendered: dict[str, list[Json]], one: One) -> None:
    pods = one(rendered["logs"], "DaemonSet", "supaplane-vector")["spec"]["template"]
    assert pods["metadata"]["labels"].items() >= LOG_LABELS.items()


def test_it_reads_the_nodes_logs_and_changes_nothing_there(
    rendered: dict[str, list[Json]], one: One
) -> None:
    pod = one(rendered["logs"], "DaemonSet", "supaplane-vector")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    host = [v["name"] for v in pod["volumes"] if "hostPath" in v]
    mounts = {m["name"]: m.get("readOnly") for m in container["volumeMounts"]}
    assert [(name, mounts[name]) for name in host] == [("logs", True)]
    assert [v["hostPath"]["path"] for v in pod["volumes"] if "hostPath" in v] == ["/var/log/pods"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_it_may_look_and_nothing_else(rendered: dict[str, list[Json]], one: One) -> None:
    role = one(rendered["logs"], "ClusterRole", "supaplane-vector")
    assert role["rules"] == [
        {
            "apiGroups": [""],
            "resources": ["namespaces", "nodes", "pods"],
            "verbs": ["list", "watch"],
        }
    ]


def test_nobody_may_ask_it_and_it_reaches_analytics_of_projects_only(
    rendered: dict[str, list[Json]], one: One
) -> None:
    spec = one(rendered["logs"], "NetworkPolicy", "supaplane-vector")["spec"]
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in spec
    *_, last = spec["egress"]
    assert last["to"][0]["podSelector"]["matchLabels"] == {names.LABEL_COMPONENT: "analytics"}


def test_without_it_there_is_nothing_of_it(rendered: dict[str, list[Json]]) -> None:
    assert "vector" not in json.dumps(rendered["default"])
    assert "SUPAPLANE_LOG_KEY" not in json.dumps(rendered["default"])


@pytest.mark.parametrize(
    "place", ["supaplane-system", "supaplane-projects", "kube-system", "default"]
)
def test_it_has_a_namespace_of_its_own(chart: Any, refusal: type[Exception], place: str) -> None:
    values = chart.values("logs")
    values["vector"]["namespace"] = place
    with pytest.raises(refusal, match=r"vector\.namespace must be a namespace of its own"):
        chart.render(values)

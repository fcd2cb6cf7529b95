"""A platform on a node that really runs pods: what the tests do to it, and what they see there."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import psycopg

from supaplane_contract import names
from supaplane_contract.credentials import from_secret_data, password_key, to_secret_data
from supaplane_devcluster import Cluster

from .images.recipes import kind
from .things import Program, Project, Reply

HOME = names.DEFAULT_HOME_NAMESPACE
DOMAIN = "example.test"
PATIENCE = 180.0
"""Seconds for what takes a second or ten on a quiet machine."""
KUBELET_METRICS = "/api/v1/nodes/node1/proxy/metrics/resource"
MERGE = "application/merge-patch+json"
API_PORT = 18080
PROBE_PORT = 18081


@dataclass
class Platform:
    """Cluster, operator and API."""

    cluster: Cluster
    operator: Program
    api: Program
    times: dict[str, float] = field(default_factory=dict)
    """Seconds, by what took them; printed at the end."""
    memory: dict[str, float] = field(default_factory=dict)
    """MiB that pods hold, by whose they are; printed at the end."""
    _token: str | None = field(default=None, repr=False)
    _organization: str = ""

    # --- the network of the node

    def request(
        self,
        address: tuple[str, int],
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
        timeout: float = 30.0,
    ) -> Reply:
        """One HTTP request from the node to an address in the cluster."""
        with contextlib.closing(self.connection(address, timeout)) as connection:
            data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
            kind = {} if data is None else {"Content-Type": "application/json"}
            connection.request(method, path, body=data, headers={**kind, **(headers or {})})
            answer = connection.getresponse()
            content = answer.read()
            found = {k.lower(): v for k, v in answer.getheaders()}
            return Reply(answer.status, found, content)

    def connection(
        self, address: tuple[str, int], timeout: float = 30.0
    ) -> http.client.HTTPConnection:
        """A connection that is open; the socket stays in the node's network."""
        connection = http.client.HTTPConnection(*address, timeout=timeout)
        with self.cluster.network():
            connection.connect()
        return connection

    def address(self, namespace: str, service: str, port: int) -> tuple[str, int]:
        """Of a Service."""
        found = self.kube(f"/api/v1/namespaces/{namespace}/services/{service}")
        return str(found["spec"]["clusterIP"]), port

    @contextlib.contextmanager
    def database(
        self, project: Project, user: str = "postgres", **more: Any
    ) -> Iterator[psycopg.Connection[Any]]:
        """A session with the project's database, over its Service unless `host` says otherwise.

        `user` is a role, or what the pooler calls it: role.ref.
        """
        role = user.partition(".")[0]
        host, port = self.address(project.namespace, "db", 5432)
        values: dict[str, Any] = {
            "host": host,
            "port": port,
            "user": user,
            "password": project.keys[password_key(role)],
            "dbname": "postgres",
            "autocommit": True,
            "connect_timeout": 10,
        }
        with self.cluster.network():
            connection = psycopg.connect(**(values | more))
        with connection:
            yield connection

    # --- Kubernetes

    def kube(
        self, path: str, method: str = "GET", body: Any = None, kind: str = "application/json"
    ) -> Any:
        """A call to the API server as administrator; None for 404."""
        host, _, port = self.cluster.server.removeprefix("https://").partition(":")
        tls = ssl.create_default_context(cafile=str(self.cluster.ca_file))
        connection = http.client.HTTPSConnection(host, int(port), context=tls, timeout=30)
        with self.cluster.network():
            connection.connect()
        with contextlib.closing(connection):
            headers = {"Authorization": f"Bearer {self.cluster.token}", "Content-Type": kind}
            data = None if body is None else json.dumps(body)
            connection.request(method, path, body=data, headers=headers)
            answer = connection.getresponse()
            content = answer.read()
        if answer.status == 404:
            return None
        assert answer.status < 300, (method, path, content[:500])
        return json.loads(content)

    def items(self, namespace: str, kind: str, group: str = "api/v1") -> list[dict[str, Any]]:
        """All objects of a kind in a namespace."""
        found = self.kube(f"/{group}/namespaces/{namespace}/{kind}")
        return list((found or {}).get("items") or [])

    def pods(self, project: Project, component: str | None = None) -> list[dict[str, Any]]:
        """Pods that neither are ending nor have done their work."""
        found = self.items(project.namespace, "pods")
        return [
            pod
            for pod in found
            if "deletionTimestamp" not in pod["metadata"]
            and pod["status"]["phase"] != "Succeeded"
            and component in (None, pod["metadata"]["labels"].get(names.LABEL_COMPONENT))
        ]

    def measure_memory(self, project: Project, what: str) -> None:
        """Notes what the containers of a project hold, page cache in use included."""
        text = self.cluster.kubectl("get", "--raw", KUBELET_METRICS).stdout
        name = f'container="([^"]+)",namespace="{project.namespace}"'
        line = re.compile(rf"container_memory_working_set_bytes{{{name}.*}} (\S+)")
        found = [match for match in map(line.match, text.splitlines()) if match]
        amounts = {match[1]: float(match[2]) / 2**20 for match in found}
        for kind_ in ("real", "stand-in"):
            of_kind = {name: amount for name, amount in amounts.items() if kind(name) == kind_}
            self.memory[f"{what}: {len(of_kind)} containers, {kind_}"] = sum(of_kind.values())
            for container, amount in sorted(of_kind.items()):
                self.memory[f"{what}: {container} ({kind_})"] = amount

    def custom_resource(self, name: str) -> dict[str, Any] | None:
        """The SupabaseProject."""
        found: dict[str, Any] | None = self.kube(self._path(name))
        return found

    def status(self, name: str) -> dict[str, Any]:
        """What the operator says about it."""
        return (self.custom_resource(name) or {}).get("status") or {}

    def patch(self, name: str, spec: Mapping[str, Any]) -> None:
        """Changes a wish as `kubectl patch` does."""
        found = self.kube(self._path(name), "PATCH", {"spec": spec}, MERGE)
        assert found, f"there is no project {name}"

    def apply(self, name: str, spec: Mapping[str, Any]) -> str:
        """`kubectl apply` of a SupabaseProject that leaves nothing when it is deleted; its name."""
        body = {
            "apiVersion": names.API_VERSION,
            "kind": names.KIND,
            "metadata": {"name": name, "namespace": HOME},
            "spec": {"size": "dev", "deletion": {"policy": "Delete"}, **spec},
        }
        self.cluster.kubectl("apply", "-f", "-", input=json.dumps(body))
        return name

    def change_key(self, name: str, key: str, value: str) -> None:
        """Changes a key of the master Secret, and has the operator look at it now instead of within
        the ten minutes in which it does by itself."""
        path = f"/api/v1/namespaces/{HOME}/secrets/{names.credentials_secret(name)}"
        data = to_secret_data({key: value})
        assert self.kube(path, "PATCH", {"data": data}, MERGE)
        self.nudge(self._path(name))

    def nudge(self, path: str) -> None:
        """Has whoever watches an object look at it."""
        nudge = {"metadata": {"annotations": {"tests/nudge": str(time.time())}}}
        assert self.kube(path, "PATCH", nudge, MERGE)

    def project(self, name: str) -> Project:
        """The project with its keys."""
        secret = self.kube(f"/api/v1/namespaces/{HOME}/secrets/{names.credentials_secret(name)}")
        return Project(name, str(self.status(name)["ref"]), from_secret_data(secret))

    @staticmethod
    def _path(name: str) -> str:
        return f"/apis/{names.API_VERSION}/namespaces/{HOME}/{names.PLURAL}/{name}"

    # --- waiting

    def until_done(self, name: str) -> Project:
        """Waits until the newest wish is fulfilled."""
        wanted = (self.custom_resource(name) or {})["metadata"]["generation"]
        self.until(
            lambda: self.status(name).get("observedGeneration") == wanted, f"{name} is looked at"
        )
        return self.until_phase(name, "ACTIVE_HEALTHY")

    def replace_pod(self, project: Project, name: str) -> None:
        """Deletes a pod of a StatefulSet, and waits until another in its place is ready."""
        path = f"/api/v1/namespaces/{project.namespace}/pods/{name}"
        before = self.kube(path)["metadata"]["uid"]
        self.kube(path, "DELETE")

        def another() -> bool:
            pod = self.kube(path)
            conditions = ((pod or {}).get("status") or {}).get("conditions") or []
            ready = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
            return bool(ready and pod["metadata"]["uid"] != before)

        self.until(another, f"another {name} is ready")

    def until(self, holds: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
        """Waits until something holds."""
        end = time.monotonic() + seconds
        while not (result := holds()):
            assert not self.operator.ended, f"the operator ended: {self.operator.log}"
            assert time.monotonic() < end, f"still not so after {seconds:.0f} s: {what}"
            time.sleep(0.2)
        return result

    def until_phase(self, name: str, phase: str, seconds: float = PATIENCE) -> Project:
        """Waits for a phase. On failure it is said which component was not ready, and why."""
        end = time.monotonic() + seconds
        while (status := self.status(name)).get("phase") != phase:
            assert not self.operator.ended, f"the operator ended: {self.operator.log}"
            if time.monotonic() > end:
                raise AssertionError(f"{name} is not {phase} after {seconds:.0f} s: {_why(status)}")
            time.sleep(0.1)
        return self.project(name)

    def until_healthy(self, name: str, what: str, *, parts: bool = False) -> Project:
        """Waits until a new project is ACTIVE_HEALTHY, and notes how long it took, and its parts
        if they are wanted."""
        started = time.monotonic()
        seen: dict[str, float] = {}

        def healthy() -> bool:
            status = self.status(name)
            for component in status.get("components") or []:
                if component["phase"] == "Ready":
                    seen.setdefault(component["name"], time.monotonic() - started)
            return status.get("phase") == "ACTIVE_HEALTHY"

        end = started + PATIENCE
        while not healthy():
            assert not self.operator.ended, f"the operator ended: {self.operator.log}"
            if time.monotonic() > end:
                status = self.status(name)
                raise AssertionError(f"{name} is not healthy: {_why(status)}")
            time.sleep(0.1)
        self.times[f"{what}: ACTIVE_HEALTHY"] = time.monotonic() - started
        for component, seconds in sorted(seen.items(), key=lambda item: item[1]) if parts else ():
            self.times[f"{what}: {component} ready ({kind(component)})"] = seconds
        return self.project(name)

    def delete(self, name: str) -> None:
        """Deletes a SupabaseProject without waiting."""
        self.kube(self._path(name), "DELETE")

    def remove(self, name: str) -> None:
        """Deletes a SupabaseProject and waits until it is gone."""
        self.delete(name)
        self.until(lambda: self.custom_resource(name) is None, f"{name} is gone")

    def answers(self, port: int, path: str) -> bool:
        """Whether a program of ours says that it is ready."""
        try:
            return self.request(("127.0.0.1", port), "GET", path, timeout=3).status == 200
        except OSError:
            return False

    # --- the management API

    @property
    def organization(self) -> str:
        """Slug of the organization that `sign_in` made."""
        return self._organization

    def rest(self, method: str, path: str, body: Any = None) -> Reply:
        """A call to the management API as the person that `sign_in` made."""
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        return self.request(("127.0.0.1", API_PORT), method, path, headers=headers, body=body)

    def sign_in(self) -> None:
        """A person with an organization."""
        person = {"email": "live@example.test", "password": "a-Long-Pass-Word-1"}
        _good(self.rest("POST", "/platform/signup", person))
        session = _good(self.rest("POST", "/auth/token?grant_type=password", person))
        self._token = session["access_token"]
        wish = {"name": "Live", "tier": "tier_free"}
        made = _good(self.rest("POST", "/platform/organizations", wish))
        self._organization = made["slug"]

    def order(self, name: str) -> str:
        """Makes a project over REST; its ref."""
        wish = {
            "name": name,
            "organization_slug": self._organization,
            "db_pass": "a-Long-Pass-Word-2",
            "db_region": "local",
            "desired_instance_size": "dev",
        }
        return str(_good(self.rest("POST", "/platform/projects", wish))["ref"])

    def query(self, ref: str, sql: str) -> Reply:
        """SQL as Studio sends it."""
        return self.rest("POST", f"/platform/pg-meta/{quote(ref)}/query", {"query": sql})

    # --- a project's gateway

    def gateway(self, project: Project) -> tuple[str, int]:
        """Where its gateway listens."""
        return self.address(project.namespace, "gateway", 8000)

    def ask(
        self,
        project: Project,
        path: str,
        key: str | None = None,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> Reply:
        """A request to the gateway with a key, as the official clients send it."""
        shown = {"apikey": key, "Authorization": f"Bearer {key}"} if key else {}
        return self.request(
            self.gateway(project), method, path, headers={**shown, **(headers or {})}, body=body
        )


def _good(reply: Reply) -> Any:
    assert reply.status < 300, (reply.status, reply.body[:500])
    return reply.json if reply.body else {}


def _why(status: Mapping[str, Any]) -> str:
    parts = [
        f"{c['name']}: {c.get('reason')} {c.get('message')}"
        for c in status.get("components") or []
        if c.get("phase") != "Ready" and c.get("ready") != c.get("desired")
    ]
    return f"phase {status.get('phase')}; " + ("; ".join(parts) or str(status.get("conditions")))


def full_reference(image: str) -> str:
    """As a container engine keeps it: `supabase/gotrue:v2` is of docker.io."""
    first, slash, _ = image.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return image
    return f"docker.io/{image}" if slash else f"docker.io/library/{image}"

"""The API on a real API server and in processes of its own, as it runs in production."""

import asyncio
import base64
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from supaplane_api import settings as settings_module
from supaplane_api.assembly import assemble
from supaplane_api.metrics import Metrics
from supaplane_api.projects import sweeper
from supaplane_api.services import Outside
from supaplane_contract import KEYS, names
from supaplane_kube import KubeClient, login

pytestmark = pytest.mark.cluster
PASSWORD = "plum kettle orbit 47"
DEADLINE = 120.0
_numbers = itertools.count()


def until(condition, what="it"):
    end = time.monotonic() + DEADLINE
    while True:
        try:
            found = condition()
        except httpx.TransportError:
            found = None
        if found:
            return found
        assert time.monotonic() < end, f"{what} did not happen"
        time.sleep(0.05)


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@dataclass
class Platform:
    """A database, a home namespace, and processes of the API on both."""

    cluster: object
    namespace: str
    environ: dict
    log: Path
    processes: list
    clients: list

    def start(self):
        """A replica; the answer is the process and a client of it."""
        port = free_port()
        with self.log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "supaplane_api"],
                env=self.environ | {"PORT": str(port)},
                stderr=output,
            )
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)
        self.processes.append(process)
        self.clients.append(client)
        return process, client

    def ready(self, client):
        until(lambda: client.get("/readyz").status_code == 200, "readiness")
        return client

    def kubectl(self, *arguments, **more):
        return self.cluster.kubectl("-n", self.namespace, *arguments, **more).stdout

    def resources(self, kind="supabaseprojects"):
        return json.loads(self.kubectl("get", kind, "-o", "json", "--show-managed-fields"))["items"]

    def apply(self, name, **spec):
        manifest = {
            "apiVersion": names.API_VERSION,
            "kind": names.KIND,
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": spec,
        }
        self.cluster.kubectl("apply", "-f", "-", input=json.dumps(manifest))


@pytest.fixture
def platform(devcluster, empty_database_url, tmp_path):
    namespace = f"api-{os.getpid()}-{next(_numbers)}"
    devcluster.kubectl("create", "namespace", namespace)
    environ = {
        "PATH": os.environ["PATH"],
        "SUPAPLANE_ENVIRONMENT": "development",
        "SUPAPLANE_HOME": str(tmp_path / "home"),
        "SUPAPLANE_HOME_NAMESPACES": namespace,
        "KUBECONFIG": str(devcluster.kubeconfig),
        "DATABASE_URL": empty_database_url,
        "JWT_SECRET": "6f1d2c3b4a5968778695a4b3c2d1e0f06f1d2c3b",
        "ENCRYPTION_SECRET": "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c",
        "DOMAIN_BASE": "projects.example.org",
    }
    made = Platform(devcluster, namespace, environ, tmp_path / "api.log", [], [])
    yield made
    for client in made.clients:
        client.close()
    for process in made.processes:
        if process.poll() is None:
            process.kill()
        process.wait(timeout=30)


def sign_in(client, email="ada@example.org"):
    account = {"email": email, "password": PASSWORD}
    client.post("/platform/signup", json=account)
    answer = client.post("/auth/token?grant_type=password", json=account).raise_for_status()
    client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"


def organization(client):
    return client.post("/platform/organizations", json={"name": "Acme"}).raise_for_status().json()


def create(client, slug, **more):
    body = {"name": "Shop", "organization_slug": slug, "db_pass": "violet-harbor-92-saddle"}
    return client.post("/platform/projects", json=body | more)


def test_replicas_that_start_together_share_one_platform(platform):
    started = [platform.start() for _ in range(2)]
    one, other = (platform.ready(client) for _, client in started)
    sign_in(one)
    other.headers["Authorization"] = one.headers["Authorization"]
    slug = organization(one)["slug"]
    made = create(one, slug).raise_for_status().json()
    assert other.get(f"/projects/{made['ref']}/status").json() == {"status": "COMING_UP"}
    until(lambda: len(other.get("/projects").json()) == 1, "the project in the other replica")
    other.post("/auth/logout").raise_for_status()
    assert one.get("/profile").status_code == 401
    for process, _ in started:
        process.terminate()
    assert [process.wait(timeout=30) for process, _ in started] == [0, 0]
    lines = [json.loads(line) for line in platform.log.read_text().splitlines()]
    assert [line for line in lines if line["level"] in ("ERROR", "CRITICAL")] == []
    assert "violet-harbor" not in platform.log.read_text()


def test_a_project_is_a_resource_that_the_api_server_accepts(platform):
    _, client = platform.start()
    platform.ready(client)
    sign_in(client)
    slug = organization(client)["slug"]
    made = create(
        client,
        slug,
        name="Žluťoučký 株式会社",
        desired_instance_size="small",
        auth_site_url="https://shop.example.org",
        data_api_exposed_schemas=["public", "app"],
    )
    assert made.status_code == 201, made.text
    (live,) = platform.resources()
    assert live["metadata"]["name"] == live["spec"]["ref"] == made.json()["ref"]
    assert live["spec"]["displayName"] == "Žluťoučký 株式会社"
    assert live["spec"]["rest"]["schemas"] == ["public", "app"]
    managers = {entry["manager"] for entry in live["metadata"]["managedFields"]}
    assert managers == {names.FIELD_MANAGER_API}
    (secret,) = platform.resources("secrets")
    values = {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}
    assert values.keys() == set(KEYS)
    assert values["anon-key"] == made.json()["anon_key"]
    assert "ownerReferences" not in secret["metadata"]


def test_what_the_api_server_refuses_is_a_clear_400_and_nothing_is_left(platform):
    """The contract knows the rule too, but the last word is the server's."""
    _, client = platform.start()
    platform.ready(client)
    sign_in(client)
    slug = organization(client)["slug"]
    answer = create(client, slug, auth_site_url="nowhere")
    assert answer.status_code == 400
    assert platform.resources() == platform.resources("secrets") == []
    assert client.get("/projects").json() == []


def test_without_a_home_namespace_the_cure_is_named(platform):
    platform.environ["SUPAPLANE_HOME_NAMESPACES"] = "nowhere"
    _, client = platform.start()
    platform.ready(client)
    sign_in(client)
    answer = create(client, organization(client)["slug"])
    assert answer.status_code == 503
    assert "nowhere" in answer.json()["message"]
    assert client.get("/projects").json() == []


def test_projects_made_and_deleted_by_kubectl_come_and_go(platform):
    _, client = platform.start()
    platform.ready(client)
    sign_in(client)
    slug = organization(client)["slug"]
    platform.apply("byhand", ref="h" * 20, organization=slug, displayName="By hand")
    platform.apply("foreign", ref="f" * 20, organization="nobody")
    listed = until(lambda: client.get("/projects").json(), "the project in the list")
    assert [(p["ref"], p["name"]) for p in listed] == [("h" * 20, "By hand")]
    status = f"/projects/{'h' * 20}/status"
    platform.kubectl(
        "patch",
        "supabaseproject",
        "byhand",
        "--subresource=status",
        "--type=merge",
        "-p",
        json.dumps({"status": {"phase": "ACTIVE_HEALTHY"}}),
    )
    until(lambda: client.get(status).json() == {"status": "ACTIVE_HEALTHY"}, "the new status")
    answer = client.patch(f"/projects/{'h' * 20}", json={"name": "Mine"})
    assert answer.status_code == 409
    assert "kubectl" in answer.json()["message"]
    platform.kubectl("delete", "supabaseproject", "byhand")
    until(lambda: client.get("/projects").json() == [], "the empty list")
    assert client.get(status).status_code == 404


def test_a_project_of_ours_can_be_renamed(platform):
    _, client = platform.start()
    platform.ready(client)
    sign_in(client)
    ref = create(client, organization(client)["slug"]).raise_for_status().json()["ref"]
    answer = client.put(f"/platform/project/{ref}/settings", json={"name": "Store"})
    assert answer.status_code == 200, answer.text
    assert platform.resources()[0]["spec"]["displayName"] == "Store"
    until(lambda: client.get("/projects").json()[0]["name"] == "Store", "the new name")


def test_while_the_api_server_is_away_what_is_known_is_still_told(platform, devcluster):
    _, client = platform.start()
    platform.ready(client)
    sign_in(client)
    slug = organization(client)["slug"]
    ref = create(client, slug).raise_for_status().json()["ref"]
    until(lambda: client.get("/projects").json(), "the project in the list")
    devcluster.kill("kube-apiserver")
    try:
        assert client.get(f"/projects/{ref}/status").json() == {"status": "COMING_UP"}
        answer = create(client, slug)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"]
    finally:
        devcluster.start("kube-apiserver")
    platform.apply("later", ref="e" * 20, organization=slug)
    until(lambda: client.get(f"/projects/{'e' * 20}/status").status_code == 200, "the later one")


@asynccontextmanager
async def services_of(platform, *, later=timedelta()):
    """The services of a replica whose clock is ahead."""
    settings = settings_module.load(platform.environ)
    async with KubeClient(await login.find(kubeconfig=settings.kubeconfig)) as kube:
        services = assemble(
            settings,
            database_url=settings.database_url.get_secret_value(),
            kube=kube,
            metrics=Metrics(),
            stirred=asyncio.Event(),
        )
        services = replace(services, outside=Outside(now=lambda: datetime.now(UTC) + later))
        await services.database.open()
        watching = asyncio.create_task(services.snapshot.run())
        try:
            await asyncio.wait_for(services.snapshot.wait_synced(), DEADLINE)
            yield services
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            await services.database.close()
            services.passwords.close()


@pytest.mark.parametrize(
    ("step", "state"),
    [("reserved", None), ("secret-made", "live"), ("resource-made", "live")],
)
async def test_killed_between_two_steps_the_sweeper_finishes_or_undoes(platform, step, state):
    process, client = platform.start()
    await asyncio.to_thread(platform.ready, client)
    sign_in(client)
    mine, account = organization(client), client.get("/profile").json()["id"]
    process.terminate()  # so that only the sweep below sweeps
    process.wait(timeout=30)
    program = Path(__file__).parent / "die_while_creating.py"
    arguments = [step, str(account), str(mine["id"]), mine["slug"], "Lost"]
    killed = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, str(program), *arguments],
        env=platform.environ,
        timeout=60,
        check=False,
        capture_output=True,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    before = platform.resources("secrets")
    assert len(before) == (0 if step == "reserved" else 1)
    assert len(platform.resources()) == (1 if step == "resource-made" else 0)
    async with services_of(platform, later=timedelta(seconds=90)) as services:
        await sweeper.sweep(services)
        async with services.database.connection() as connection:
            rows = await (await connection.execute("SELECT state, cr_uid FROM project")).fetchall()
    made = platform.resources()
    assert platform.resources("secrets") == before
    assert rows == ([] if state is None else [(state, made[0]["metadata"]["uid"])])
    assert len(made) == len(rows)
    if made:
        assert made[0]["spec"]["displayName"] == "Lost"
        assert made[0]["spec"]["organization"] == mine["slug"]


def test_killed_replicas_lose_no_project_that_was_answered(platform):
    """kill -9 in the middle of many requests; what was answered 201 is there, and has its keys."""
    process, client = platform.start()
    platform.ready(client)
    sign_in(client)
    slug = organization(client)["slug"]
    answered = []
    for number in range(12):
        if number == 8:
            os.kill(process.pid, signal.SIGKILL)
            process.wait(timeout=30)
        try:
            answer = create(client, slug, name=f"Shop {number}")
        except httpx.TransportError:
            continue
        if answer.status_code == 201:
            answered.append(answer.json())
    assert len(answered) == 8
    _, again = platform.start()
    platform.ready(again)
    again.headers["Authorization"] = client.headers["Authorization"]
    listed = {project["ref"] for project in again.get("/projects").json()}
    assert listed == {one["ref"] for one in answered}
    for one in answered:
        api = again.get(f"/projects/{one['ref']}/api").json()["autoApiService"]
        assert api["defaultApiKey"] == one["anon_key"]

"""Objects, functions, the pooler, files: each part does its work on real pods."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from supaplane_devcluster import build
from supaplane_devcluster.images import sources

from .images.recipes import RCLONE
from .platform import HOME, Platform
from .things import Project

HELLO = """
Deno.serve(async (request) => {
  const { name } = await request.json();
  const variables = Object.keys(Deno.env.toObject()).sort();
  return Response.json({ hello: name, keys: Deno.env.get("SUPABASE_JWKS"), variables });
});
"""


@pytest.mark.parametrize("engine", ["minio", "versitygw"])
def test_objects_go_in_and_out_of_the_bucket_that_the_job_made(
    platform: Platform,
    apply: Callable[..., str],
    small: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    engine: str,
) -> None:
    spec = {
        **small,
        "storage": {"enabled": True, "backend": "objectstore"},
        "objectstore": {"enabled": True, "engine": engine},
    }
    project = platform.until_healthy(apply(f"objects-{engine}", spec), f"with {engine}")
    (job,) = platform.items(project.namespace, "jobs", "apis/batch/v1")
    assert job["status"]["succeeded"] == 1

    host, port = platform.address(project.namespace, "objectstore", 9000)
    for name, value in {
        "TYPE": "s3",
        "PROVIDER": "Other",
        "REGION": "us-east-1",
        "FORCE_PATH_STYLE": "true",
        "ENDPOINT": f"http://{host}:{port}",
        "ACCESS_KEY_ID": project.keys["objectstore-root-user"],
        "SECRET_ACCESS_KEY": project.keys["objectstore-root-password"],
    }.items():
        monkeypatch.setenv(f"RCLONE_CONFIG_STORE_{name}", value)
    place = sources.fetch(RCLONE.sources["program"], build.cache_folder(), print)

    def rclone(*words: str, given: str | None = None) -> str:
        argv = [str(place.folder / "program"), "--config=", "--retries=1", *words]
        answer = platform.cluster.run(argv, given)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    assert rclone("lsf", "store:").split() == ["storage/"]
    rclone("rcat", "store:storage/a/b.txt", given="an object")
    assert rclone("cat", "store:storage/a/b.txt") == "an object"

    started = time.monotonic()
    platform.replace_pod(project, "objectstore-0")
    platform.times[f"a deleted {engine} pod serves again"] = time.monotonic() - started
    assert rclone("cat", "store:storage/a/b.txt") == "an object", "it is on the volume"
    monkeypatch.setenv("RCLONE_CONFIG_STORE_SECRET_ACCESS_KEY", "wrong-wrong-wrong")
    with pytest.raises(AssertionError):
        rclone("cat", "store:storage/a/b.txt")


@pytest.fixture
def hello(platform: Platform) -> str:
    """The Secret with the code of a function."""
    data = {"index.ts": base64.b64encode(HELLO.encode()).decode()}
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "hello"}, "data": data}
    if platform.kube(f"/api/v1/namespaces/{HOME}/secrets/hello") is None:
        platform.kube(f"/api/v1/namespaces/{HOME}/secrets", "POST", body)
    return "hello"


def test_a_function_is_called_by_whoever_has_a_key_and_keeps_no_key_that_signs(
    platform: Platform, apply: Callable[..., str], small: dict[str, Any], hello: str
) -> None:
    sources = [
        {"name": "hello", "secret": hello},
        {"name": "open", "secret": hello, "verifyJwt": False},
    ]
    functions = {"functions": {"enabled": True, "sources": sources}}
    project = platform.until_phase(apply("called", {**small, **functions}), "ACTIVE_HEALTHY")

    def call(name: str, key: str | None) -> Any:
        body = {"name": "World"}
        return platform.ask(project, f"/functions/v1/{name}", key, method="POST", body=body)

    for key in ("anon-key", "publishable-key", "secret-key"):
        reply = call("hello", project.keys[key])
        assert (reply.status, reply.json["hello"]) == (200, "World"), key
    assert call("hello", None).status == 401
    assert call("open", None).status == 200
    assert call("nowhere", project.anon).status == 404

    said = call("hello", project.anon).json
    assert {"SUPABASE_URL", "SUPABASE_ANON_KEY", "SUPABASE_DB_URL"} <= set(said["variables"])
    assert not {"SUPAPLANE_JWKS", "JWT_SECRET"} & set(said["variables"])
    assert '"k"' not in said["keys"]


@pytest.mark.parametrize("port", [5432, 6543], ids=["session", "transaction"])
def test_the_pooler_leads_to_the_database_under_the_projects_ref(
    platform: Platform, shop: Project, port: int
) -> None:
    host, _ = platform.address(shop.namespace, "pooler", port)
    user, where = f"postgres.{shop.ref}", {"host": host, "port": port}
    with platform.database(shop, user, **where) as database:
        assert database.execute("select current_user").fetchone() == ("postgres",)
    for wrong, password in (("postgres.nobody", {}), (user, {"password": "wrong"})):
        with (
            pytest.raises(psycopg.OperationalError),
            platform.database(shop, wrong, **where, **password),
        ):
            pass


def test_a_file_that_storage_writes_can_be_read_by_imgproxy_and_not_written(
    platform: Platform, apply: Callable[..., str], small: dict[str, Any]
) -> None:
    files = {"storage": {"enabled": True, "backend": "file"}, "imgproxy": {"enabled": True}}
    shop = platform.until_phase(apply("filed", {**small, **files}), "ACTIVE_HEALTHY")

    def run(component: str, command: str) -> Any:
        argv = ("-n", shop.namespace, "exec", f"deploy/{component}", "--", "sh", "-c", command)
        return platform.cluster.kubectl(*argv, check=False)

    folder = "/var/lib/storage"
    assert run("storage", f"echo picture > {folder}/picture").returncode == 0
    assert run("imgproxy", f"cat {folder}/picture").stdout == "picture\n"
    assert run("imgproxy", f"echo other > {folder}/picture").returncode != 0


def test_the_log_server_keeps_its_tables_apart_from_those_of_the_project(
    platform: Platform, apply: Callable[..., str], small: dict[str, Any]
) -> None:
    project = platform.until_phase(
        apply("logged", {**small, "analytics": {"enabled": True}}), "ACTIVE_HEALTHY"
    )
    sql = "select count(*) from pg_tables where schemaname = '_analytics'"
    counts = []
    for database in ("_supabase", "postgres"):
        with platform.database(project, "supabase_admin", dbname=database) as session:
            counts.append(session.execute(sql).fetchone())
    assert counts == [(1,), (0,)]

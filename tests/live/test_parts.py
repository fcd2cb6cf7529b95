"""Objects, functions, the pooler, files: each part does its work on real pods."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator
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


@pytest.fixture(scope="module")
def parts(platform: Platform, small: dict[str, Any], hello: str) -> Iterator[Project]:
    """A project with functions, files and logs, and without an object store."""
    sources = [
        {"name": "hello", "secret": hello},
        {"name": "open", "secret": hello, "verifyJwt": False},
    ]
    spec = {
        **small,
        "functions": {"enabled": True, "sources": sources},
        "storage": {"enabled": True, "backend": "file"},
        "imgproxy": {"enabled": True},
        "analytics": {"enabled": True},
    }
    yield platform.until_phase(platform.apply("parts", spec), "ACTIVE_HEALTHY")
    platform.delete("parts")


@pytest.fixture(params=["minio", "versitygw"])
def stored(
    request: pytest.FixtureRequest,
    platform: Platform,
    apply: Callable[..., str],
    small: dict[str, Any],
) -> Project:
    """A project with an object store of each kind; releases have the first."""
    if request.param == "minio":
        shop: Project = request.getfixturevalue("shop")
        return shop
    spec = {
        **small,
        "storage": {"enabled": True, "backend": "objectstore"},
        "objectstore": {"enabled": True, "engine": request.param},
    }
    return platform.until_healthy(apply("stored", spec), f"with {request.param}")


def test_objects_go_in_and_out_of_the_bucket_that_the_job_made(
    platform: Platform, stored: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    (job,) = platform.items(stored.namespace, "jobs", "apis/batch/v1")
    assert job["status"]["succeeded"] == 1

    host, port = platform.address(stored.namespace, "objectstore", 9000)
    for name, value in {
        "TYPE": "s3",
        "PROVIDER": "Other",
        "REGION": "us-east-1",
        "FORCE_PATH_STYLE": "true",
        "ENDPOINT": f"http://{host}:{port}",
        "ACCESS_KEY_ID": stored.keys["objectstore-root-user"],
        "SECRET_ACCESS_KEY": stored.keys["objectstore-root-password"],
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
    platform.replace_pod(stored, "objectstore-0")
    platform.times["a deleted object store's pod serves again"] = time.monotonic() - started
    assert rclone("cat", "store:storage/a/b.txt") == "an object", "it is on the volume"
    monkeypatch.setenv("RCLONE_CONFIG_STORE_SECRET_ACCESS_KEY", "wrong-wrong-wrong")
    with pytest.raises(AssertionError):
        rclone("cat", "store:storage/a/b.txt")
    platform.until_phase(stored.name, "ACTIVE_HEALTHY")


@pytest.fixture(scope="module")
def hello(platform: Platform) -> str:
    """The Secret with the code of a function."""
    data = {"index.ts": base64.b64encode(HELLO.encode()).decode()}
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "hello"}, "data": data}
    if platform.kube(f"/api/v1/namespaces/{HOME}/secrets/hello") is None:
        platform.kube(f"/api/v1/namespaces/{HOME}/secrets", "POST", body)
    return "hello"


def test_a_function_is_called_by_whoever_has_a_key_and_keeps_no_key_that_signs(
    platform: Platform, parts: Project
) -> None:
    def call(name: str, key: str | None) -> Any:
        body = {"name": "World"}
        return platform.ask(parts, f"/functions/v1/{name}", key, method="POST", body=body)

    for key in ("anon-key", "publishable-key", "secret-key"):
        reply = call("hello", parts.keys[key])
        assert (reply.status, reply.json["hello"]) == (200, "World"), key
    assert call("hello", None).status == 401
    assert call("open", None).status == 200
    assert call("nowhere", parts.anon).status == 404

    said = call("hello", parts.anon).json
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


def test_clients_of_the_transaction_port_take_turns_on_connections_and_others_keep_theirs(
    platform: Platform, shop: Project
) -> None:
    user = f"postgres.{shop.ref}"

    def two_at_once(port: int) -> set[Any]:
        where = {"host": platform.address(shop.namespace, "pooler", port)[0], "port": port}
        with (
            platform.database(shop, user, **where) as a,
            platform.database(shop, user, **where) as b,
        ):
            return {x.execute("select pg_backend_pid()").fetchone() for x in (a, b, a, b)}

    assert len(two_at_once(6543)) == 1
    assert len(two_at_once(5432)) == 2


def test_a_file_that_storage_writes_can_be_read_by_imgproxy_and_not_written(
    platform: Platform, parts: Project
) -> None:
    def run(component: str, command: str) -> Any:
        argv = ("-n", parts.namespace, "exec", f"deploy/{component}", "--", "sh", "-c", command)
        return platform.cluster.kubectl(*argv, check=False)

    folder = "/var/lib/storage"
    assert run("storage", f"echo picture > {folder}/picture").returncode == 0
    assert run("imgproxy", f"cat {folder}/picture").stdout == "picture\n"
    assert run("imgproxy", f"echo other > {folder}/picture").returncode != 0


def test_the_log_server_keeps_its_tables_apart_from_those_of_the_project(
    platform: Platform, parts: Project
) -> None:
    sql = "select count(*) from pg_tables where schemaname = '_analytics'"
    counts = []
    for database in ("_supabase", "postgres"):
        with platform.database(parts, "supabase_admin", dbname=database) as session:
            counts.append(session.execute(sql).fetchone())
    assert counts == [(1,), (0,)]

"""A stand-in is as particular as the program in whose place it is, or it would prove little."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import jwt
import pytest

from supaplane_devcluster import build
from supaplane_devcluster.images import sources

from .images.recipes import STANDINS
from .installed import CHART

SECRET = "x" * 40
Answer = subprocess.CompletedProcess[str]
Run = Callable[..., Answer]


def key(role: str, secret: str = SECRET) -> str:
    return jwt.encode({"role": role, "exp": 4_000_000_000}, secret, algorithm="HS256")


STORAGE: Mapping[str, str] = {
    "ANON_KEY": key("anon"),
    "AUTH_JWT_SECRET": SECRET,
    "DATABASE_URL": "postgres://supabase_storage_admin:p@db:5432/postgres",
    "FILE_SIZE_LIMIT": "52428800",
    "GLOBAL_S3_BUCKET": "storage",
    "REGION": "us-east-1",
    "SERVICE_KEY": key("service_role"),
    "STORAGE_BACKEND": "file",
    "FILE_STORAGE_BACKEND_PATH": "/tmp",
    "TENANT_ID": "abc",
}


@pytest.fixture(scope="module")
def program() -> Path:
    """The compiled stand-in."""
    place = sources.fetch(sources.GoModule(STANDINS), build.cache_folder(), print)
    return place.folder / "program"


@pytest.fixture
def run(program: Path, tmp_path: Path) -> Run:
    """Runs it by the name of a program, with this environment and no other."""

    def run(name: str, environ: Mapping[str, str], *arguments: str) -> Answer:
        called = tmp_path / "standin"
        called.exists() or called.symlink_to(program)
        return subprocess.run(
            [str(called), name, *arguments],
            env=dict(environ),
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    return run


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"ANON_KEY": ""}, "ANON_KEY is required and not set"),
        ({"STORAGE_BACKED": "s3"}, "STORAGE_BACKED: the program knows no such setting"),
        ({"STORAGE_BACKEND": "ftp"}, "STORAGE_BACKEND: is not file or s3"),
        ({"FILE_SIZE_LIMIT": "50MB"}, "FILE_SIZE_LIMIT: is no number"),
        ({"ANON_KEY": key("service_role")}, "ANON_KEY: is no token with role anon"),
        ({"ANON_KEY": key("anon", "y" * 40)}, "ANON_KEY is signed with none of the keys"),
        ({"DATABASE_URL": "postgres://postgres:p@db:5432/postgres"}, "does not sign in as"),
        ({"IMGPROXY_SERVICE_HOST": "10.96.0.7"}, "this is a service link"),
        ({"STORAGE_BACKEND": "s3"}, "AWS_ACCESS_KEY_ID is required with the backend s3"),
        ({"FILE_STORAGE_BACKEND_PATH": "/nowhere"}, "nothing can be written to /nowhere"),
    ],
)
def test_a_setting_that_the_real_program_would_not_take_ends_it_with_a_reason(
    run: Run, change: Mapping[str, str], reason: str
) -> None:
    answer = run("storage", {**STORAGE, **change})
    assert answer.returncode == 1
    assert reason in answer.stderr


def test_a_reason_never_holds_the_value(run: Run) -> None:
    answer = run("storage", {**STORAGE, "DATABASE_URL": "postgres://x:hidden-word@db:5432/y"})
    assert answer.returncode == 1
    assert "hidden-word" not in answer.stderr + answer.stdout


def test_an_argument_that_the_program_does_not_take_ends_it(run: Run) -> None:
    answer = run("storage", STORAGE, "--verbose")
    assert (answer.returncode, "takes no arguments" in answer.stderr) == (1, True)


def test_a_key_that_signs_has_no_business_with_those_who_verify(run: Run) -> None:
    private = '{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA","d":"AA"}]}'
    answer = run("postgrest", {"PGRST_JWT_SECRET": private})
    assert "PGRST_JWT_SECRET: holds the half of a key that signs" in answer.stderr


def test_the_pooler_wants_everything_that_its_script_reads(run: Run, tmp_path: Path) -> None:
    script = tmp_path / "tenant.exs"
    script.write_text('System.fetch_env!("POOLER_TENANT_ID")')
    environ = {
        "API_JWT_SECRET": SECRET,
        "METRICS_JWT_SECRET": SECRET,
        "DATABASE_URL": "ecto://supabase_admin:p@db:5432/_supabase",
        "PORT": "4000",
        "REGION": "local",
        "SECRET_KEY_BASE": base64.b64encode(b"s" * 48).decode(),
        "VAULT_ENC_KEY": "v" * 32,
    }
    answer = run("supavisor", environ, "eval", f'Code.eval_file("{script}")')
    assert "the script wants POOLER_TENANT_ID" in answer.stderr


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"plugin": []}, 'unknown field "plugin"'),
        ({"_format_version": "2.1"}, "_format_version is not 3.0"),
        ({"routes": [{"name": "x", "paths": ["/a"]}]}, "not one path that is a regular expression"),
        ({"routes": [{"paths": ["~/a"], "plugins": [{"name": "jwt"}]}]}, "plugin jwt is not known"),
        (
            {"routes": [{"paths": ["~/a"], "plugins": [{"name": "cors", "config": {"x": 1}}]}]},
            'plugin cors: json: unknown field "x"',
        ),
        (
            {"consumers": [{"username": "a", "keyauth_credentials": [{"key": "k"}, {"key": "k"}]}]},
            "empty or declared twice",
        ),
    ],
)
def test_a_configuration_that_kong_would_not_take_ends_its_stand_in(
    run: Run, tmp_path: Path, change: Mapping[str, object], reason: str
) -> None:
    file = tmp_path / "kong.json"
    file.write_text(json.dumps({"_format_version": "3.0", "services": [], "routes": [], **change}))
    environ = {
        "KONG_ADMIN_LISTEN": "off",
        "KONG_DATABASE": "off",
        "KONG_DECLARATIVE_CONFIG": str(file),
        "KONG_PLUGINS": "acl,cors,key-auth",
        "KONG_PREFIX": str(tmp_path),
        "KONG_PROXY_LISTEN": "0.0.0.0:8000",
        "KONG_STATUS_LISTEN": "0.0.0.0:8100",
    }
    answer = run("kong", environ, "kong", "docker-start")
    assert (answer.returncode, reason in answer.stderr) == (1, True), answer.stderr


SHIPPER: Mapping[str, str] = {
    "SUPAPLANE_CLUSTER_DOMAIN": "cluster.local",
    "SUPAPLANE_LOG_KEY": "0" * 64,
    "VECTOR_SELF_NODE_NAME": "node1",
}


@pytest.mark.parametrize(
    ("text", "instead", "reason"),
    [
        ("read_from: end", "read_form: end", "field read_form not found"),
        ("read_from: end", "read_from: middle", "is not beginning or end"),
        ("type: remap", "type: lua", "is not remap"),
        ("inputs: [of_projects]", "inputs: [projects]", "inputs name what is not there"),
        ("drop_on_error: true", "drop_on_error: false", "that the script refuses would go on"),
        ("address: 127.0.0.1:", "address: 0.0.0.0:", "answers to others than its own pod"),
        ("when_full: drop_newest", "when_full: block", "holds up the others when full"),
        ("data_dir: /var/lib/vector", "data_dir: $NOWHERE", "wants NOWHERE, which is not set"),
        ("data_dir: /var/lib/vector", "data_dir: /nowhere", "nothing can be written to /nowhere"),
        ("SUPAPLANE_LOG_KEY", "LOG_KEY", "the script wants LOG_KEY, which is not set"),
    ],
)
def test_a_configuration_that_vector_would_not_take_ends_its_stand_in(
    run: Run, tmp_path: Path, text: str, instead: str, reason: str
) -> None:
    config = (CHART / "files" / "vector" / "vector.yaml").read_text()
    assert text in config
    file = tmp_path / "vector.yaml"
    file.write_text(config.replace(text, instead))
    answer = run("vector", SHIPPER, "--config", str(file))
    assert (answer.returncode, reason in answer.stderr) == (1, True), answer.stderr


@pytest.mark.parametrize(
    ("environ", "arguments", "reason"),
    [
        ({}, ("--config", "/x"), "VECTOR_SELF_NODE_NAME is required and not set"),
        (SHIPPER, ("-c", "/x"), "is started with --config FILE"),
        ({**SHIPPER, "RUST_BACKTRACE_ALL": "1"}, ("--config", "/x"), "knows no such setting"),
    ],
)
def test_vector_is_told_its_node_and_its_configuration_and_nothing_else(
    run: Run, environ: Mapping[str, str], arguments: tuple[str, ...], reason: str
) -> None:
    answer = run("vector", environ, *arguments)
    assert (answer.returncode, reason in answer.stderr) == (1, True), answer.stderr

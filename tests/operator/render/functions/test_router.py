"""Do calls reach the functions that they name, and only with a token where one is needed?

The program of ours runs as it is rendered, in Deno, with a stand-in for Edge Runtime around it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import select
import subprocess
import sysconfig
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from supaplane_contract import jose, p256
from supaplane_operator.render import RenderInput, project

MakeInput = Callable[..., RenderInput]
DENO = str(Path(sysconfig.get_path("scripts")) / "deno")
RUNTIME = Path(__file__).with_name("runtime.ts")

FUNCTIONS = (
    "hello",
    "with-map",
    "does-not-start",
    "is-silent",
    "takes-too-much",
    "is-retired-once",
    "is-always-retired",
    "breaks",
)
SPEC = {
    "functions": {
        "enabled": True,
        "sources": [
            *({"name": name, "secret": name} for name in FUNCTIONS),
            {"name": "open", "secret": "hello", "verifyJwt": False},
            {"name": "_shared", "secret": "hello"},
        ],
        "extraEnvFrom": [{"name": "settings"}],
    }
}
SECRETS = {
    **{(name, "index.ts"): f"// {name}" for name in FUNCTIONS},
    ("with-map", "import_map.json"): "{}",
    ("settings", "GREETING"): "good day",
}


def deno(*arguments: str, folder: Path, env: Mapping[str, str] | None = None) -> Any:
    clean = {"PATH": os.environ["PATH"], "DENO_NO_UPDATE_CHECK": "1", "NO_COLOR": "1"}
    return subprocess.Popen(
        [DENO, *arguments],
        env=clean | {"DENO_DIR": str(folder / "cache"), **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def rendered(make_input: MakeInput) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """The files of our program, and the variables of its container, user's Secrets included."""
    manifests = project(make_input(SPEC, secrets=SECRETS)).manifests
    there = {(m["kind"], m["metadata"]["name"]): m for m in manifests}

    def text(name: str) -> dict[str, str]:
        data = there["Secret", name]["data"]
        return {key: base64.b64decode(value).decode() for key, value in data.items()}

    container = there["Deployment", "functions"]["spec"]["template"]["spec"]["containers"][0]
    variables = text(container["envFrom"][0]["secretRef"]["name"])
    for entry in container["env"]:
        ref = entry.get("valueFrom", {}).get("secretKeyRef")
        variables[entry["name"]] = text(ref["name"])[ref["key"]] if ref else entry["value"]
    mounted = there["Deployment", "functions"]["spec"]["template"]["spec"]["volumes"][0]
    chosen = mounted["projected"]["sources"][0]["secret"]
    held = text(chosen["name"])
    return {item["key"]: held[item["key"]] for item in chosen["items"]}, variables


@pytest.fixture(scope="module")
def functions(make_input: MakeInput, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of our program, running."""
    folder = tmp_path_factory.mktemp("functions")
    files, variables = rendered(make_input)
    (folder / "main").mkdir()
    for name, content in files.items():
        (folder / "main" / name).write_text(content)
    rights = ("--allow-env", f"--allow-read={folder}", "--allow-net=127.0.0.1")
    program = deno(
        "run",
        *rights,
        str(RUNTIME),
        str(folder / "main" / "index.ts"),
        folder=folder,
        # where modules are kept is this test's affair
        env={name: value for name, value in variables.items() if name != "DENO_DIR"},
    )
    try:
        ready, _, _ = select.select([program.stdout], [], [], 60)
        line = program.stdout.readline() if ready else ""
        assert line.startswith("port "), program.communicate(timeout=60)
        yield f"http://127.0.0.1:{line.split()[1]}"
    finally:
        program.terminate()
        program.communicate(timeout=60)


@pytest.fixture(scope="module")
def call(functions: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=functions, timeout=20) as client:
        yield client


@pytest.fixture
def tokens(credentials: Mapping[str, str]) -> Mapping[str, str]:
    """What people and the gateway show, by a name for it."""
    secret, private = credentials["jwt-secret"], json.loads(credentials["jwt-keys"])[0]
    key, kid = jwt.PyJWK(private).key, private["kid"]
    now = int(time.time())
    claims = {"role": "authenticated", "exp": now + 600}
    other = p256.private_key(b"\x07" * p256.SCALAR_BYTES)

    def es256(claims: Mapping[str, Any], key: Any = key, kid: str = kid) -> str:
        return jwt.encode(dict(claims), key, "ES256", {"kid": kid})

    return {
        "anon": credentials["anon-key"],
        "service": credentials["service-role-key"],
        "new anon": credentials["anon-key-asymmetric"],
        "session": es256(claims),
        "old session": jose.sign_hs256(claims, secret),
        "without an end": es256({"role": "anon"}),
        "expired": es256(claims | {"exp": now - 5}),
        "expired, old": jose.sign_hs256(claims | {"exp": now - 5}, secret),
        "not yet": es256(claims | {"nbf": now + 600}),
        "end in words": es256(claims | {"exp": "tomorrow"}),
        "another key": es256(claims, other),
        "unknown key": es256(claims, kid="nobody"),
        "another secret": jose.sign_hs256(claims, secret + "x"),
        # the public half, which everybody can fetch, taken for a secret
        "public as secret": jose.sign_hs256(claims, json.dumps(jose.public_jwk(private))),
        "unsigned": f"{jose.signing_input({'alg': 'none'}, claims)}.",
        "critical": _signed({"alg": "HS256", "crit": ["b64"]}, claims, secret),
        "other algorithm": _signed({"alg": "HS512"}, claims, secret),
        "claims of another": _with_claims_of(credentials),
        "no token": "abc",
        "four parts": f"{credentials['anon-key']}.x",
    }


def _signed(header: Mapping[str, Any], claims: Mapping[str, Any], secret: str) -> str:
    """Signed by HS256 whatever the header says."""
    text = jose.signing_input(header, claims)
    mac = hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()
    return f"{text}.{jose.b64url(mac)}"


def _with_claims_of(credentials: Mapping[str, str]) -> str:
    """The claims of the service key under the signature of the anonymous one."""
    header, _, signature = credentials["anon-key"].split(".")
    return f"{header}.{credentials['service-role-key'].split('.')[1]}.{signature}"


VALID = ("anon", "service", "new anon", "session", "old session", "without an end")
INVALID = (
    "expired",
    "expired, old",
    "not yet",
    "end in words",
    "another key",
    "unknown key",
    "another secret",
    "public as secret",
    "unsigned",
    "critical",
    "other algorithm",
    "claims of another",
    "no token",
    "four parts",
)


@pytest.mark.parametrize("name", VALID)
def test_a_token_of_the_project_opens_a_function(
    call: httpx.Client, tokens: Mapping[str, str], name: str
) -> None:
    answer = call.get("/hello", headers={"Authorization": f"Bearer {tokens[name]}"})
    assert (answer.status_code, answer.headers["x-from"]) == (200, "function")


@pytest.mark.parametrize("name", INVALID)
def test_no_other_token_does(call: httpx.Client, tokens: Mapping[str, str], name: str) -> None:
    for headers in (
        {"Authorization": f"Bearer {tokens[name]}"},
        {"sb-api-key": tokens[name]},
    ):
        answer = call.get("/hello", headers=headers)
        assert answer.status_code == 401
        assert answer.json() == {"code": "UNAUTHORIZED", "message": "Invalid JWT"}


def test_without_a_token_it_says_so(call: httpx.Client) -> None:
    for headers in ({}, {"Authorization": "Bearer"}, {"Authorization": "Bearer sb_secret_x"}):
        answer = call.get("/hello", headers=headers)
        assert (answer.status_code, answer.json()["message"]) == (
            401,
            "Missing authorization header",
        )
    answer = call.get("/hello", headers={"Authorization": "Basic YTpi"})
    assert (answer.status_code, "Bearer" in answer.json()["message"]) == (401, True)


def test_what_the_gateway_says_of_a_new_key_counts_and_is_not_passed_on(
    call: httpx.Client, tokens: Mapping[str, str]
) -> None:
    for shown in ({}, {"Authorization": "Bearer sb_publishable_x", "apikey": "sb_publishable_x"}):
        headers = {"sb-api-key": tokens["new anon"], **shown}
        answer = call.post("/hello/deep?a=1", headers=headers, content=b"body").json()
        assert "sb-api-key" not in answer["headers"]
        assert {k.lower(): v for k, v in shown.items()}.items() <= answer["headers"].items()
        asked = (answer["method"], answer["path"], answer["body"], answer["tagged"])
        assert asked == ("POST", "/hello/deep", "body", True)


def test_a_sessions_token_is_checked_even_beside_a_good_key(
    call: httpx.Client, tokens: Mapping[str, str]
) -> None:
    headers = {"Authorization": f"Bearer {tokens['expired']}", "sb-api-key": tokens["new anon"]}
    assert call.get("/hello", headers=headers).status_code == 401


def test_browsers_may_ask_first_and_the_function_answers_them(call: httpx.Client) -> None:
    assert call.options("/hello").headers["x-from"] == "function"


def test_a_function_that_is_open_asks_for_nothing(call: httpx.Client) -> None:
    answer = call.get("/open", headers={"Authorization": "Basic YTpi"})
    assert answer.json()["headers"]["authorization"] == "Basic YTpi"


@pytest.mark.parametrize(
    "path", ["/", "/absent", "/_shared", "/main", "/constructor", "/__proto__", "/..%2fmain", "//"]
)
def test_what_is_no_function_is_a_404(
    call: httpx.Client, tokens: Mapping[str, str], path: str
) -> None:
    answer = call.get(path, headers={"Authorization": f"Bearer {tokens['service']}"})
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


def test_health_needs_no_token(call: httpx.Client) -> None:
    assert call.get("/_internal/health").json() == {"message": "ok"}


def test_each_function_is_a_worker_with_limits_of_its_own(call: httpx.Client) -> None:
    options = call.get("/open").json()["options"]
    assert options["servicePath"].endswith("/open")
    assert (options["memoryLimitMb"], options["workerTimeoutMs"]) == (150, 400_000)
    assert options["importMapPath"] is None


def test_an_import_map_beside_the_code_counts(
    call: httpx.Client, tokens: Mapping[str, str]
) -> None:
    headers = {"Authorization": f"Bearer {tokens['anon']}"}
    options = call.get("/with-map", headers=headers).json()["options"]
    assert options["importMapPath"] == f"{options['servicePath']}/import_map.json"


def test_functions_find_what_supabase_promises_and_can_sign_no_token(
    call: httpx.Client, credentials: Mapping[str, str]
) -> None:
    found = call.get("/open").json()["options"]["envVars"]
    own = {name: value for name, value in found.items() if name.startswith("SUPA")}
    jwks = json.loads(own.pop("SUPABASE_JWKS"))["keys"]
    assert [jwk["kty"] for jwk in jwks] == ["EC"]
    assert "d" not in jwks[0]
    host = "supabase-abcdefghijklmnopqrst.svc.cluster.local"
    password = credentials["password-postgres"]
    assert own == {
        "SUPABASE_ANON_KEY": credentials["anon-key"],
        "SUPABASE_DB_URL": f"postgresql://postgres:{password}@db.{host}:5432/postgres",
        "SUPABASE_PUBLIC_URL": "https://abcdefghijklmnopqrst.example.com",
        "SUPABASE_PUBLISHABLE_KEYS": json.dumps({"default": credentials["publishable-key"]}),
        "SUPABASE_SECRET_KEYS": json.dumps({"default": credentials["secret-key"]}),
        "SUPABASE_SERVICE_ROLE_KEY": credentials["service-role-key"],
        "SUPABASE_URL": f"http://gateway.{host}:8000",
    }
    assert found["GREETING"] == "good day"
    everything = json.dumps(found)
    assert credentials["jwt-secret"] not in everything
    assert jose.b64url(credentials["jwt-secret"].encode()) not in everything


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("does-not-start", 503, "BOOT_ERROR"),
        ("is-silent", 504, "IDLE_TIMEOUT"),
        ("takes-too-much", 546, "WORKER_LIMIT"),
        ("breaks", 500, "WORKER_ERROR"),
        ("is-always-retired", 500, "WORKER_ERROR"),
    ],
)
def test_a_function_that_cannot_answer_is_told_from_the_others_by_its_code(
    call: httpx.Client, tokens: Mapping[str, str], name: str, status: int, code: str
) -> None:
    answer = call.get(f"/{name}", headers={"Authorization": f"Bearer {tokens['anon']}"})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert "words of the runtime's own" not in answer.text


def test_a_request_to_a_worker_whose_time_is_over_goes_to_the_next(
    call: httpx.Client, tokens: Mapping[str, str]
) -> None:
    headers = {"Authorization": f"Bearer {tokens['anon']}"}
    answer = call.post("/is-retired-once", headers=headers, content=b"kept")
    assert (answer.status_code, answer.json()["body"]) == (200, "kept")


def test_the_program_has_no_mistake_in_its_types(make_input: MakeInput, tmp_path: Path) -> None:
    for name, content in rendered(make_input)[0].items():
        (tmp_path / name).write_text(content)
    for command in (["check", "--quiet"], ["lint", "--quiet"]):
        program = deno(*command, str(tmp_path / "index.ts"), folder=tmp_path)
        output = program.communicate(timeout=120)
        assert program.returncode == 0, output

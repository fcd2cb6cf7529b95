"""What the renderer's tests share: a project with fixed credentials, and inputs to vary."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import importlib.util
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
import pytest
import yaml
from hypothesis import strategies as st

from supaplane_contract.credentials import mint
from supaplane_contract.spec import ComponentName, IngressKind, IssuerRef, ProjectSpec
from supaplane_operator.releases import load_releases, newest
from supaplane_operator.render import Platform, Rendered, RenderInput

REF = "abcdefghijklmnopqrst"
MakeInput = Callable[..., RenderInput]


def _counted_bytes() -> Callable[[int], bytes]:
    count = 0

    def random_bytes(length: int) -> bytes:
        nonlocal count
        count += 1
        return hashlib.shake_256(f"render tests {count}".encode()).digest(length)

    return random_bytes


@pytest.fixture(scope="session")
def credentials() -> Mapping[str, str]:
    """Every credential of a project, the same in every run."""
    return mint({}, random_bytes=_counted_bytes(), now=datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture(scope="session")
def keys(credentials: Mapping[str, str]) -> Mapping[str, str]:
    """Everything that somebody may show as a key, by what it is."""
    return {
        "anon": credentials["anon-key"],
        "publishable": credentials["publishable-key"],
        "service": credentials["service-role-key"],
        "secret": credentials["secret-key"],
        "wrong": "sb_publishable_aaaaaaaaaaaaaaaaaaaaaa_aaaaaaaa",
        "internal": credentials["service-role-key-asymmetric"],
    }


@pytest.fixture(scope="session")
def role_of(credentials: Mapping[str, str]) -> Callable[[str], str]:
    """role_of(token): whom a token that reached a service stands for. The project must have
    signed it."""
    ring = {key["alg"]: key for key in json.loads(credentials["jwt-jwks"])["keys"]}

    def read(token: str) -> str:
        algorithm = jwt.get_unverified_header(token)["alg"]
        key = jwt.PyJWK(ring[algorithm]).key
        claims = jwt.decode(token, key, algorithms=[algorithm], options={"verify_exp": False})
        return str(claims["role"])

    return read


@pytest.fixture(scope="session")
def platform() -> Platform:
    return Platform(domain_base="example.com")


@pytest.fixture(scope="session")
def make_input(credentials: Mapping[str, str], platform: Platform) -> MakeInput:
    """make_input(spec as a dict in camelCase, **fields of RenderInput that differ)."""

    def make(spec: Mapping[str, Any] | ProjectSpec | None = None, **fields: Any) -> RenderInput:
        parsed = spec if isinstance(spec, ProjectSpec) else ProjectSpec.model_validate(spec or {})
        values: dict[str, Any] = {
            "name": "shop",
            "namespace": "supaplane-projects",
            "ref": REF,
            "spec": parsed,
            "release": newest(load_releases()),
            "credentials": credentials,
            "platform": platform,
        }
        return RenderInput(**(values | fields))

    return make


@dataclass(frozen=True)
class Sample:
    """An input that a golden file belongs to."""

    name: str
    input: RenderInput
    user_secrets: tuple[str, ...]
    """Values out of the user's own Secrets."""


SAMPLES = Path(__file__).with_name("samples.yaml")


@pytest.fixture(scope="session")
def samples(make_input: MakeInput, platform: Platform) -> Mapping[str, Sample]:
    """Every sample of samples.yaml by name."""
    loaded = yaml.safe_load(SAMPLES.read_text())
    return {name: _sample(name, data, make_input, platform) for name, data in loaded.items()}


def _sample(
    name: str, data: Mapping[str, Any], make_input: MakeInput, platform: Platform
) -> Sample:
    secrets = {(s, k): v for s, keys in data.get("secrets", {}).items() for k, v in keys.items()}
    releases = load_releases()
    input_ = make_input(
        data["spec"],
        release=releases[data["spec"].get("release", newest(releases).name)],
        platform=_platform(platform, data.get("platform", {})),
        secrets=secrets,
        restarts={ComponentName(k): v for k, v in data.get("restarts", {}).items()},
    )
    return Sample(name, input_, tuple(secrets.values()))


def _platform(platform: Platform, changes: Mapping[str, Any]) -> Platform:
    values = {k: tuple(v) if isinstance(v, list) else v for k, v in changes.items()}
    if "ingress_kind" in values:
        values["ingress_kind"] = IngressKind(values["ingress_kind"])
    if "tls_issuer" in values:
        values["tls_issuer"] = IssuerRef.model_validate(values["tls_issuer"])
    return dataclasses.replace(platform, **values)


@pytest.fixture(params=list(yaml.safe_load(SAMPLES.read_text())))
def sample(request: pytest.FixtureRequest, samples: Mapping[str, Sample]) -> Sample:
    """Each sample in turn."""
    return samples[request.param]


Environment = Callable[[Rendered, str], dict[str, str]]


@pytest.fixture(scope="session")
def environment_of() -> Environment:
    """environment_of(rendered, component): what its main container gets, Secrets read."""

    def environment(rendered: Rendered, component: str) -> dict[str, str]:
        there = {(m["kind"], m["metadata"]["name"]): m for m in rendered.manifests}
        workload = there.get(("Deployment", component)) or there["StatefulSet", component]
        found = {}
        for entry in workload["spec"]["template"]["spec"]["containers"][0].get("env", []):
            if "valueFrom" in entry:
                ref = entry["valueFrom"]["secretKeyRef"]
                hidden = there["Secret", ref["name"]]["data"][ref["key"]]
                found[entry["name"]] = base64.b64decode(hidden).decode()
            else:
                found[entry["name"]] = entry.get("value", "").replace("$$", "$")
        return found

    return environment


@pytest.fixture(scope="session")
def specs(root: Path) -> st.SearchStrategy[ProjectSpec]:
    """Specs drawn at random: the contract's own strategy, which lies with the contract's tests."""
    file = root / "tests" / "contract" / "conftest.py"
    found = importlib.util.spec_from_file_location("contract_strategies", file)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    strategy: st.SearchStrategy[ProjectSpec] = module._model(ProjectSpec, most=6)
    return strategy

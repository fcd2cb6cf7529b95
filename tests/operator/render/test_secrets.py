"""Is every credential where it is needed, and nowhere else?"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

import pytest

from supaplane_contract import names
from supaplane_contract.credentials import KEYS
from supaplane_contract.rotation import PENDING_KEYS
from supaplane_contract.status import Reason
from supaplane_operator.render import (
    NotRenderable,
    Rendered,
    RenderInput,
    project,
)
from supaplane_operator.render.components import PARTS
from supaplane_operator.render.part import Part

MakeInput = Callable[..., RenderInput]


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


def named(rendered: Rendered, kind: str, name: str) -> dict[str, Any]:
    return next(m for m in of_kind(rendered, kind) if m["metadata"]["name"] == name)


def secret_text(manifest: Mapping[str, Any]) -> dict[str, str]:
    return {k: base64.b64decode(v).decode() for k, v in manifest["data"].items()}


def test_no_secret_value_stands_outside_a_secret(sample: Any) -> None:
    rendered = project(sample.input)
    hidden = [v for v in sample.input.credentials.values() if len(v) >= 16]
    hidden += sample.user_secrets
    hidden += [quote(value, safe="") for value in hidden]
    for manifest in rendered.manifests:
        if manifest["kind"] == "Secret":
            continue
        text = json.dumps(manifest)
        assert [value for value in hidden if value in text] == []


def test_a_value_of_input_never_shows_in_its_repr(samples: Any) -> None:
    shown = repr(samples["custom"].input)
    hidden = [v for v in samples["custom"].input.credentials.values() if len(v) >= 16]
    assert [v for v in [*hidden, *samples["custom"].user_secrets] if v in shown] == []


def test_each_component_holds_its_own_credentials_and_no_others(
    samples: Any, credentials: Mapping[str, str]
) -> None:
    rendered = project(samples["full"].input)
    secrets = {m["metadata"]["name"]: secret_text(m) for m in of_kind(rendered, "Secret")}
    for name, part in PARTS.items():
        everything = "\n".join(secrets.get(name.value, {}).values())
        held = {
            key for key, value in credentials.items() if len(value) >= 16 and value in everything
        }
        # JWKS hold keys inside; where they are, their whole is declared
        declared = part.credentials + part.live_credentials + part.optional_credentials
        assert held <= set(declared), name


def test_the_database_sees_no_password_but_its_superusers(
    samples: Any, credentials: Mapping[str, str]
) -> None:
    texts = "\n".join(
        secret_text(named(project(samples["minimal"].input), "Secret", "db")).values()
    )
    shown = {k for k, v in credentials.items() if k.startswith("password-") and v in texts}
    assert shown == {"password-supabase-admin"}


def test_the_full_copy_holds_everything_and_no_pod_can_read_it(sample: Any) -> None:
    rendered = project(sample.input)
    copy = secret_text(named(rendered, "Secret", names.CREDENTIALS_COPY))
    assert copy == dict(sample.input.credentials)
    assert set(copy) == set(KEYS)
    for workload in of_kind(rendered, "Deployment", "StatefulSet"):
        uses = [v for path, v in walk(workload) if path.endswith(("ecretName", "Ref.name"))]
        assert names.CREDENTIALS_COPY not in uses


def test_parts_name_only_credentials_that_exist() -> None:
    for part in PARTS.values():
        assert isinstance(part, Part)
        declared = part.credentials + part.live_credentials + part.optional_credentials
        assert set(declared) <= {*KEYS, *PENDING_KEYS}


@pytest.mark.parametrize("key", ["jwt-secret", "anon-key", "password-authenticator"])
def test_a_missing_credential_stops_everything(
    make_input: MakeInput, credentials: Mapping[str, str], key: str
) -> None:
    left = {k: v for k, v in credentials.items() if k != key}
    with pytest.raises(NotRenderable, match=key) as refusal:
        project(make_input(credentials=left))
    assert refusal.value.reason is Reason.CREDENTIALS_LOST

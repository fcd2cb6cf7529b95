"""Do people's functions lie where Edge Runtime looks for them, and does a change of code arrive?"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from supaplane_contract import names
from supaplane_contract.status import Reason
from supaplane_operator.render import NotRenderable, Rendered, RenderInput, project

MakeInput = Callable[..., RenderInput]
CODE = {("hello-code", "index.ts"): "one", ("shared-code", "cors.ts"): "two"}


def functions(*sources: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    return {"functions": {"enabled": True, "sources": list(sources), **fields}}


HELLO = {"name": "hello", "secret": "hello-code"}
SHARED = {"name": "_shared", "secret": "shared-code"}


def named(rendered: Rendered, kind: str, name: str) -> dict[str, Any]:
    return next(m for m in rendered.manifests if (m["kind"], m["metadata"]["name"]) == (kind, name))


def inputs(rendered: Rendered) -> str:
    template = named(rendered, "Deployment", "functions")["spec"]["template"]
    return str(template["metadata"]["annotations"][names.ANNOTATION_INPUTS])


def settings(rendered: Rendered) -> dict[str, Any]:
    data = named(rendered, "Secret", "functions")["data"]
    text = base64.b64decode(data["settings.json"])
    found: dict[str, Any] = json.loads(text)["functions"]
    return found


def test_each_folder_is_a_mount_of_its_own_beside_the_router(make_input: MakeInput) -> None:
    rendered = project(make_input(functions(HELLO, SHARED), secrets=CODE))
    pod = named(rendered, "Deployment", "functions")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    where = {m["mountPath"]: m.get("subPath") for m in container["volumeMounts"]}
    assert where == {
        "/home/deno/functions/main": "main",
        "/home/deno/functions/hello": "hello",
        "/home/deno/functions/_shared": "_shared",
        "/var/cache/deno": None,
    }
    sources = pod["volumes"][0]["projected"]["sources"]
    paths = {item["path"] for s in sources for item in next(iter(s.values()))["items"]}
    router = {f"main/{file}" for file in ("index.ts", "router.ts", "settings.json", "tokens.ts")}
    assert paths == router | {"hello/index.ts", "_shared/cors.ts"}


def test_it_starts_with_our_router_and_gives_up_on_silence_before_the_gateway_does(
    make_input: MakeInput,
) -> None:
    rendered = project(make_input(functions()))
    pod = named(rendered, "Deployment", "functions")["spec"]["template"]["spec"]
    assert pod["containers"][0]["args"] == [
        "start",
        "--main-service",
        "/home/deno/functions/main",
        "--user-worker-request-idle-timeout",
        "150000",
    ]


def test_who_needs_a_token_is_said_for_all_or_for_one(make_input: MakeInput) -> None:
    open_ = HELLO | {"name": "open", "verifyJwt": False}
    closed = HELLO | {"name": "closed", "verifyJwt": True}

    def asked(**fields: Any) -> dict[str, bool]:
        rendered = project(make_input(functions(HELLO, open_, closed, **fields), secrets=CODE))
        return {name: value["verifyJwt"] for name, value in settings(rendered).items()}

    assert asked() == {"hello": True, "open": False, "closed": True}
    assert asked(verifyJwt=False) == {"hello": False, "open": False, "closed": True}


def test_a_shared_folder_is_no_function(make_input: MakeInput) -> None:
    rendered = project(make_input(functions(HELLO, SHARED), secrets=CODE))
    assert set(settings(rendered)) == {"hello"}


def test_a_change_of_code_replaces_the_pods_and_another_order_does_not(
    make_input: MakeInput,
) -> None:
    spec = functions(HELLO, SHARED)
    before = inputs(project(make_input(spec, secrets=CODE)))
    assert inputs(project(make_input(functions(SHARED, HELLO), secrets=CODE))) == before
    assert inputs(project(make_input(spec, secrets=dict(reversed(CODE.items()))))) == before
    for key in CODE:
        assert inputs(project(make_input(spec, secrets=CODE | {key: "three"}))) != before
    for other in (HELLO | {"verifyJwt": False}, HELLO | {"name": "hallo"}):
        assert inputs(project(make_input(functions(other, SHARED), secrets=CODE))) != before


@pytest.mark.parametrize(
    ("sources", "secrets", "reason", "words"),
    [
        ([SHARED | {"name": "hello"}], CODE, Reason.SPEC_INVALID, "no key index.ts"),
        ([HELLO, HELLO], CODE, Reason.SPEC_INVALID, "the name hello is taken"),
        ([HELLO | {"name": "main"}], CODE, Reason.SPEC_INVALID, "the name main is taken"),
        ([HELLO], {}, Reason.SECRET_MISSING, "hello-code"),
    ],
)
def test_code_that_cannot_run_is_refused_with_its_cure(
    make_input: MakeInput, sources: Any, secrets: Any, reason: Reason, words: str
) -> None:
    with pytest.raises(NotRenderable) as refusal:
        project(make_input(functions(*sources), secrets=secrets))
    assert (refusal.value.reason, words in refusal.value.message) == (reason, True)


def test_functions_are_reached_through_the_gateway_only(make_input: MakeInput) -> None:
    with pytest.raises(NotRenderable, match="functions needs gateway"):
        project(
            make_input(functions() | {"gateway": {"enabled": False}, "studio": {"enabled": False}})
        )

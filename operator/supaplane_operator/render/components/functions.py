"""How does Edge Runtime run, with people's functions in it?

Their code lies in Secrets that the spec names, one for each folder, and is mounted beside the
program that leads calls to them. Each folder is a mount of its own, for then its files are files:
what a volume of Kubernetes shows otherwise are links, and modules are looked for where they lead.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from supaplane_contract.spec import ComponentName, FunctionSource
from supaplane_contract.status import Reason
from supaplane_operator.render import objects
from supaplane_operator.render.context import GATEWAY_PORT, Project
from supaplane_operator.render.functions import ROUTER
from supaplane_operator.render.model import Manifest, NotRenderable
from supaplane_operator.render.part import Access, Part, Pod, Route
from supaplane_operator.render.workload import RESTRICTED, copy_of

NAME: Final = ComponentName.FUNCTIONS.value
PORT: Final = 9000
USER: Final = 1000
"""Any but root: the image has no user of its own."""
FOLDER: Final = "/home/deno/functions"
MAIN: Final = "main"
SETTINGS: Final = "settings.json"
CACHE: Final = "/var/cache/deno"
IDLE_MILLISECONDS: Final = 150_000
"""How long a function may be silent; the gateway waits a little longer, to pass on the answer."""


def pod(project: Project) -> Pod:
    health = ("/_internal/health", "http")
    return Pod(
        container={
            "args": [
                "start",
                "--main-service",
                f"{FOLDER}/{MAIN}",
                "--user-worker-request-idle-timeout",
                str(IDLE_MILLISECONDS),
            ],
            "securityContext": RESTRICTED,
            "startupProbe": objects.http_probe(
                *health, periodSeconds=2, timeoutSeconds=3, failureThreshold=60
            ),
            "readinessProbe": objects.http_probe(*health, periodSeconds=5, timeoutSeconds=3),
            "livenessProbe": objects.http_probe(
                *health, periodSeconds=15, timeoutSeconds=5, failureThreshold=4
            ),
            "volumeMounts": [
                *_folders(project),
                {"name": "cache", "mountPath": CACHE},
            ],
        },
        env={
            "DENO_DIR": CACHE,
            "HOME": CACHE,
            "SUPABASE_PUBLIC_URL": project.public_url,
            "SUPABASE_URL": project.url(ComponentName.GATEWAY, GATEWAY_PORT),
        },
        secret_env={
            "SUPABASE_ANON_KEY": project.credential("anon-key"),
            "SUPABASE_DB_URL": project.database_url("postgres", scheme="postgresql"),
            "SUPABASE_PUBLISHABLE_KEYS": _default(project.credential("publishable-key")),
            "SUPABASE_SECRET_KEYS": _default(project.credential("secret-key")),
            "SUPABASE_SERVICE_ROLE_KEY": project.credential("service-role-key"),
            # for the router, which keeps the half that signs from functions
            "SUPAPLANE_JWKS": project.credential("jwt-jwks"),
        },
        # no secrets, but so the component has one object less
        secret_files={**ROUTER, SETTINGS: _settings(project)},
        spec={
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": USER,
                "fsGroup": USER,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "volumes": [
                {"name": "code", "projected": {"sources": [_router(), *_code(project)]}},
                # modules from elsewhere; each pod fetches its own
                {"name": "cache", "emptyDir": {"sizeLimit": "1Gi"}},
            ],
        },
    )


def _default(key: str) -> str:
    return json.dumps({"default": key})


def _settings(project: Project) -> str:
    """What the router is told: the functions that can be called, and how."""
    functions = project.spec.functions
    return json.dumps(
        {
            "functions": {
                source.name: {
                    "verifyJwt": _checked(source.verify_jwt, functions.verify_jwt),
                    "importMap": _import_map(project, source),
                }
                for source in _sources(project)
                if _callable(source)
            }
        },
        sort_keys=True,
    )


def _checked(own: bool | None, general: bool) -> bool:
    return general if own is None else own


def _callable(source: FunctionSource) -> bool:
    return not source.name.startswith("_")


def _import_map(project: Project, source: FunctionSource) -> str | None:
    name = "import_map.json"
    return name if name in project.user_secret_all(source.secret) else None


def _sources(project: Project) -> list[FunctionSource]:
    """The functions by name. Raises NotRenderable for what the API server would refuse too."""
    sources = sorted(project.spec.functions.sources, key=lambda source: source.name)
    names = [MAIN, *(source.name for source in sources)]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise NotRenderable(
            Reason.SPEC_INVALID,
            f"functions.sources: the name {twice[0]} is taken: choose another",
        )
    for source in sources:
        files = project.user_secret_all(source.secret)
        if _callable(source) and "index.ts" not in files:
            raise NotRenderable(
                Reason.SPEC_INVALID,
                f"functions.sources: the Secret {source.secret} of function {source.name} has no "
                "key index.ts: add it, or let the name begin with an underscore if it is no "
                "function",
            )
    return sources


def _folders(project: Project) -> list[Any]:
    names = [MAIN, *(source.name for source in _sources(project))]
    return [
        {"name": "code", "mountPath": f"{FOLDER}/{name}", "subPath": name, "readOnly": True}
        for name in names
    ]


def _router() -> Manifest:
    files = sorted([*ROUTER, SETTINGS])
    return {
        "secret": {
            "name": NAME,
            "items": [{"key": file, "path": f"{MAIN}/{file}"} for file in files],
        }
    }


def _code(project: Project) -> list[Any]:
    return [
        {
            "secret": {
                "name": copy_of(source.secret, "code"),
                "items": [
                    {"key": file, "path": f"{source.name}/{file}"}
                    for file in sorted(project.user_secret_all(source.secret))
                ],
            }
        }
        for source in _sources(project)
    ]


def extra(project: Project) -> tuple[Manifest, ...]:
    """Copies of the Secrets that hold the code."""
    secrets = sorted({source.secret for source in project.spec.functions.sources})
    return tuple(
        objects.secret(
            copy_of(name, "code"), project.ref, project.user_secret_all(name), component=NAME
        )
        for name in secrets
    )


def routes(_: Project) -> tuple[Route, ...]:
    return (
        Route(
            8,
            "/functions/v1/",
            Access.KEY_BESIDE,
            rewrite="/",
            timeout="410s",
            idle_timeout="160s",
        ),
    )


def inputs(project: Project) -> Mapping[str, Any]:
    sources = {source.name: source for source in project.spec.functions.sources}
    return {
        "code": {
            name: [source.verify_jwt, source.secret, project.user_secret_all(source.secret)]
            for name, source in sources.items()
        },
        "publicUrl": project.public_url,
    }


PART = Part(
    name=ComponentName.FUNCTIONS,
    pod=pod,
    ports={"http": PORT},
    needs=frozenset({ComponentName.DB, ComponentName.GATEWAY}),
    credentials=(
        "anon-key",
        "jwt-jwks",
        "password-postgres",
        "publishable-key",
        "secret-key",
        "service-role-key",
    ),
    routes=routes,
    inputs=inputs,
    ignores=frozenset({"sources"}),
    objects=extra,
    internet=True,
)

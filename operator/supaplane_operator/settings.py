"""What does the environment say? One frozen value; whatever is wrong or unknown is refused."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
)

from supaplane_contract import names
from supaplane_contract.fields import Cidr
from supaplane_contract.spec import IngressKind, IssuerRef, ParentRef
from supaplane_contract.status import Phase

from .errors import SettingsRefused
from .render import Platform

PREFIX = "SUPAPLANE_"
OF_OTHERS = frozenset({"SUPAPLANE_HOME", "SUPAPLANE_ENVIRONMENT", "SUPAPLANE_SERVICE_ACCOUNT_DIR"})
"""Variables that our other programs read; an environment may be shared."""
SERVICE_LINK = re.compile(
    r"_SERVICE_HOST$|_SERVICE_PORT(_\w+)?$|_PORT(_\d+_(TCP|UDP|SCTP)(_\w+)?)?$"
)
"""What the kubelet sets for each Service beside a pod; a Service called supaplane-… gives these.
https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables"""

DEFAULT_PLATFORM: Final = Platform(domain_base="")

HOST_PATTERN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"

HOOK_PATTERN = r"^https?://(\[[0-9a-f:.]+\]|[^\s/?#@\\:\[\]]+)(:[0-9]{1,5})?(/[^\s#]*)?$"
"""Nobody's name and password in it: those would end up in logs."""
RELEASES_PATTERN = r"^(https://[^\s/?#@\\]+|http://(localhost|127\.0\.0\.1)(:[0-9]+)?)(/[^\s#]*)?$"
"""Who answers there decides what runs, so it must be who it says."""
TARGET_PATTERN = r"^[a-z0-9:]([-a-z0-9.:]*[a-z0-9])?$"
"""An address, of either family, or a name."""
PREFIX_PATTERN = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?/$"


@dataclass(frozen=True)
class Deadlines:
    """Seconds that a phase which is not at rest may take."""

    coming_up: float = 1200.0
    pausing: float = 300.0
    restoring: float = 1200.0
    restarting: float = 900.0
    resizing: float = 1200.0
    upgrading: float = 1800.0
    going_down: float = 600.0
    changing: float = 1200.0
    """For a change that has no phase of its own."""
    dns_hook: float = 300.0
    """For the DNS hook to acknowledge a host; a deletion waits no longer for it either."""

    def of(self, phase: str) -> float | None:
        """Seconds for a phase; None when it is at rest."""
        return {
            Phase.COMING_UP.value: self.coming_up,
            Phase.PAUSING.value: self.pausing,
            Phase.RESTORING.value: self.restoring,
            Phase.RESTARTING.value: self.restarting,
            Phase.RESIZING.value: self.resizing,
            Phase.UPGRADING.value: self.upgrading,
            Phase.GOING_DOWN.value: self.going_down,
        }.get(phase)


@dataclass(frozen=True)
class Hook:
    """Who is to hear of public hosts."""

    url: str
    key: str = field(repr=False)
    """Signs what the hook is told."""


@dataclass(frozen=True)
class Settings:
    """How this operator runs."""

    platform: Platform
    home_namespaces: tuple[str, ...] = (names.DEFAULT_HOME_NAMESPACE,)
    deadlines: Deadlines = Deadlines()
    resync_seconds: float = 600.0
    workers: int = 10
    apply_parallelism: int = 20
    rollout_concurrency: int = 1
    """Projects that a new rendering is rolled out to at once; 0: none, the rollout is paused."""
    teardown_patience_seconds: float = 60.0
    """How long each stage of taking a project down may wait for pods to end."""
    probe_host: str = "0.0.0.0"
    probe_port: int = 8080
    log_format: Literal["json", "text"] = "json"
    log_level: str = "INFO"
    lease: bool | None = None
    """Whether a Lease is needed to write. None: exactly inside a cluster."""
    operator_namespace: str | None = None
    """Where the Lease and the ServiceAccount are."""
    service_account: str | None = None
    """Bound to the ClusterRole `supaplane-project` in each project namespace. None: no binding."""
    identity: str = ""
    """Name of this replica in the Lease."""
    dns_hook: Hook | None = None
    releases_url: str | None = field(default=None, repr=False)
    """Where newer releases are offered."""


def _words(text: object) -> object:
    """Words that commas or blanks separate."""
    return tuple(w for w in re.split(r"[,\s]+", text) if w) if isinstance(text, str) else text


def _json(text: object) -> object:
    return json.loads(text) if isinstance(text, str) else text


def _issuer(text: object) -> object:
    """`ClusterIssuer/letsencrypt` or `letsencrypt`."""
    if not isinstance(text, str):
        return text
    kind, _, name = text.rpartition("/")
    return {"name": name} | ({"kind": kind} if kind else {})


Words = Annotated[tuple[str, ...], BeforeValidator(_words)]
Targets = Annotated[
    tuple[Annotated[str, StringConstraints(pattern=TARGET_PATTERN, max_length=253)], ...],
    BeforeValidator(_words),
]
Cidrs = Annotated[tuple[Cidr, ...], BeforeValidator(_words)]
Mapped = Annotated[dict[str, str], BeforeValidator(_json)]
Refs = Annotated[tuple[ParentRef, ...], BeforeValidator(_json)]
Seconds = Annotated[float, Field(gt=0, le=86400)]


class _Environment(BaseModel):
    """The variables, by their own names in lower case."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    domain_base: Annotated[str, StringConstraints(pattern=HOST_PATTERN, max_length=200)]
    domain_dns_hook_url: Annotated[str, StringConstraints(pattern=HOOK_PATTERN)] | None = None
    domain_dns_hook_key: SecretStr | None = Field(None, min_length=32, max_length=1024)
    service_version_url: Annotated[str, StringConstraints(pattern=RELEASES_PATTERN)] | None = None
    supaplane_home_namespaces: Words = (names.DEFAULT_HOME_NAMESPACE,)
    supaplane_url_scheme: Literal["http", "https"] = "https"
    supaplane_url_port: Annotated[int, Field(ge=1, le=65535)] | None = None
    supaplane_cluster_domain: Annotated[str, StringConstraints(pattern=HOST_PATTERN)] = (
        "cluster.local"
    )
    supaplane_ingress_kind: IngressKind = IngressKind.NONE
    supaplane_ingress_class: str | None = None
    supaplane_ingress_annotations: Mapped = {}
    supaplane_ingress_parent_refs: Refs = ()
    supaplane_ingress_namespaces: Words = ()
    supaplane_tls_issuer: Annotated[IssuerRef, BeforeValidator(_issuer)] | None = None
    supaplane_allowed_annotations: Words = ()
    supaplane_storage_class: str | None = None
    supaplane_dns_targets: Targets = ()
    supaplane_external_dns_prefix: (
        Annotated[str, StringConstraints(pattern=PREFIX_PATTERN)] | None
    ) = None
    supaplane_external_dns_ttl: Annotated[int, Field(ge=1, le=604800)] | None = None
    supaplane_dns_namespace: str = "kube-system"
    supaplane_dns_cidrs: Cidrs = DEFAULT_PLATFORM.dns_cidrs
    supaplane_egress_except: Cidrs = DEFAULT_PLATFORM.egress_except
    supaplane_api_namespace: str | None = None
    supaplane_log_namespace: str | None = None
    supaplane_log_key: Annotated[SecretStr, Field(min_length=32)] | None = None
    supaplane_image_pull_secrets: Words = ()
    supaplane_deadline_coming_up: Seconds = 1200.0
    supaplane_deadline_pausing: Seconds = 300.0
    supaplane_deadline_restoring: Seconds = 1200.0
    supaplane_deadline_restarting: Seconds = 900.0
    supaplane_deadline_resizing: Seconds = 1200.0
    supaplane_deadline_upgrading: Seconds = 1800.0
    supaplane_deadline_going_down: Seconds = 600.0
    supaplane_deadline_changing: Seconds = 1200.0
    supaplane_deadline_dns_hook: Seconds = 300.0
    supaplane_resync_seconds: Seconds = 600.0
    supaplane_workers: Annotated[int, Field(ge=1, le=200)] = 10
    supaplane_apply_parallelism: Annotated[int, Field(ge=1, le=200)] = 20
    supaplane_rollout_concurrency: Annotated[int, Field(ge=0, le=100)] = 1
    supaplane_teardown_patience_seconds: Seconds = 60.0
    supaplane_probe_host: str = "0.0.0.0"
    supaplane_probe_port: Annotated[int, Field(ge=0, le=65535)] = 8080
    supaplane_log_format: Literal["json", "text"] = "json"
    supaplane_log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    supaplane_lease: Literal["auto", "on", "off"] = "auto"
    supaplane_operator_namespace: str | None = None
    supaplane_service_account: str | None = None
    supaplane_identity: str = ""


VARIABLES: Final = tuple(name.upper() for name in _Environment.model_fields)
"""Every variable that is read; docs and the chart are checked against it."""


def from_environment(environ: Mapping[str, str]) -> Settings:
    """An empty value counts as unset. Raises SettingsRefused with every trouble at once."""
    unknown = sorted(name for name in environ if _is_ours(name) and name not in VARIABLES)
    if unknown:
        known = ", ".join(name for name in VARIABLES if name.startswith(PREFIX))
        raise SettingsRefused(f"unknown setting {', '.join(unknown)}: unset it; known are {known}")
    given = {name.lower(): environ[name] for name in VARIABLES if environ.get(name)}
    try:
        return _settings(_Environment.model_validate(given))
    except ValidationError as error:
        raise SettingsRefused(_explained(error)) from None


def _settings(env: _Environment) -> Settings:
    return Settings(
        platform=_platform(env),
        home_namespaces=env.supaplane_home_namespaces,
        deadlines=Deadlines(
            **{
                f.name: getattr(env, f"supaplane_deadline_{f.name}")
                for f in dataclasses.fields(Deadlines)
            }
        ),
        resync_seconds=env.supaplane_resync_seconds,
        workers=env.supaplane_workers,
        apply_parallelism=env.supaplane_apply_parallelism,
        rollout_concurrency=env.supaplane_rollout_concurrency,
        teardown_patience_seconds=env.supaplane_teardown_patience_seconds,
        probe_host=env.supaplane_probe_host,
        probe_port=env.supaplane_probe_port,
        log_format=env.supaplane_log_format,
        log_level=env.supaplane_log_level,
        lease={"auto": None, "on": True, "off": False}[env.supaplane_lease],
        operator_namespace=env.supaplane_operator_namespace,
        service_account=env.supaplane_service_account,
        identity=env.supaplane_identity,
        dns_hook=_hook(env),
        releases_url=env.service_version_url,
    )


def _hook(env: _Environment) -> Hook | None:
    url, key = env.domain_dns_hook_url, env.domain_dns_hook_key
    if url is None and key is None:
        return None
    if url is None or key is None:
        raise SettingsRefused(
            "DOMAIN_DNS_HOOK_URL and DOMAIN_DNS_HOOK_KEY go together: set both, or neither"
        )
    return Hook(url, key.get_secret_value())


def _platform(env: _Environment) -> Platform:
    log_namespace, log_key = _logs(env)
    return Platform(
        domain_base=env.domain_base,
        url_scheme=env.supaplane_url_scheme,
        url_port=env.supaplane_url_port,
        cluster_domain=env.supaplane_cluster_domain,
        ingress_kind=env.supaplane_ingress_kind,
        ingress_class=env.supaplane_ingress_class,
        ingress_annotations=env.supaplane_ingress_annotations,
        ingress_parent_refs=env.supaplane_ingress_parent_refs,
        ingress_namespaces=env.supaplane_ingress_namespaces,
        tls_issuer=env.supaplane_tls_issuer,
        allowed_annotations=env.supaplane_allowed_annotations,
        storage_class=env.supaplane_storage_class,
        dns_targets=env.supaplane_dns_targets,
        external_dns_prefix=env.supaplane_external_dns_prefix,
        external_dns_ttl=env.supaplane_external_dns_ttl,
        dns_namespace=env.supaplane_dns_namespace,
        dns_cidrs=env.supaplane_dns_cidrs,
        egress_except=env.supaplane_egress_except,
        api_namespace=env.supaplane_api_namespace,
        log_namespace=log_namespace,
        log_key=log_key,
        image_pull_secrets=env.supaplane_image_pull_secrets,
    )


def _logs(env: _Environment) -> tuple[str | None, str | None]:
    namespace, key = env.supaplane_log_namespace, env.supaplane_log_key
    if namespace is None and key is None:
        return None, None
    if namespace is None or key is None:
        raise SettingsRefused(
            "SUPAPLANE_LOG_NAMESPACE and SUPAPLANE_LOG_KEY go together: set both, or neither"
        )
    return namespace, key.get_secret_value()


def _is_ours(name: str) -> bool:
    if name in OF_OTHERS or not name.startswith(PREFIX):
        return False
    return SERVICE_LINK.search(name) is None or name in VARIABLES


def _explained(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(str(part) for part in detail['loc'][:1]).upper()}: {detail['msg']}"
        for detail in error.errors(include_url=False, include_input=False)
    )

"""Which of the user's own Secrets does a spec refer to?"""

from __future__ import annotations

from collections.abc import Iterator

from supaplane_contract.spec import ComponentName, ProjectSpec, S3Settings

from .model import ALL_KEYS


def referenced_secrets(spec: ProjectSpec) -> frozenset[tuple[str, str]]:
    """(name, key) of Secrets in the CR's namespace; key `*` stands for all keys."""
    return frozenset(_references(spec))


def _references(spec: ProjectSpec) -> Iterator[tuple[str, str]]:
    for component in ComponentName:
        for source in spec.component(component).extra_env_from:
            yield source.name, ALL_KEYS
    for function in spec.functions.sources:
        yield function.secret, ALL_KEYS
    if spec.auth.smtp and spec.auth.smtp.password_ref:
        yield spec.auth.smtp.password_ref.name, spec.auth.smtp.password_ref.key
    for ref in spec.auth.secret_refs.values():
        yield ref.name, ref.key
    if spec.ingress.tls and spec.ingress.tls.secret_name:
        yield spec.ingress.tls.secret_name, "tls.crt"
        yield spec.ingress.tls.secret_name, "tls.key"
    yield from _bucket(spec.storage.s3)
    yield from _bucket(spec.backup.s3)


def _bucket(s3: S3Settings | None) -> Iterator[tuple[str, str]]:
    if s3:
        yield s3.credentials_secret, "accessKeyId"
        yield s3.credentials_secret, "secretAccessKey"

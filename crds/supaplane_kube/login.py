"""Where the API server is and how we prove who we are.

In a cluster: the ServiceAccount's files, read again when the token is renewed on disk. Elsewhere: a
kubeconfig, read by the official `kubernetes` package, which also runs exec plug-ins; it is imported
only then, since in the operator's image its 20 MiB are not needed
(docs/decisions/0002-a-thin-kubernetes-client.md).
"""

from __future__ import annotations

import asyncio
import os
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from .errors import KubeError

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
TOKEN_LIFE_SECONDS = 60.0


class NoCluster(KubeError):
    """Neither inside a cluster nor a kubeconfig that can be used."""


@dataclass
class Login:
    """A server, its TLS context and a function that gives the Authorization header."""

    server: str
    ssl_context: ssl.SSLContext | None
    authorization: Callable[[], Awaitable[str | None]]


async def find(
    *, kubeconfig: str | None, context: str | None = None, environ: Mapping[str, str] = os.environ
) -> Login:
    """In the cluster's own way if there is one and no kubeconfig is named; else by kubeconfig.

    Raises NoCluster with what to set.
    """
    if not kubeconfig and "KUBERNETES_SERVICE_HOST" in environ:
        return in_cluster(environ)
    return await from_kubeconfig(kubeconfig or environ.get("KUBECONFIG"), context)


def in_cluster(environ: Mapping[str, str], folder: Path = SERVICE_ACCOUNT) -> Login:
    """By the ServiceAccount's files; the token is read again once a minute."""
    folder = Path(environ.get("SUPAPLANE_SERVICE_ACCOUNT_DIR", folder))
    host, port = environ["KUBERNETES_SERVICE_HOST"], environ.get("KUBERNETES_SERVICE_PORT", "443")
    server = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
    cached: tuple[float, str] = (0.0, "")

    async def authorization() -> str | None:
        nonlocal cached
        if not cached[1] or time.monotonic() - cached[0] > TOKEN_LIFE_SECONDS:
            text = await asyncio.to_thread((folder / "token").read_text)
            cached = (time.monotonic(), f"Bearer {text.strip()}")
        return cached[1]

    return Login(server, ssl.create_default_context(cafile=str(folder / "ca.crt")), authorization)


async def from_kubeconfig(path: str | None, context: str | None = None) -> Login:
    """By a kubeconfig, as kubectl would."""
    try:
        from kubernetes.aio import client as aio_client
        from kubernetes.aio import config as aio_config
    except ImportError:
        raise NoCluster(
            "not inside a cluster, and reading a kubeconfig needs the package 'kubernetes': "
            "pip install kubernetes"
        ) from None
    configuration = aio_client.Configuration()
    try:
        await aio_config.load_kube_config(
            config_file=path, context=context, client_configuration=configuration
        )
    except Exception as error:
        raise NoCluster(f"kubeconfig {path or '~/.kube/config'}: {error}") from error
    tls: ssl.SSLContext | None = None
    if configuration.host.startswith("https"):
        tls = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
        if configuration.cert_file:
            tls.load_cert_chain(configuration.cert_file, keyfile=configuration.key_file)
        if not configuration.verify_ssl:
            tls.check_hostname = False
            tls.verify_mode = ssl.CERT_NONE

    async def authorization() -> str | None:
        value = await configuration.get_api_key_with_prefix("BearerToken")  # also refreshes it
        return str(value) if value else None

    return Login(str(configuration.host).rstrip("/"), tls, authorization)

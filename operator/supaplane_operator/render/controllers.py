"""What must an ingress controller be told, so that long answers, large files and websockets pass?

Controllers end what is silent for a minute and refuse bodies of more than a megabyte, unless an
annotation says otherwise. Limits are the business of the services behind the gateway: the size of a
file is storage's, the time of a request is that of its route.

https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/
https://docs.nginx.com/nginx-ingress-controller/configuration/ingress-resources/advanced-configuration-with-annotations/
https://haproxy-ingress.github.io/docs/configuration/keys/
https://projectcontour.io/docs/latest/config/annotations/
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

SILENCE_SECONDS: Final = 3600
"""How long a connection may be silent. A function may think for minutes before it answers."""

_INGRESS_NGINX: Final = {
    "nginx.ingress.kubernetes.io/proxy-body-size": "0",
    "nginx.ingress.kubernetes.io/proxy-read-timeout": str(SILENCE_SECONDS),
    "nginx.ingress.kubernetes.io/proxy-request-buffering": "off",
    "nginx.ingress.kubernetes.io/proxy-send-timeout": str(SILENCE_SECONDS),
}
_NGINX_ORG: Final = {
    "nginx.org/client-max-body-size": "0",
    "nginx.org/proxy-buffering": "False",
    "nginx.org/proxy-read-timeout": f"{SILENCE_SECONDS}s",
    "nginx.org/proxy-send-timeout": f"{SILENCE_SECONDS}s",
    "nginx.org/websocket-services": "gateway",
}
_HAPROXY: Final = {
    "haproxy-ingress.github.io/timeout-server": f"{SILENCE_SECONDS}s",
    "haproxy-ingress.github.io/timeout-tunnel": f"{SILENCE_SECONDS}s",
    "haproxy.org/timeout-server": f"{SILENCE_SECONDS}s",
    "haproxy.org/timeout-tunnel": f"{SILENCE_SECONDS}s",
}
_CONTOUR: Final = {
    "projectcontour.io/response-timeout": "infinity",
    "projectcontour.io/websocket-routes": "/",
}
_BY_CLASS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {"nginx": _INGRESS_NGINX | _NGINX_ORG, "haproxy": _HAPROXY, "contour": _CONTOUR}
)
"""By the word that the name of a class holds. Two controllers are called nginx; each leaves alone
what the other reads. Controllers that are not here need nothing, or take it from elsewhere."""


def unhurried(class_name: str | None) -> Mapping[str, str]:
    """Annotations for the controller of that class, as far as its name tells which one it is."""
    return next(
        (dict(found) for word, found in _BY_CLASS.items() if word in (class_name or "nginx")), {}
    )

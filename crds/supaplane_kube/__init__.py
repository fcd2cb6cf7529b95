"""How a program speaks to a Kubernetes API server: raw dicts in, raw dicts out.

Shared by the API and the operator. Knows nothing of Supabase. `client` sends requests, `reflector`
keeps a copy of a list in memory, `login` finds the server and the way to prove who we are, `errors`
says whether waiting can help, `memory` is an API server in a dict for tests and offline rendering.
"""

from .client import KubeClient
from .errors import (
    AlreadyExists,
    ApiError,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    KubeError,
    NotFound,
    ServerUnavailable,
    TooManyRequests,
    Unauthorized,
    Unreachable,
)
from .login import Login
from .port import Event, Kube
from .reflector import Reflector
from .resources import Resource

__all__ = [
    "AlreadyExists",
    "ApiError",
    "Conflict",
    "Event",
    "Forbidden",
    "Gone",
    "Invalid",
    "Kube",
    "KubeClient",
    "KubeError",
    "Login",
    "NotFound",
    "Reflector",
    "Resource",
    "ServerUnavailable",
    "TooManyRequests",
    "Unauthorized",
    "Unreachable",
]

"""A wish and its credentials in, Kubernetes objects out: pure, ordered, deterministic."""

from .logs import collected as logs_collected
from .model import (
    ALL_KEYS,
    Manifest,
    NotRenderable,
    Platform,
    Rendered,
    RenderedComponent,
    RenderInput,
)
from .namespace import namespace_labels
from .password_check import TASK as PASSWORD_CHECK
from .project import project
from .public import public_names
from .references import referenced_secrets
from .urls import public_hosts

__all__ = [
    "ALL_KEYS",
    "PASSWORD_CHECK",
    "Manifest",
    "NotRenderable",
    "Platform",
    "RenderInput",
    "Rendered",
    "RenderedComponent",
    "logs_collected",
    "namespace_labels",
    "project",
    "public_hosts",
    "public_names",
    "referenced_secrets",
]

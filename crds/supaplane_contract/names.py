"""How everything is called: the one home of group, labels, annotations, object names and hosts."""

from __future__ import annotations

import hashlib
import re
from typing import Final

GROUP: Final = "supaplane.dev"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"
KIND: Final = "SupabaseProject"
PLURAL: Final = "supabaseprojects"
SINGULAR: Final = "supabaseproject"
SHORT_NAMES: Final = ("sbp", "supabase")
CATEGORY: Final = "supaplane"

FINALIZER: Final = f"{GROUP}/project"
FIELD_MANAGER_OPERATOR: Final = "supaplane-operator"
FIELD_MANAGER_API: Final = "supaplane-api"

DEFAULT_HOME_NAMESPACE: Final = "supaplane-projects"

LABEL_REF: Final = f"{GROUP}/ref"
LABEL_COMPONENT: Final = f"{GROUP}/component"
LABEL_ALLOW_DELETE: Final = f"{GROUP}/allow-delete"
LABEL_LOGS: Final = f"{GROUP}/logs"
"""On a project namespace: `collected`, where the platform's log shipper has somewhere to send."""
LOGS_COLLECTED: Final = "collected"
LABEL_MANAGED_BY: Final = "app.kubernetes.io/managed-by"
LABEL_NAME: Final = "app.kubernetes.io/name"
LABEL_INSTANCE: Final = "app.kubernetes.io/instance"
LABEL_PART_OF: Final = "app.kubernetes.io/part-of"
MANAGED_BY: Final = FIELD_MANAGER_OPERATOR
PART_OF: Final = "supaplane"

ANNOTATION_OWNER: Final = f"{GROUP}/owner"
ANNOTATION_RELEASED_FROM: Final = f"{GROUP}/released-from"
ANNOTATION_ADOPTABLE_BY: Final = f"{GROUP}/adoptable-by"
ANNOTATION_RECONCILE: Final = f"{GROUP}/reconcile"
RECONCILE_PAUSED: Final = "paused"
ANNOTATION_INPUTS: Final = f"{GROUP}/inputs"
ANNOTATION_RENDERING: Final = f"{GROUP}/rendering"
ANNOTATION_LIVE_INPUTS: Final = f"{GROUP}/live-inputs"
"""On a workload, and on pods that were told: a hash of what running pods take in by themselves."""
ANNOTATION_RESTARTED: Final = f"{GROUP}/restart"
ANNOTATION_ROTATED: Final = f"{GROUP}/rotated"
"""On a master Secret: the id of the operation that changed it last."""
ANNOTATION_RELEASE: Final = f"{GROUP}/release"
"""On a project namespace: the release that is pinned, should the status be lost."""
ANNOTATION_DNS: Final = f"{GROUP}/dns"
"""On a project namespace: what the DNS hook was told, and what it acknowledged."""
ANNOTATION_TOUCHED: Final = f"{GROUP}/touched"
"""On a SupabaseProject: changes when a Secret beside it did, so that the operator looks at once."""
ANNOTATION_FUNCTION: Final = f"{GROUP}/function"
"""On the Secret of a function that was deployed over the API: what is told of it, as JSON."""
ANNOTATION_DELETE_AFTER: Final = f"{GROUP}/delete-after"
"""On a released namespace with an undelete window: when it goes; RFC 3339 in UTC."""

REF_PATTERN: Final = r"^[a-z]{20}$"
_REF: Final = re.compile(REF_PATTERN)
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"

PROJECT_NAMESPACE_PREFIX: Final = "supabase-"


def is_ref(text: str) -> bool:
    """Whether `text` is a project ref: exactly twenty lower-case letters."""
    return _REF.match(text) is not None and len(text) == 20


def letters(digest: bytes) -> str:
    """Twenty letters of base 26 out of at least 32 bytes that are spread evenly."""
    number = int.from_bytes(digest, "big")
    out = []
    for _ in range(20):
        number, rest = divmod(number, 26)
        out.append(_LETTERS[rest])
    return "".join(out)


def derive_ref(*, cluster_uid: str, namespace: str, name: str) -> str:
    """The ref of a CR that names none: the same manifest applied again finds its data.

    `cluster_uid` is the uid of the namespace kube-system, which no two clusters share.
    """
    if is_ref(name):
        return name
    return letters(hashlib.sha256(f"{cluster_uid}\0{namespace}/{name}".encode()).digest())


def project_namespace(ref: str) -> str:
    """The namespace in which the stack of a project runs."""
    return f"{PROJECT_NAMESPACE_PREFIX}{ref}"


def owner_value(*, namespace: str, name: str, uid: str) -> str:
    """What the owner annotation of a project namespace holds."""
    return f"{namespace}/{name}/{uid}"


def credentials_secret(cr_name: str) -> str:
    """The master Secret, in the CR's own namespace."""
    return f"{cr_name}-credentials"


def auth_secret(cr_name: str) -> str:
    """The Secret with what auth was told over the API and nobody else should know."""
    return f"{cr_name}-auth-settings"


def functions_environment_secret(cr_name: str) -> str:
    """The Secret with the variables that functions were given over the API."""
    return f"{cr_name}-functions-environment"


def function_secret(cr_name: str, function: str) -> str:
    """The Secret with the code of a function that was deployed over the API. Names of functions
    hold what names of objects may not."""
    return f"{cr_name}-function-{hashlib.sha256(function.encode()).hexdigest()[:16]}"


def requested_secret(cr_name: str) -> str:
    """The Secret with new values that people chose over the API, each under the id of the operation
    that puts it into use."""
    return f"{cr_name}-requested"


CREDENTIALS_COPY: Final = "credentials"
"""The full copy of the master Secret in the project namespace; no pod mounts it."""


def api_host(ref: str, domain_base: str) -> str:
    """Public host of a project's API gateway."""
    return f"{ref}.{domain_base}"


def studio_host(ref: str, domain_base: str) -> str:
    """Public host of a project's own Studio."""
    return f"studio-{ref}.{domain_base}"


def database_host(ref: str, domain_base: str) -> str:
    """Reserved for the database; the official CLI derives this name by itself."""
    return f"db.{ref}.{domain_base}"


def pooler_host(ref: str, domain_base: str) -> str:
    """Public host of a project's connection pooler."""
    return f"{ref}.pooler.{domain_base}"

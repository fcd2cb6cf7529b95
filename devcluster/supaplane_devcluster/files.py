"""The files that the components read: certificates, tokens, kubeconfigs, audit policy."""

from __future__ import annotations

import datetime
import secrets
from pathlib import Path

from . import audit, certificates, egress, kubeconfig
from .components import USERS
from .layout import Layout
from .node import configuration, network, programs
from .plan import PROXY, Plan
from .state import write_private

LARGE_LOG = 20 * 1024 * 1024


def write(plan: Plan, name: str) -> None:
    """Keys and tokens are kept if they are there; what follows from options is written again."""
    layout = plan.layout
    for folder in (layout.folder, layout.certificates, layout.logs, layout.etcd):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # The kubeconfig is written last, so its presence says that the rest is complete.
    if not layout.kubeconfig.exists():
        _write_certificates(layout)
        _write_users(plan, name)
    if plan.options.has_real_node:
        _write_node(plan)
    else:
        write_private(layout.egress, egress.configuration(plan))
    if plan.options.audit_scope:
        write_private(layout.audit_policy, audit.policy(plan.options.audit_scope))


def _write_certificates(layout: Layout) -> None:
    made = certificates.make(datetime.datetime.now(datetime.UTC))
    for path, text in {
        layout.ca: made.ca,
        layout.server_certificate: made.server_certificate,
        layout.server_key: made.server_key,
        layout.service_account_key: made.service_account_key,
        layout.service_account_public_key: made.service_account_public_key,
    }.items():
        write_private(path, text)


def _write_users(plan: Plan, name: str) -> None:
    layout = plan.layout
    ca = layout.ca.read_text(encoding="ascii")
    tokens = {who: secrets.token_urlsafe(32) for who in USERS}
    lines = [f'{tokens[who]},{user},{who},"{groups}"' for who, (user, groups) in USERS.items()]
    write_private(layout.tokens, "\n".join(lines) + "\n")
    for who in [who for who in USERS if who != "admin"] + ["admin"]:
        path = layout.kubeconfig if who == "admin" else layout.component_kubeconfig(who)
        write_private(path, kubeconfig.render(name, plan.server, ca, USERS[who][0], tokens[who]))


def _write_node(plan: Plan) -> None:
    layout = plan.layout
    plugins = programs.cni_plugins(plan.debian)
    for path, text in {
        layout.containerd_config: configuration.containerd(layout, plugins),
        layout.cni / "10-devcluster.conflist": network.cni_configuration(),
        layout.kubelet_config: configuration.kubelet(layout),
        layout.proxy_config: configuration.proxy(layout.component_kubeconfig(PROXY)),
    }.items():
        write_private(path, text)
    # Programs that are run beside the pods read it, whoever they run as.
    layout.service_dns.write_text(network.RESOLVE_SERVICES, encoding="ascii")
    layout.volumes.mkdir(parents=True, exist_ok=True)


def set_aside(log: Path) -> None:
    """A log that has grown large starts anew, and the one before it stays."""
    if log.exists() and log.stat().st_size > LARGE_LOG:
        log.replace(log.with_name(f"{log.name}.1"))


def last_lines(path: Path, count: int) -> str:
    """The end of a log, reading no more of it than that may take."""
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - 200 * 1024))
            text = file.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-count:])

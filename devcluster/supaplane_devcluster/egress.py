"""Where the API server sends what is meant for pods and kubelets: to whoever simulates them."""

from __future__ import annotations

import yaml

from .plan import Plan


def configuration(plan: Plan) -> str:
    """Without it a service proxy sends packets for made-up addresses into the user's network."""
    tls = {
        "caBundle": str(plan.layout.ca),
        "clientCert": str(plan.layout.server_certificate),
        "clientKey": str(plan.layout.server_key),
    }
    transport = {"tcp": {"url": f"https://{plan.tunnel}", "tlsConfig": tls}}
    connection = {"proxyProtocol": "HTTPConnect", "transport": transport}
    return yaml.safe_dump(
        {
            "apiVersion": "apiserver.k8s.io/v1beta1",
            "kind": "EgressSelectorConfiguration",
            "egressSelections": [{"name": "cluster", "connection": connection}],
        },
        sort_keys=False,
    )

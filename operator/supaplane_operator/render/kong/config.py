"""What does Kong's whole configuration look like for one project?

Kong without a database reads all of its entities from one file
(https://developer.konghq.com/gateway/db-less-mode/). No plugin in it runs code of ours.
"""

from __future__ import annotations

from typing import Any

from supaplane_operator.render.gateway import GatewayConfig, table

from . import consumers, routes


def declarative(config: GatewayConfig) -> dict[str, Any]:
    """The configuration file."""
    rows = list(table(config.routes))
    keys = consumers.usable(config.keys)
    upstreams = {upstream.name: upstream for upstream in config.upstreams}
    services, ended = [], routes.encoded_slash(len(rows) + 1)
    for rank, (name, route) in zip(range(len(rows), 0, -1), rows, strict=True):
        own = routes.of_row(config, keys, route, rank)
        if name in upstreams and not routes.ends_here(route):
            services.append(routes.service(upstreams[name], route, own))
        else:
            ended += own
    return {
        "_format_version": "3.0",
        "services": services,
        "routes": ended,
        "consumers": consumers.of(config, keys),
    }

"""The gateway's configuration: routes, key checks and sign-in, as Envoy reads them."""

from .config import GatewayConfig, Keys, Upstream, bootstrap

__all__ = ["GatewayConfig", "Keys", "Upstream", "bootstrap"]

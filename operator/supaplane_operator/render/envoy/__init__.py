"""The gateway's configuration and its pod where Envoy is the program."""

from .config import bootstrap
from .pod import pod

__all__ = ["bootstrap", "pod"]

"""The gateway's configuration and its pod where Envoy is the program."""

from .pod import inputs, pod

__all__ = ["inputs", "pod"]

"""The gateway's configuration and its pod where Kong is the program."""

from .config import declarative
from .pod import inputs, pod

__all__ = ["declarative", "inputs", "pod"]

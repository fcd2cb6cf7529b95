"""What we know about one cluster between two commands: state.json, read and written whole."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .options import ClusterOptions
from .processes import Process

FORMAT = 1


@dataclass
class State:
    name: str
    binary: str
    ports: dict[str, int]
    options: ClusterOptions
    processes: dict[str, Process] = field(default_factory=dict)
    debian: str | None = None
    """Where the programs of a real node were unpacked; None if the machine has them."""

    def as_json(self) -> str:
        data = asdict(self) | {"format": FORMAT, "options": self.options.as_dict()}
        return json.dumps(data, indent=2, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> State:
        data: dict[str, Any] = json.loads(text)
        return cls(
            name=data["name"],
            binary=data["binary"],
            ports=dict(data["ports"]),
            options=ClusterOptions.from_dict(data["options"]),
            debian=data.get("debian"),
            processes={k: Process(**v) for k, v in data["processes"].items()},
        )


def load(path: Path) -> State | None:
    """None if there is none, or none that can be read: then the cluster is made anew."""
    try:
        return State.from_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        return None


def save(path: Path, state: State) -> None:
    write_private(path, state.as_json())


def ports_of_all(clusters: Path) -> set[int]:
    """A cluster that is down keeps its ports."""
    states = filter(None, map(load, clusters.glob("*/state.json")))
    return {port for state in states for port in state.ports.values()}


def write_private(path: Path, text: str) -> None:
    """Whole or not at all, and readable by nobody else from the first byte on."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    temporary.replace(path)

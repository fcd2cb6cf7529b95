"""Writes layers and a configuration as a docker-archive, which `ctr images import` takes.

https://github.com/moby/docker-image-spec/blob/main/v1.2.md (manifest.json, configuration, layers).
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .layer import MADE, Layer

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Config:
    """What a container does when nothing else is said."""

    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    """Number or name; empty: root."""
    folder: str = "/"
    """Where programs start."""

    def as_json(self) -> dict[str, Any]:
        """The member `config` of an image's configuration."""
        env = {"PATH": PATH, **self.env}
        return {
            "Cmd": list(self.command) or None,
            "Entrypoint": list(self.entrypoint) or None,
            "Env": [f"{name}={value}" for name, value in sorted(env.items())],
            "User": self.user,
            "WorkingDir": self.folder,
        }


def architecture() -> str:
    """Of this machine, as images call it."""
    machine = platform.machine()
    return _ARCHITECTURES.get(machine, machine)


def write_archive(path: Path, reference: str, layers: Sequence[Layer], config: Config) -> None:
    """Writes the image called `reference`, as in `localhost/pause:1`, whole or not at all."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    with tarfile.open(unfinished, "w", format=tarfile.GNU_FORMAT) as tar:
        digests = [_add_layer(tar, layer) for layer in layers]
        described = json.dumps(_describe(digests, config), sort_keys=True).encode()
        name = f"{hashlib.sha256(described).hexdigest()}.json"
        _add(tar, name, io.BytesIO(described), len(described))
        manifest = json.dumps(
            [
                {
                    "Config": name,
                    "RepoTags": [reference],
                    "Layers": [f"{digest}/layer.tar" for digest in digests],
                }
            ]
        ).encode()
        _add(tar, "manifest.json", io.BytesIO(manifest), len(manifest))
    unfinished.replace(path)


def _describe(digests: Sequence[str], config: Config) -> dict[str, Any]:
    return {
        "architecture": architecture(),
        "os": "linux",
        "created": "2000-01-01T00:00:00Z",
        "config": config.as_json(),
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in digests]},
        "history": [{"created_by": "supaplane_devcluster.images"} for _ in digests],
    }


def _add_layer(tar: tarfile.TarFile, layer: Layer) -> str:
    """By way of a file: layers are larger than one would keep in memory."""
    with tempfile.TemporaryFile() as content:
        layer.write(content)
        size = content.tell()
        content.seek(0)
        digest = hashlib.file_digest(content, "sha256").hexdigest()
        content.seek(0)
        _add(tar, f"{digest}/layer.tar", content, size)
    return digest


def _add(tar: tarfile.TarFile, name: str, content: Any, size: int) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mtime = size, MADE
    tar.addfile(info, content)

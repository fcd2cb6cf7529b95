"""What a new node needs inside it before it is of use: images, DNS, storage classes, rights."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from supaplane_devcluster.errors import CommandFailed
from supaplane_devcluster.images import Images

Run = Callable[[Sequence[str]], subprocess.CompletedProcess[str]]

ADDONS = Path(__file__).with_name("addons.yaml")
IMAGES = ("pause", "coredns")
CTR = ("ctr", "--namespace", "k8s.io")
# Unpacking some hundred megabytes on a slow disk.
TIMEOUT = 600.0
# Each keeps one processor busy. Layers that two have in common are waited for by containerd itself.
_AT_ONCE = 2


def images(say: Callable[[str], None]) -> list[Path]:
    """The images of the node itself, as archives; made if they are not in the cache."""
    store = Images(say=say)
    return [store.build(name) for name in IMAGES]


def import_images(run: Run, archives: Sequence[Path]) -> None:
    """Two at a time. `run` runs a command inside the node. Raises CommandFailed."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for _ in pool.map(lambda a: _checked(run, [*CTR, "images", "import", str(a)]), archives):
            pass


def tag_image(run: Run, source: str, reference: str) -> None:
    """Containers may call the image `source` by `reference` too. Raises CommandFailed."""
    _checked(run, [*CTR, "images", "tag", "--force", source, reference])


def _checked(run: Run, argv: Sequence[str]) -> None:
    answer = run(argv)
    if answer.returncode:
        raise CommandFailed(f"{' '.join(argv)}: {answer.stderr.strip()[-400:]}")

"""Supaplane's own images, built from its Dockerfiles without Docker.

`python -m supaplane_demo.images` builds both and prints where they are: docker-archives, as
`docker load` and `ctr images import` take them.
"""

from __future__ import annotations

import sys
from pathlib import Path

from supaplane_devcluster.errors import DevclusterError
from supaplane_devcluster.images.dockerfiles import Dockerfile, built

CHECKOUT = Path(__file__).resolve().parents[2]
VERSION = "0.1.0"
_SHARED = (".dockerignore", "crds/supaplane_contract", "crds/supaplane_kube")


def dockerfile(program: str) -> Dockerfile:
    """`operator` or `api`."""
    return Dockerfile(
        path=f"{program}/Dockerfile",
        reference=f"supaplane/{program}:{VERSION}",
        lock=f"{program}/requirements.lock",
        copied=(f"{program}/supaplane_{program}", *_SHARED),
    )


OPERATOR = dockerfile("operator")
API = dockerfile("api")


def main() -> int:
    """Builds both."""
    try:
        for what in (OPERATOR, API):
            print(built(what, CHECKOUT, lambda line: print(line, file=sys.stderr, flush=True)))
    except DevclusterError as error:
        print(f"images: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

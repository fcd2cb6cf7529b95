"""`python -m supaplane_devcluster.images NAME…` builds images and prints where they are."""

from __future__ import annotations

import argparse
import sys

from supaplane_devcluster.errors import DevclusterError

from .store import Images


def main() -> int:
    images = Images(say=lambda line: print(line, file=sys.stderr, flush=True))
    parser = argparse.ArgumentParser(prog="supaplane_devcluster.images", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(images.names))
    arguments = parser.parse_args()
    try:
        for name in arguments.names or images.names:
            print(images.build(name))
    except DevclusterError as error:
        print(f"devcluster: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

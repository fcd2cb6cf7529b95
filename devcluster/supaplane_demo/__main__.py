"""The command line of the demo: `python -m supaplane_demo up|down|status`."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys

import aiohttp

from supaplane_kube import KubeError

from . import commands, story
from .home import Home
from .platform import DemoFailed
from .rest import ApiRefused
from .screen import Screen


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(
        prog="python -m supaplane_demo",
        description="A whole Supaplane on this machine. Everything lies in .supaplane "
        "(SUPAPLANE_HOME names another folder) and listens on loopback only.",
    )
    verbs = top.add_subparsers(dest="verb", required=True)
    up = verbs.add_parser("up", help="start everything and make a first project; continues")
    up.add_argument(
        "--cluster",
        choices=("auto", "devcluster", "kind"),
        default="auto",
        help="auto: kind where a Docker engine answers, else the devcluster (default)",
    )
    up.add_argument("--once", action="store_true", help="tear everything down again at the end")
    down = verbs.add_parser("down", help="stop everything")
    down.add_argument("--delete-data", action="store_true", help="also remove accounts and logs")
    verbs.add_parser("status", help="what runs, and how the projects are")
    return top


def main(argv: list[str] | None = None) -> int:
    """Runs one command; the exit code is 0 only if it did what it should."""
    options = parser().parse_args(argv)
    home, screen = Home.find(os.environ), Screen()
    try:
        if options.verb == "up":
            asyncio.run(
                commands.up(home, cluster=options.cluster, once=options.once, screen=screen)
            )
        elif options.verb == "down":
            commands.down(home, delete_data=options.delete_data, screen=screen)
        elif not asyncio.run(commands.status(home, screen)):
            return 1
    except (DemoFailed, story.ProjectFailed, ApiRefused, KubeError, aiohttp.ClientError) as error:
        screen.failure(str(error))
        return 1
    except KeyboardInterrupt:
        screen.note("\nstopped; what was started still runs: make down")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

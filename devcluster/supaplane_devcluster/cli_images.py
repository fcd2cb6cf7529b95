"""The words `images import` and `images tag`: what the pods of a real node are made of."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from .cluster import Cluster


def add(commands: Any, home: argparse.ArgumentParser) -> None:
    """Adds them to the commands of a parser."""
    images = commands.add_parser("images", help="images of a real node: import, tag")
    words = images.add_subparsers(required=True, metavar="import|tag")
    importing = words.add_parser(
        "import", parents=[home], help="docker-archives, as `docker save` writes them"
    )
    importing.add_argument("archives", nargs="+", type=Path, metavar="FILE")
    importing.set_defaults(run=_import)
    tagging = words.add_parser(
        "tag", parents=[home], help="let containers call an image by other names too"
    )
    tagging.add_argument("source")
    tagging.add_argument("references", nargs="+", metavar="REFERENCE")
    tagging.set_defaults(run=_tag)
    for word in (importing, tagging):
        word.add_argument("--cluster", dest="name", default="dev", help="which (default: dev)")


def _import(arguments: argparse.Namespace) -> None:
    Cluster(arguments.name, arguments.home).import_images(*arguments.archives)


def _tag(arguments: argparse.Namespace) -> None:
    cluster = Cluster(arguments.name, arguments.home)
    for reference in arguments.references:
        cluster.tag_image(arguments.source, reference)

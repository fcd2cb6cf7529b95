"""Container images made of files, trees and programs, without Docker and without a registry.

    from supaplane_devcluster.images import Images
    tar = Images().build("coredns")      # a docker-archive, from the cache if it is there

`python -m supaplane_devcluster.images NAME…` prints where they are.
"""

from .archive import Config, write_archive
from .content import File, Folder, Item, Link, Program, Text, Tree
from .layer import Layer
from .recipe import Recipe
from .store import Images

__all__ = [
    "Config", "File", "Folder", "Images", "Item", "Layer", "Link", "Program", "Recipe", "Text",
    "Tree", "write_archive",
]  # fmt: skip

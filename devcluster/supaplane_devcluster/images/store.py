"""The images that were made, kept by their content."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable
from pathlib import Path

from supaplane_devcluster import build
from supaplane_devcluster.errors import CannotBuild
from supaplane_devcluster.locks import folder_lock

from . import content, sources
from .archive import write_archive
from .layer import Layer
from .recipe import Recipe
from .sources import Say

_KEPT = 3


def _silent(_: str) -> None:
    return None


class Images:
    """Makes images by name and keeps them in the cache of this machine."""

    def __init__(
        self, recipes: Iterable[Recipe] = (), cache: Path | None = None, say: Say = _silent
    ) -> None:
        """`recipes` are known beside those of this package."""
        # recipes read files of this package, which not everybody who imports it needs
        from .recipes import KNOWN

        self._recipes = {recipe.name: recipe for recipe in (*KNOWN, *recipes)}
        self._cache = cache or build.cache_folder()
        self._say = say

    @property
    def names(self) -> list[str]:
        """All that can be built."""
        return sorted(self._recipes)

    def reference(self, name: str) -> str:
        """What the built image is called, as in `localhost/pause:1`."""
        return self._recipe(name).reference

    def build(self, name: str) -> Path:
        """The image as a docker-archive; made if it is not there. Raises CannotBuild."""
        recipe = self._recipe(name)
        folder = self._cache / "images"
        path = folder / f"{name}-{recipe.identity(_maker())}.tar"
        if not path.exists():
            with folder_lock(folder, build.BUILD_TIMEOUT):
                if not path.exists():
                    self._make(recipe, path)
                    _drop_old(path, name)
        return path

    def _recipe(self, name: str) -> Recipe:
        recipe = self._recipes.get(name)
        if recipe is None:
            raise CannotBuild(f"there is no image {name}; there are {', '.join(self.names)}")
        return recipe

    def _make(self, recipe: Recipe, path: Path) -> None:
        places = {
            name: sources.fetch(source, self._cache, self._say)
            for name, source in recipe.sources.items()
        }
        self._say(f"Making the image {recipe.name}.")
        layers: list[Layer] = []
        for items in recipe.layers:
            layer = Layer()
            for item in items:
                content.fill(layer, item, places)
            layers.append(layer.above(*layers))
        write_archive(path, recipe.reference, layers, recipe.config)


@functools.cache
def _maker() -> str:
    """The state of this package: it decides about images as much as recipes do."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _drop_old(path: Path, name: str) -> None:
    """Older states of the same image; a few stay, for other checkouts use the same cache."""
    # the hash has no dash, names of other images may
    states = [p for p in path.parent.glob(f"{name}-*.tar") if p.stem.rpartition("-")[0] == name]
    states.sort(key=lambda state: state.stat().st_mtime, reverse=True)
    for old in states[_KEPT:]:
        old.unlink()

"""The nodes of live tests, one after the other in a process, and what they have in common.

They need root and Linux. Elsewhere they are skipped with one line that says so, but never in
continuous integration, where the variable CI is set.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import FIGURES

from supaplane_api import embedded_postgres
from supaplane_contract import names
from supaplane_demo import images as product
from supaplane_devcluster import Cluster, ClusterOptions, tools
from supaplane_devcluster.images import Images
from supaplane_devcluster.images.dockerfiles import built
from supaplane_operator.releases import load_releases, newest

from .images.official import DATABASE, REFERENCE
from .images.recipes import (
    ALL,
    BY_COMPONENT,
    HELPERS,
    VARIANTS,
    VECTOR,
)
from .installed import SYSTEM, Installed, Pods, shipper_image
from .platform import API_PORT, DOMAIN, HOME, PROBE_PORT, Platform, full_reference
from .things import Program, Project

ROOT = Path(__file__).parent.parent.parent
CLUSTERS = ROOT / ".supaplane"
PLATFORMS = pytest.StashKey[list[Platform]]()


def pytest_itemcollected(item: pytest.Item) -> None:
    """Everything below this folder is live; the node may first have to be compiled."""
    item.add_marker(pytest.mark.live)
    item.add_marker(pytest.mark.timeout(900, func_only=True))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hands the figures to the process that prints, as a worker of pytest-xdist is not."""
    platforms = session.config.stash.get(PLATFORMS, [])
    if platforms:
        figures = {
            "seconds": {k: v for platform in platforms for k, v in platform.times.items()},
            "MiB of memory": {k: v for platform in platforms for k, v in platform.memory.items()},
        }
        session.config.stash[FIGURES] = figures
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput["live"] = figures


def only_where_pods_run() -> None:
    """Skips elsewhere, and fails there in continuous integration."""
    if sys.platform != "linux" or os.geteuid() != 0:
        words = "live tests run real pods: they need root on Linux"
        if os.environ.get("CI"):
            pytest.fail(words)
        pytest.skip(words)


@pytest.fixture(scope="session")
def turn() -> Iterator[contextlib.ExitStack]:
    """Holds the node that runs in this process: one at a time."""
    with contextlib.ExitStack() as turn:
        yield turn


@contextlib.contextmanager
def a_node(word: str, *archives: Path) -> Iterator[Cluster]:
    """A Kubernetes with a node that really runs pods, with these images and those of the newest
    release; `word` becomes part of its name."""
    only_where_pods_run()
    for leftover in (CLUSTERS / "clusters").glob(f"{word}-*"):
        if not Path(f"/proc/{leftover.name.removeprefix(f'{word}-')}").exists():
            Cluster(leftover.name, home=CLUSTERS).down()
    options = ClusterOptions(node="real")
    cluster = Cluster(f"{word}-{os.getpid()}", home=CLUSTERS, options=options)
    try:
        cluster.up(say)
        give_images(cluster, *archives)
        yield cluster
    finally:
        cluster.down()


def say(line: str) -> None:
    print(line, flush=True)


@pytest.fixture(scope="session")
def node(turn: contextlib.ExitStack) -> Cluster:
    """For operator and API as processes: the definition and the home namespace are there."""
    turn.close()
    cluster = turn.enter_context(a_node("live"))
    cluster.kubectl("apply", "--server-side", "-f", str(ROOT / "crds"))
    cluster.kubectl("wait", "--for=condition=Established", "--timeout=60s", f"crd/{_crd()}")
    cluster.kubectl("create", "namespace", HOME)
    return cluster


@pytest.fixture(scope="session")
def installed(turn: contextlib.ExitStack, pytestconfig: pytest.Config) -> Installed:
    """Supaplane as its chart installs it, and a person who signed in. Tests that ask for it come
    before those that ask for `node`."""
    only_where_pods_run()
    archives = [built(what, ROOT, say) for what in (product.OPERATOR, product.API)]
    images = Images((DATABASE, VECTOR), say=say)
    archives += (images.build(recipe.name) for recipe in (DATABASE, VECTOR))
    turn.close()
    cluster = turn.enter_context(a_node("chart", *archives))
    cluster.tag_image(DATABASE.reference, REFERENCE)
    cluster.tag_image(VECTOR.reference, shipper_image())
    cluster.kubectl("create", "namespace", SYSTEM)
    enforce = "pod-security.kubernetes.io/enforce=restricted"
    cluster.kubectl("label", "namespace", SYSTEM, enforce)
    pods = Pods(cluster)
    made = Installed(cluster, pods, pods, helm=str(tools.ensure("helm", print)))
    pytestconfig.stash.setdefault(PLATFORMS, []).append(made)
    made.install()
    made.sign_in()
    return made


def _crd() -> str:
    return f"{names.PLURAL}.{names.GROUP}"


def give_images(cluster: Cluster, *archives: Path) -> None:
    """These, and those of the newest release under the names that it has for them."""
    images = Images(ALL, say=say)
    cluster.import_images(*archives, *(images.build(recipe.name) for recipe in ALL))
    release = newest(load_releases())
    wanted = [
        *((recipe, release.images[name]) for name, recipe in BY_COMPONENT.items()),
        *((recipe, release.variants[c][kind]) for (c, kind), recipe in VARIANTS.items()),
        *((recipe, release.helpers[name]) for name, recipe in HELPERS.items()),
    ]
    for recipe, reference in wanted:
        cluster.tag_image(recipe.reference, full_reference(str(reference)))


@pytest.fixture(scope="session")
def platform(
    node: Cluster, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[Platform]:
    """Operator and API as processes of the node, and a person who signed in."""
    folder = tmp_path_factory.mktemp("platform")
    database = embedded_postgres.start(folder / "database")
    common = {"DOMAIN_BASE": DOMAIN}
    operator = Program(
        node,
        ("supaplane_operator", "--no-lease"),
        {
            **common,
            "SUPAPLANE_PROBE_HOST": "127.0.0.1",
            "SUPAPLANE_PROBE_PORT": str(PROBE_PORT),
            "SUPAPLANE_LOG_FORMAT": "text",
            "SUPAPLANE_TEARDOWN_PATIENCE_SECONDS": "30",
        },
        folder / "operator.log",
    )
    api = Program(
        node,
        ("supaplane_api",),
        {
            **common,
            "ALLOW_SIGNUP": "true",
            "DATABASE_URL": database.url,
            "PORT": str(API_PORT),
            "SUPAPLANE_ENVIRONMENT": "development",
            "SUPAPLANE_HOME": str(folder / "api"),
        },
        folder / "api.log",
    )
    made = Platform(node, operator, api)
    pytestconfig.stash.setdefault(PLATFORMS, []).append(made)
    try:
        operator.start()
        api.start()
        for port in (PROBE_PORT, API_PORT):
            made.until(lambda port=port: made.answers(port, "/readyz"), f"/readyz on {port}", 60)
        made.sign_in()
        yield made
    finally:
        api.stop()
        operator.stop()
        database.stop()


@pytest.fixture(scope="session")
def shop(platform: Platform) -> Project:
    """A project that was made over REST and is ACTIVE_HEALTHY."""
    return platform.until_healthy(platform.order("shop"), "shop, over REST", parts=True)


@pytest.fixture(scope="session")
def other(platform: Platform) -> Project:
    """Another one, of the same kind."""
    return platform.until_healthy(platform.order("other"), "a second project over REST")


@pytest.fixture(scope="session")
def tiny(platform: Platform, small: dict[str, Any]) -> Project:
    """A project of four components that tests may change, and leave healthy."""
    return platform.until_healthy(platform.apply("tiny", small), "four components")


@pytest.fixture
def apply(platform: Platform) -> Iterator[Any]:
    """`kubectl apply` of SupabaseProjects; when the test ends they go, with their data."""
    made: list[str] = []

    def apply(name: str, spec: dict[str, Any]) -> str:
        made.append(platform.apply(name, spec))
        return name

    yield apply
    for name in made:
        platform.delete(name)


@pytest.fixture(scope="session")
def small() -> dict[str, Any]:
    """What leaves four components: database, auth, rest, gateway."""
    others = ("meta", "studio", "realtime", "storage", "functions", "pooler")
    return {name: {"enabled": False} for name in others}

"""One node, one operator and one API for all live tests, which run one after the other.

They need root and Linux. Elsewhere they are skipped with one line that says so, but never in
continuous integration, where the variable CI is set.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import FIGURES

from supaplane_api import embedded_postgres
from supaplane_contract import names
from supaplane_devcluster import Cluster, ClusterOptions
from supaplane_devcluster.images import Images
from supaplane_operator.releases import load_releases, newest

from .images.recipes import ALL, BY_COMPONENT, HELPERS, VARIANTS
from .platform import API_PORT, DOMAIN, HOME, PROBE_PORT, Platform, full_reference
from .things import Program, Project

ROOT = Path(__file__).parent.parent.parent
CLUSTERS = ROOT / ".supaplane"
PLATFORM = pytest.StashKey[Platform]()


def pytest_itemcollected(item: pytest.Item) -> None:
    """Everything below this folder is live; the node may first have to be compiled."""
    item.add_marker(pytest.mark.live)
    item.add_marker(pytest.mark.timeout(900, func_only=True))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hands the figures to the process that prints, as a worker of pytest-xdist is not."""
    platform = session.config.stash.get(PLATFORM, None)
    if platform is not None:
        figures = {"seconds": platform.times, "MiB of memory": platform.memory}
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
def node() -> Iterator[Cluster]:
    """A Kubernetes with a node that really runs pods, and the images of the newest release."""
    only_where_pods_run()
    for leftover in (CLUSTERS / "clusters").glob("live-*"):
        if not Path(f"/proc/{leftover.name.removeprefix('live-')}").exists():
            Cluster(leftover.name, home=CLUSTERS).down()
    options = ClusterOptions(node="real")
    cluster = Cluster(f"live-{os.getpid()}", home=CLUSTERS, options=options)
    try:
        cluster.up(lambda line: print(line, flush=True))
        give_images(cluster)
        cluster.kubectl("apply", "--server-side", "-f", str(ROOT / "crds"))
        cluster.kubectl("wait", "--for=condition=Established", "--timeout=60s", f"crd/{_crd()}")
        cluster.kubectl("create", "namespace", HOME)
        yield cluster
    finally:
        cluster.down()


def _crd() -> str:
    return f"{names.PLURAL}.{names.GROUP}"


def give_images(cluster: Cluster) -> None:
    """The images under the names that the newest release has for them."""
    images = Images(ALL, say=lambda line: print(line, flush=True))
    cluster.import_images(*(images.build(recipe.name) for recipe in ALL))
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
    pytestconfig.stash[PLATFORM] = made
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


@pytest.fixture
def apply(platform: Platform) -> Iterator[Any]:
    """`kubectl apply` of SupabaseProjects; when the test ends they go, with their data."""
    made: list[str] = []

    def apply(name: str, spec: dict[str, Any]) -> str:
        body = {
            "apiVersion": names.API_VERSION,
            "kind": names.KIND,
            "metadata": {"name": name, "namespace": HOME},
            "spec": {"size": "dev", "deletion": {"policy": "Delete"}, **spec},
        }
        platform.cluster.kubectl("apply", "-f", "-", input=json.dumps(body))
        made.append(name)
        return name

    yield apply
    for name in made:
        platform.delete(name)


@pytest.fixture
def small() -> dict[str, Any]:
    """What leaves four components: database, auth, rest, gateway."""
    others = ("meta", "studio", "realtime", "storage", "functions", "pooler")
    return {name: {"enabled": False} for name in others}

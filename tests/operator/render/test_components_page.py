"""Do the tables in docs/components.md say what is rendered?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from supaplane_operator.render import project
from supaplane_operator.render.components import PARTS
from supaplane_operator.render.context import Project
from supaplane_operator.render.part import Access, Route

WHO = {
    Access.OPEN: "everybody",
    Access.OPTIONAL_KEY: "everybody; a key counts",
    Access.KEY_BESIDE: "everybody; no wrong new key",
    Access.KEY: "any key",
    Access.SERVICE: "service keys",
    Access.DASHBOARD: "the dashboard's name and password",
    Access.DENIED: "nobody",
}


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs" / "components.md").read_text()


def table(page: str, first: str) -> list[list[str]]:
    """The rows of the table whose heading row begins with a word."""
    lines = page.splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith(f"| {first} |"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def test_the_table_of_components_is_what_is_rendered(page: str, samples: Any) -> None:
    rendered = project(samples["full"].input)
    pods = {
        m["metadata"]["name"]: m["spec"]["template"]["spec"]
        for m in rendered.manifests
        if m["kind"] in ("Deployment", "StatefulSet")
    }
    expected = []
    for name, part in PARTS.items():
        calls = sorted(part.calls) + (["the internet"] if part.internet else [])
        calls += ["a bucket elsewhere"] if part.bucket else []
        user = pods[name]["securityContext"].get("runAsUser", "root, stepping down")
        expected.append(
            [
                name.value,
                "StatefulSet" if part.stateful else "Deployment",
                ", ".join(str(port) for port in part.ports.values()),
                ", ".join(sorted(part.needs)),
                ", ".join(calls),
                str(user),
            ]
        )
    assert table(page, "component") == expected


def test_the_table_of_routes_is_what_is_rendered(page: str, samples: Any) -> None:
    input_ = samples["full"].input
    whole = Project(input_, frozenset(PARTS), input_.credentials)
    rows: list[tuple[str, Route]] = [
        (name.value, route) for name, part in PARTS.items() for route in part.routes(whole)
    ]
    rows.sort(key=lambda row: row[1].order)
    assert table(page, "row") == [_row(upstream, route) for upstream, route in rows]


def _row(upstream: str, route: Route) -> list[str]:
    target = f"{upstream} `{route.rewrite or route.path}`"
    if route.access is Access.DENIED:
        target = "403"
    path = f"`{route.path}`" + (" exactly" if route.exact else "")
    return [str(route.order), path, target, WHO[route.access]]

"""Which route answers a path, without asking every route in turn?

The routes are kept by the segments of their paths. What the directory proposes, the route itself
decides, in the order in which the routes were added; whatever no proposed route takes (another
method, another path) is left to the framework, which then says 404 or 405.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from fastapi import FastAPI
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.routing import Match
from starlette.types import ASGIApp, Receive, Scope, Send


@dataclass
class _Node:
    """What follows after some segments of a path."""

    literal: dict[str, _Node] = field(default_factory=dict)
    parameter: _Node | None = None
    routes: list[tuple[int, RouteContext]] = field(default_factory=list)
    """Routes whose paths end here, with their place in the order."""
    open: list[tuple[int, RouteContext]] = field(default_factory=list)
    """Routes of which a parameter takes all segments that follow."""

    def below(self, segment: str) -> _Node:
        """The node of one more segment of a route's path, made if need be."""
        if "{" not in segment:
            return self.literal.setdefault(segment, _Node())
        self.parameter = self.parameter or _Node()
        return self.parameter


class Directory:
    """ASGI application in front of a router: finds the route, or passes the request on."""

    def __init__(self, app: ASGIApp, routes: Iterator[RouteContext]) -> None:
        self._app = app
        self._root = _Node()
        for place, route in enumerate(routes):
            node = self._root
            for segment in str(route.path).split("/"):
                if segment.endswith(":path}"):
                    node.open.append((place, route))
                    break
                node = node.below(segment)
            else:
                node.routes.append((place, route))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        app = self._app
        if scope["type"] == "http" and not scope.get("root_path"):
            app = self.chosen(scope) or app
        await app(scope, receive, send)

    def chosen(self, scope: Scope) -> ASGIApp | None:
        """The route that takes the request, noted in `scope`; None when none of ours does."""
        proposed = list(_ending(self._root, scope["path"].split("/"), 0))
        for _, route in sorted(proposed, key=lambda one: one[0]):
            match, found = route.matches(scope)
            if match is Match.FULL:
                scope.update(found, route=route.original_route)
                app: ASGIApp = route.app
                return app
        return None


def _ending(node: _Node, segments: list[str], at: int) -> Iterator[tuple[int, RouteContext]]:
    if at == len(segments):
        yield from node.routes
        return
    yield from node.open
    if (literal := node.literal.get(segments[at])) is not None:
        yield from _ending(literal, segments, at + 1)
    if node.parameter is not None:
        yield from _ending(node.parameter, segments, at + 1)


def install(app: FastAPI) -> None:
    """Puts a directory of all routes that the application has by now in front of its router."""
    router = app.router
    router.middleware_stack = Directory(router.middleware_stack, iter_route_contexts(app.routes))

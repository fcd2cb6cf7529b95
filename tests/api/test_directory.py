"""The directory finds the route that the framework would have found, and takes nothing else."""

import inspect
import re

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import Match

from supaplane_api import describe
from supaplane_api.documents import application
from supaplane_api.web import directory

APP = application()
OPERATIONS = list(describe.operations(APP))
IDS = [f"{one.method} {one.path}" for one in OPERATIONS]


def scope(method, path):
    return {"type": "http", "method": method, "path": path, "headers": [], "query_string": b""}


def in_turn(asked):
    """The first route that takes it, found as the framework does."""
    for route in iter_route_contexts(APP.routes):
        match, _ = route.matches(dict(asked))
        if match is Match.FULL:
            return route.endpoint
    return None


@pytest.mark.parametrize("one", OPERATIONS, ids=IDS)
def test_every_operation_is_found_as_if_all_routes_were_asked(one):
    path = re.sub(r"\{[^}]+\}", "something", one.path)
    asked = scope(one.method, path)
    assert APP.router.middleware_stack.chosen(asked) is not None
    assert asked["endpoint"] is in_turn(scope(one.method, path))
    assert asked["path_params"] == dict.fromkeys(re.findall(r"\{([^}]+)\}", one.path), "something")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/platform/projects/"),
        ("GET", "//platform/projects"),
        ("GET", "/platform/projects//status"),
        ("PUT", "/platform/profile"),
        ("GET", "/nope"),
        ("GET", ""),
    ],
)
def test_what_no_route_takes_is_left_to_the_framework(method, path):
    asked = scope(method, path)
    assert APP.router.middleware_stack.chosen(asked) is None
    assert "endpoint" not in asked


def test_of_two_routes_that_fit_the_first_one_answers():
    app, inner = FastAPI(), APIRouter()

    @inner.get("/{name}/x")
    def first(): ...

    @inner.get("/a/x")
    def second(): ...

    app.include_router(inner, prefix="/p")
    directory.install(app)
    asked = scope("GET", "/p/a/x")
    assert app.router.middleware_stack.chosen(asked)
    assert asked["endpoint"] is first


def test_a_parameter_may_take_all_segments_that_follow_and_keeps_its_turn():
    app, inner = FastAPI(), APIRouter()

    @inner.get("/a/x")
    def before(): ...

    @inner.get("/a/{rest:path}")
    def rest(): ...

    @inner.get("/a/y")
    def behind(): ...

    app.include_router(inner)
    directory.install(app)
    found = {}
    for path in ("/a/x", "/a/y", "/a/x/y/z", "/a/"):
        asked = scope("GET", path)
        assert app.router.middleware_stack.chosen(asked)
        found[path] = asked["endpoint"]
    assert found == {"/a/x": before, "/a/y": rest, "/a/x/y/z": rest, "/a/": rest}
    assert app.router.middleware_stack.chosen(scope("GET", "/a")) is None


@pytest.mark.parametrize("one", OPERATIONS, ids=IDS)
def test_no_route_and_no_dependency_runs_in_a_thread(one):
    pending, calls = [one.dependant], []
    while pending:
        dependant = pending.pop()
        pending += dependant.dependencies
        calls.append(dependant.call)
    slow = [
        call
        for call in calls
        if not inspect.iscoroutinefunction(call)
        and not inspect.iscoroutinefunction(type(call).__call__)
    ]
    assert slow == []

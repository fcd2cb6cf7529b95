"""Every route has one rule, and every rule holds for every role."""

import pytest

from supaplane_api.access import ALLOWED, Right, Role, may, require, studio_actions
from supaplane_api.deps import AnyAccount, Anyone, Member, OnProject
from supaplane_api.describe import operations
from supaplane_api.documents import application
from supaplane_api.problems import Missing, NotAllowed

ROUTES = [(o.method, o.path, o.rules) for o in operations(application())]
IDS = [f"{method} {path}" for method, path, _ in ROUTES]
PUBLIC = {
    "/auth/token",
    "/healthz",
    "/metrics",
    "/platform/profile/password-check",
    "/platform/signup",
    "/profile/password-check",
    "/readyz",
    "/signup",
}
BODIES = {
    ("POST", "organizations"): {"name": "Other", "tier": "tier_free"},
    ("PATCH", "{ref}"): {"name": "Renamed"},
    ("PUT", "settings"): {"name": "Renamed"},
    ("POST", "password-check"): {"password": "x"},
}


def test_there_are_routes():
    assert len(ROUTES) > 40


@pytest.mark.parametrize(("method", "path", "rules"), ROUTES, ids=IDS)
def test_every_route_has_exactly_one_rule(method, path, rules):
    assert len(rules) == 1, "give the route one dependency out of deps.py that says who may call it"
    assert rules[0].public == (path in PUBLIC)
    if "{ref}" in path:
        assert isinstance(rules[0], OnProject)
    elif "{slug}" in path:
        assert isinstance(rules[0], Member)
    else:
        assert isinstance(rules[0], (AnyAccount, Anyone))


@pytest.mark.parametrize("right", Right)
def test_every_right_is_somebodys_and_the_owners(right):
    assert Role.OWNER in ALLOWED[right]


@pytest.mark.parametrize("role", Role)
def test_every_role_has_its_words_in_studio(role):
    assert "read:Read" in studio_actions(role) or "%" in studio_actions(role)


def test_read_only_is_offered_nothing_that_writes():
    words = ("Write", "Create", "Delete", "Update", "Execute", "%", "secrets")
    assert [a for a in studio_actions(Role.READ_ONLY) if any(w in a for w in words)] == []


def test_strangers_learn_nothing_and_members_learn_which_role_it_takes():
    with pytest.raises(Missing):
        require(None, Right.PROJECT_CREATE, what="organization")
    with pytest.raises(NotAllowed, match=r"Developer.*Owner or Administrator"):
        require(Role.DEVELOPER, Right.PROJECT_CREATE, what="organization")
    assert require(Role.OWNER, Right.PROJECT_CREATE, what="organization") is Role.OWNER


def _body(method, path):
    for (of, end), body in BODIES.items():
        if method == of and path.endswith(end):
            return body
    return None


async def test_every_route_answers_every_role_as_its_rule_says(bench, project_body):
    """One walk over all routes as nobody, as a stranger and as each of the four roles."""
    owner = await bench.person()
    organization = await bench.organization(owner)
    made = await bench.project(owner, organization)
    stranger = await bench.person()
    members = {role: await bench.member(organization, role.value) for role in Role}
    wrong = []

    async def check(who, client, method, path, expected):
        place = path.format(slug=organization["slug"], ref=made["ref"])
        body = _body(method, path)
        if method == "POST" and path.endswith("/projects"):
            body = project_body(organization["slug"])
        answer = await client.request(method, place, json=body)
        if not expected(answer.status_code):
            wrong.append(f"{who}: {method} {path} -> {answer.status_code} {answer.text[:100]}")
        if answer.status_code >= 400 and "message" not in answer.json():
            wrong.append(f"{who}: {method} {path} says {answer.text[:100]}")

    for method, path, (rule,) in ROUTES:
        if rule.public or path.endswith("/logout"):
            continue
        await check("nobody", bench.client, method, path, lambda s: s == 401)
        right = rule.right or getattr(rule, "checks", None)
        hidden = right is not None
        await check(
            "stranger",
            stranger.client,
            method,
            path,
            (lambda s: s == 404) if hidden else (lambda s: s < 400),
        )
        for role, member in members.items():
            allowed = right is None or may(role, right)
            await check(
                role.value,
                member.client,
                method,
                path,
                (lambda s: s < 400) if allowed else (lambda s: s == 403),
            )
    assert wrong == []


async def test_a_project_of_strangers_is_told_like_one_that_is_not_there(bench):
    owner, stranger = await bench.person(), await bench.person()
    made = await bench.project(owner, await bench.organization(owner))
    foreign = await stranger.get(f"/projects/{made['ref']}/status")
    absent = await stranger.get(f"/projects/{'q' * 20}/status")
    assert foreign.status_code == absent.status_code == 404
    assert foreign.json() == absent.json()


async def test_who_is_put_out_of_an_organization_loses_sight_of_it_at_once(bench):
    owner = await bench.person()
    organization = await bench.organization(owner)
    made = await bench.project(owner, organization)
    member = await bench.member(organization, "Developer")
    assert (await member.get(f"/projects/{made['ref']}/status")).status_code == 200
    await bench.sql("DELETE FROM organization_membership WHERE role = 'Developer'")
    assert (await member.get(f"/projects/{made['ref']}/status")).status_code == 404
    assert (await member.get("/platform/projects")).json() == []
    assert (await member.get("/organizations")).json() == []


@pytest.mark.parametrize("role", Role)
async def test_secret_keys_are_shown_only_to_those_who_may_see_them(bench, role):
    owner = await bench.person()
    organization = await bench.organization(owner)
    made = await bench.project(owner, organization)
    member = await bench.member(organization, role.value)
    settings = (await member.get(f"/platform/projects/{made['ref']}/settings")).text
    api = (await member.get(f"/projects/{made['ref']}/api")).text
    assert made["anon_key"] in settings
    assert made["anon_key"] in api
    seen = may(role, Right.PROJECT_SECRETS)
    assert (made["service_key"] in settings) == seen
    assert (made["service_key"] in api) == seen

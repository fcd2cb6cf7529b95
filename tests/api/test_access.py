"""Every route has one rule, and every rule holds for every role."""

import re

import pytest

from supaplane_api.access import ALLOWED, Right, Role, may, require, studio_actions
from supaplane_api.deps import AnyAccount, Anyone, Member, OnProject
from supaplane_api.describe import operations
from supaplane_api.documents import application
from supaplane_api.problems import Missing, NotAllowed

ROUTES = [(o.method, o.path, o.rules) for o in operations(application())]
IDS = [f"{method} {path}" for method, path, _ in ROUTES]
PUBLIC = {
    "/auth/.well-known/jwks.json",
    "/auth/recover",
    "/auth/resend",
    "/auth/token",
    "/auth/verify",
    "/auth/verify/link",
    "/healthz",
    "/metrics",
    "/platform/profile/password-check",
    "/platform/reset-password",
    "/platform/signup",
    "/profile/password-check",
    "/readyz",
    "/reset-password",
    "/signup",
}
WRITES_FOR_EVERYBODY = {
    "/members/invitations/{token}",
    "/members/{gotrue_id}",
    "/analytics/endpoints/logs.all",
    "/objects/download",
    "/objects/list",
    "/objects/public-url",
    "/objects/sign",
    "/objects/sign-multi",
    "/pg-meta/{ref}/query",
    "/pg-meta/{ref}/query/format",
}
"""Ends of paths that Read-only may write to: each is its own, or only asks or reads."""
READING = ("GET", "HEAD")
TROUBLE = {501, 503}
"""What a route may answer honestly to those who may call it, while nothing runs."""


def test_there_are_routes():
    assert len(ROUTES) > 40


@pytest.mark.parametrize(("method", "path", "rules"), ROUTES, ids=IDS)
def test_every_route_has_exactly_one_rule(method, path, rules):
    assert len(rules) == 1, "give the route one dependency out of deps.py that says who may call it"
    assert rules[0].public == (path in PUBLIC)
    if "{ref}" in path:
        assert isinstance(rules[0], OnProject)
    elif "{slug}" in path and not path.endswith("/invitations/{token}"):
        assert isinstance(rules[0], Member)
    else:
        assert isinstance(rules[0], (AnyAccount, Anyone))


@pytest.mark.parametrize("right", Right)
def test_every_right_is_somebodys_and_the_owners(right):
    assert Role.OWNER in ALLOWED[right]


def test_the_documents_tell_the_same_rights(root):
    page = (root / "docs" / "api.md").read_text()
    table = page[page.index("| | Owner |") :].partition("\n\n")[0]
    head, _, *rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in table.split("\n")]
    assert head[1:] == [role.value for role in Role]
    told = {right: [cell == "yes" for cell in cells] for right, *cells in rows}
    assert told == {right.value: [may(role, right) for role in Role] for right in Right}


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


def _of_something(path):
    return "{ref}" in path or "{slug}" in path


@pytest.mark.parametrize(("method", "path", "rules"), ROUTES, ids=IDS)
def test_read_only_members_write_nothing(method, path, rules):
    if method in READING or not _of_something(path) or path.endswith(tuple(WRITES_FOR_EVERYBODY)):
        return
    assert not may(Role.READ_ONLY, rules[0].right), "give the route a right that reads do not have"


class Walk:
    """Calls every route as somebody, and remembers what was not as its rule says."""

    def __init__(self, bench, owner, organization, project):
        self.bench = bench
        self.owner = owner
        self.organization = organization
        self.project = project
        self.wrong = []

    def place(self, path):
        known = {"slug": self.organization["slug"], "ref": self.project["ref"]}
        for name in re.findall(r"{(\w+)", path):
            known.setdefault(name, "00000000-0000-4000-8000-000000000000")
        return re.sub(r"{(\w+)(:\w+)?}", lambda m: known[m[1]], path)

    async def call(self, who, client, method, path, expected, **more):
        answer = await client.request(method, self.place(path), **more)
        if not expected(answer.status_code):
            self.wrong.append(f"{who}: {method} {path} -> {answer.status_code} {answer.text[:100]}")
        if answer.status_code >= 400 and method != "HEAD" and "message" not in answer.json():
            self.wrong.append(f"{who}: {method} {path} says {answer.text[:100]}")

    async def made_anew(self):
        """What a call before took away, is there again."""
        slug = self.organization["slug"]
        if not await self.rows("SELECT 1 FROM organizations WHERE slug = %s", slug):
            self.organization = await self.bench.organization(self.owner)
        live = await self.rows(
            "SELECT 1 FROM project p JOIN organizations o ON o.id = p.organization_id"
            " WHERE p.ref = %s AND p.state = 'live' AND o.slug = %s",
            self.project["ref"],
            self.organization["slug"],
        )
        if not live:
            self.project = await self.bench.project(self.owner, self.organization)

    async def rows(self, sql, *values):
        """What a statement finds; in the application's pool, since there are a thousand of them."""
        async with self.bench.services.database.connection() as connection:
            return await (await connection.execute(sql, values)).fetchall()


async def _walk(bench):
    owner = await bench.person()
    organization = await bench.organization(owner)
    return Walk(bench, owner, organization, await bench.project(owner, organization))


async def test_every_route_refuses_who_may_not_call_it(bench):
    """As nobody, as a stranger and in every role that its rule leaves out; nothing is sent."""
    walk = await _walk(bench)
    stranger = await bench.person()
    members = {role: await bench.member(walk.organization, role.value) for role in Role}
    for method, path, (rule,) in ROUTES:
        if rule.public:
            continue
        await walk.call("nobody", bench.client, method, path, lambda s: s == 401)
        forged = {"Authorization": "Bearer eyJhbGciOiJub25lIn0.e30."}
        await walk.call("a forger", bench.client, method, path, lambda s: s == 401, headers=forged)
        if rule.right is None:
            continue
        await walk.call("stranger", stranger.client, method, path, lambda s: s == 404)
        for role, member in members.items():
            if not may(role, rule.right):
                await walk.call(role, member.client, method, path, lambda s: s == 403)
    assert walk.wrong == []


async def test_every_route_lets_pass_who_may_call_it(bench):
    """In every role that its rule names: what is sent may be refused, but not who sends it."""
    walk = await _walk(bench)
    readers = {role: await bench.member(walk.organization, role.value) for role in Role}
    for method, path, (rule,) in ROUTES:
        if rule.right is None:
            continue
        whole = "{" not in path.replace("{ref}", "").replace("{slug}", "")
        for role, reader in readers.items():
            if not may(role, rule.right):
                continue
            if method not in READING:
                await walk.made_anew()
                reader = await bench.member(walk.organization, role.value)

            def passed(status, whole=whole, reads=method in READING):
                if status in (401, 403) or (status >= 500 and status not in TROUBLE):
                    return False
                return not (reads and whole and status >= 400) or status in {400, 404, *TROUBLE}

            await walk.call(role, reader.client, method, path, passed)
    assert walk.wrong == []


@pytest.mark.parametrize("role", [role for role in Role if not may(role, Right.PROJECT_CREATE)])
async def test_projects_are_made_only_by_those_who_may(bench, project_body, role):
    organization = await bench.organization(await bench.person())
    member = await bench.member(organization, role.value)
    answer = await member.post("/platform/projects", project_body(organization["slug"]))
    assert answer.status_code == 403
    stranger = await bench.person()
    answer = await stranger.post("/platform/projects", project_body(organization["slug"]))
    assert answer.status_code == 404


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

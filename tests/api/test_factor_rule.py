"""An organization that demands a second factor: without one nothing of it opens."""

import base64

import pytest

from supaplane_api.auth import totp


@pytest.fixture
async def company(bench, clock):
    """An owner with a second factor, an organization that demands one, a project in it."""
    owner = await bench.person()
    organization = await bench.organization(owner)
    made = await bench.project(owner, organization)
    await protect(owner, clock)
    assert (await demand(owner, organization)).status_code == 200
    return owner, organization, made["ref"]


async def protect(person, clock):
    """Enrols a second factor and gives its code in this session."""
    body = {"friendly_name": "phone", "factor_type": "totp"}
    factor = (await person.post("/auth/factors", body)).json()
    text = factor["totp"]["secret"]
    secret = base64.b32decode(text + "=" * (-len(text) % 8))
    code = totp.code(secret, int(clock.now().timestamp()) // 30)
    asked = (await person.post(f"/auth/factors/{factor['id']}/challenge")).json()
    given = {"challenge_id": asked["id"], "code": code}
    answer = await person.post(f"/auth/factors/{factor['id']}/verify", given)
    assert answer.status_code == 200, answer.text


async def demand(person, organization, enforced=True):
    path = f"/platform/organizations/{organization['slug']}/members/mfa/enforcement"
    return await person.patch(path, {"enforced": enforced})


async def test_only_who_has_one_may_demand_it(bench, clock):
    owner = await bench.person()
    organization = await bench.organization(owner)
    refused = await demand(owner, organization)
    assert (refused.status_code, "lock yourself out" in refused.text) == (403, True)
    path = f"/platform/organizations/{organization['slug']}/members/mfa/enforcement"
    assert (await owner.get(path)).json() == {"enforced": False}
    await protect(owner, clock)
    assert (await demand(owner, organization)).json() == {"enforced": True}
    assert (await owner.get(path)).json() == {"enforced": True}
    rows = await bench.sql(
        "SELECT details FROM audit_log WHERE action = 'organization.factor-rule'"
    )
    assert rows == [({"enforced": True},)]


async def test_a_member_without_one_sees_that_it_is_there_and_nothing_of_it(bench, company):
    _, organization, ref = company
    member = await bench.member(organization, "Administrator")
    (listed,) = (await member.get("/platform/organizations")).json()
    assert listed["organization_requires_mfa"] is True
    slug = organization["slug"]
    for method, path, body in (
        ("GET", f"/platform/organizations/{slug}", None),
        ("GET", f"/platform/organizations/{slug}/members", None),
        ("GET", f"/platform/projects/{ref}", None),
        ("GET", f"/v1/projects/{ref}/api-keys?reveal=true", None),
        ("POST", f"/platform/projects/{ref}/pause", None),
        ("PATCH", f"/platform/organizations/{slug}/members/mfa/enforcement", {"enforced": False}),
        (
            "POST",
            "/platform/projects",
            {"name": "x", "organization_slug": slug, "db_pass": "Xk9-vine-harbor-oblique"},
        ),
    ):
        answer = await member.client.request(method, path, json=body)
        assert answer.status_code == 403, path
        assert "second factor" in answer.json()["message"], path
    assert (await member.get("/platform/projects")).json() == []
    assert (await member.get("/platform/profile/permissions")).json() == []


async def test_it_opens_with_the_code_and_closes_with_a_session_without(bench, company, clock):
    _, organization, ref = company
    member = await bench.member(organization, "Developer")
    await protect(member, clock)
    assert (await member.get(f"/platform/projects/{ref}")).status_code == 200
    assert [p["ref"] for p in (await member.get("/platform/projects")).json()] == [ref]
    again = await bench.sign_in(member.email)
    assert (await again.get(f"/platform/projects/{ref}")).status_code == 403


async def test_who_is_kept_out_may_leave_and_put_nobody_out(bench, company):
    owner, organization, _ = company
    member = await bench.member(organization, "Owner")
    path = f"/platform/organizations/{organization['slug']}/members"
    (own,) = await bench.sql("SELECT gotrue_id FROM accounts WHERE email = %s", (member.email,))
    (other,) = await bench.sql("SELECT gotrue_id FROM accounts WHERE email = %s", (owner.email,))
    assert (await member.client.delete(f"{path}/{other[0]}")).status_code == 403
    assert (await member.client.delete(f"{path}/{own[0]}")).is_success


async def test_a_project_is_not_given_to_it_by_who_is_kept_out(bench, company):
    _, organization, _ = company
    member = await bench.member(organization, "Owner")
    own = await bench.organization(member, "Own")
    ref = (await bench.project(member, own))["ref"]
    wish = {"target_organization_slug": organization["slug"]}
    told = (await member.post(f"/platform/projects/{ref}/transfer/preview", wish)).json()
    assert (told["valid"], told["errors"][0]["key"]) == (False, "no_factor")
    assert (await member.post(f"/platform/projects/{ref}/transfer", wish)).status_code == 400


async def test_an_access_token_goes_on_where_its_account_has_one(bench, company):
    owner, organization, ref = company
    member = await bench.member(organization, "Developer")
    for person, status in ((owner, 200), (member, 403)):
        made = await person.post("/platform/profile/access-tokens", {"name": "program"})
        assert made.status_code == 201, made.text
        header = {"Authorization": f"Bearer {made.json()['token']}"}
        answer = await bench.client.get(f"/platform/projects/{ref}", headers=header)
        assert answer.status_code == status


async def test_the_demand_can_be_taken_back(bench, company):
    owner, organization, ref = company
    member = await bench.member(organization, "Developer")
    assert (await demand(owner, organization, enforced=False)).status_code == 200
    assert (await member.get(f"/platform/projects/{ref}")).status_code == 200

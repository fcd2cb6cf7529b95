"""Organizations and what Studio asks about them."""

import asyncio
from datetime import UTC, datetime

import pytest

from supaplane_api.organizations import service


async def test_whoever_makes_an_organization_owns_it(bench):
    person = await bench.person()
    made = await bench.organization(person)
    assert made["is_owner"] is True
    assert made["plan"] == {"id": "free", "name": "Free"}
    permissions = (await person.get("/platform/profile/permissions")).json()
    assert permissions == [
        {
            "organization_id": made["id"],
            "organization_slug": made["slug"],
            "project_ids": [],
            "project_refs": [],
            "actions": ["%"],
            "resources": ["%"],
            "condition": None,
            "restrictive": False,
        }
    ]


async def test_without_an_organization_the_lists_are_empty(bench):
    person = await bench.person()
    for path in ("/organizations", "/profile/permissions", "/projects", "/platform/projects"):
        assert (await person.get(path)).json() == []


async def test_an_organization_is_found_by_slug_and_by_number(bench):
    person = await bench.person()
    made = await bench.organization(person)
    by_slug = await person.get(f"/platform/organizations/{made['slug']}")
    by_number = await person.get(f"/platform/organizations/{made['id']}")
    assert by_slug.json() == by_number.json() == made | {"has_oriole_project": False}


@pytest.mark.parametrize("slug", ["", "9" * 40, "²", "a/b", "%00", "acme%0A", "-", "999999"])
async def test_an_organization_that_is_not_there_is_not_found(bench, slug):
    person = await bench.person()
    await bench.organization(person)
    answer = await person.get(f"/platform/organizations/{slug}/usage")
    assert answer.status_code == 404
    assert answer.json()["message"]


async def test_a_hundred_organizations_of_one_name_have_a_hundred_slugs(bench):
    person = await bench.person()
    made = await asyncio.gather(*(bench.organization(person) for _ in range(100)))
    assert len({one["slug"] for one in made}) == 100


async def test_a_slug_that_is_taken_is_tried_with_another_ending(bench, monkeypatch):
    person = await bench.person()
    await bench.organization(person)
    (slug,) = (await bench.sql("SELECT slug FROM organizations"))[0]
    offered = iter([slug, slug, "acme-zzzzzz"])
    monkeypatch.setattr(service, "slug_for", lambda *_: next(offered))
    assert (await bench.organization(person))["slug"] == "acme-zzzzzz"


@pytest.mark.parametrize("tier", ["tier_pro", "tier_team", "x"])
async def test_a_paid_plan_cannot_be_had(bench, tier):
    person = await bench.person()
    answer = await person.post("/platform/organizations", {"name": "Acme", "tier": tier})
    assert answer.status_code == 400
    assert "no paid plans" in answer.json()["message"]
    assert await bench.sql("SELECT 1 FROM organizations") == []


async def test_when_membership_fails_no_organization_is_left(bench, monkeypatch):
    from supaplane_api.organizations import repository

    async def broken(*_args, **_more):
        raise RuntimeError("the process ends here")

    person = await bench.person()
    monkeypatch.setattr(repository, "insert_member", broken)
    answer = await person.post("/organizations", {"name": "Acme"})
    assert answer.status_code == 500
    assert await bench.sql("SELECT 1 FROM organizations") == []


async def test_the_subscription_is_free_so_that_studio_offers_to_pause(bench):
    person = await bench.person()
    slug = (await bench.organization(person))["slug"]
    told = (await person.get(f"/platform/organizations/{slug}/billing/subscription")).json()
    assert told["plan"]["id"] == "free"
    assert told["addons"] == told["project_addons"] == []
    assert told["scheduled_plan_change"] is None
    start = datetime.fromtimestamp(told["current_period_start"], UTC)
    end = datetime.fromtimestamp(told["current_period_end"], UTC)
    assert start == datetime(2026, 11, 1, tzinfo=UTC)
    assert end == datetime(2026, 12, 1, tzinfo=UTC)


def test_december_ends_in_january():
    told = service.subscription(datetime(2026, 12, 31, 23, 59, tzinfo=UTC))
    assert datetime.fromtimestamp(told.current_period_end, UTC) == datetime(2027, 1, 1, tzinfo=UTC)


async def test_pages_that_ask_for_nothing_are_told_nothing(bench):
    person = await bench.person()
    slug = (await bench.organization(person))["slug"]
    expected = {
        f"/organizations/{slug}/members/reached-free-project-limit": [],
        f"/platform/organizations/{slug}/usage": {
            "usage_billing_enabled": False,
            "usages": [],
            "not_measured": [],
        },
        "/platform/notifications": [],
        "/platform/notifications/summary": {
            "has_critical": False,
            "has_warning": False,
            "unread_count": 0,
        },
        "/platform/stripe/invoices/overdue": [],
    }
    for path, value in expected.items():
        assert (await person.get(path)).json() == value


async def test_what_the_platform_can_do_is_allowed_and_what_it_cannot_is_not(bench):
    person = await bench.person()
    slug = (await bench.organization(person))["slug"]
    told = (await person.get(f"/platform/organizations/{slug}/entitlements")).json()
    by_key = {one["feature"]["key"]: one for one in told["entitlements"]}
    assert len(by_key) == len(told["entitlements"]) > 50
    assert by_key["project_pausing"]["hasAccess"] is True
    assert by_key["instances.read_replicas"]["hasAccess"] is False
    assert by_key["function.max_count"]["config"]["unlimited"] is True
    sizes = by_key["instances.compute_update_available_sizes"]["config"]["set"]
    assert "ci_large" in sizes
    assert "ci_dev" not in sizes
    for one in told["entitlements"]:
        assert one["type"] == one["feature"]["type"]
        assert one["config"]["enabled"] is one["hasAccess"]

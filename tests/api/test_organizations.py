"""Organizations and what Studio asks about them."""

import asyncio
from datetime import UTC, datetime

import pytest

from supaplane_api.organizations import service

from .pages import CALLS, Needs

LIMITS = {
    "backup.retention_days": 0,
    "branching_limit": 0,
    "function.max_count": 64,
    "function.size_limit_mb": 1,
    "security.audit_logs_days": 365,
    "storage.max_file_size": 536_870_912_000,
}
PLATFORM, V1 = "/platform/projects/{ref}", "/v1/projects/{ref}"
REFUSED = {
    "auth.platform.sso": ("GET", "/platform/organizations/{slug}/sso"),
    "backup.restore_to_new_project": ("POST", "/platform/database/{ref}/clone"),
    "branching_persistent": ("POST", f"{V1}/branches"),
    "instances.read_replicas": ("POST", f"{V1}/read-replicas/setup"),
    "integrations.github_connections": ("POST", "/platform/integrations/github/connections"),
    "log_drains": ("POST", f"{PLATFORM}/analytics/log-drains"),
    "pitr.available_variants": ("POST", "/platform/database/{ref}/backups/pitr"),
    "project_cloning": ("POST", "/platform/database/{ref}/clone"),
    "replication.etl": ("GET", "/platform/replication/{ref}/destinations"),
    "security.private_link": ("GET", f"{PLATFORM}/privatelink/associations"),
    "security.soc2_report": (
        "GET",
        "/platform/organizations/{slug}/documents/soc2-type-2-report",
    ),
    "storage.iceberg_catalog": ("GET", "/platform/storage/{ref}/analytics-buckets"),
    "storage.vector_buckets": ("GET", "/platform/storage/{ref}/vector-buckets"),
}
"""A call that each of them would need."""


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
    limits = {key: by_key[key]["config"]["value"] for key in LIMITS}
    assert limits == LIMITS
    sizes = by_key["instances.compute_update_available_sizes"]["config"]["set"]
    assert "ci_large" in sizes
    assert "ci_dev" not in sizes
    for one in told["entitlements"]:
        assert one["type"] == one["feature"]["type"]
        assert one["config"]["enabled"] is one["hasAccess"]


async def test_nothing_is_allowed_that_is_answered_with_501(bench):
    """Studio asks first whether it is allowed, and shows a form only then."""
    refused = {(c.method, c.pattern) for c in CALLS if c.needs is Needs.REFUSED}
    assert refused >= set(REFUSED.values())
    person = await bench.person()
    slug = (await bench.organization(person))["slug"]
    told = (await person.get(f"/platform/organizations/{slug}/entitlements")).json()
    allowed = {one["feature"]["key"] for one in told["entitlements"] if one["hasAccess"]}
    assert not allowed & REFUSED.keys()

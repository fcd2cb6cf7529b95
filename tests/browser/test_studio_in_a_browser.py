"""What Studio does, done in a browser, on another origin than the API's."""

import asyncio
import base64
import itertools
import time

import pytest
from playwright.async_api import Error

from supaplane_api.auth import totp

pytestmark = pytest.mark.browser

PASSWORD = "plum kettle orbit 47"
_numbers = itertools.count()


def wish(slug, name):
    return {
        "name": name,
        "organization_slug": slug,
        "db_pass": "violet-harbor-92-saddle",
        "db_region": "eu-central-1",
    }


async def signed_in(studio):
    email = f"person{next(_numbers)}@example.org"
    await studio("signUp", email, PASSWORD)
    assert await studio("signIn", email, PASSWORD) == email
    return email


async def becomes_healthy(studio, ref):
    seen = []
    async with asyncio.timeout(60):
        while "ACTIVE_HEALTHY" not in seen:
            seen.append(await studio("status", ref))
            await asyncio.sleep(0.05)
    return list(dict.fromkeys(seen))


async def listed(studio, project):
    """Waits until the list holds that project alone."""
    async with asyncio.timeout(60):
        while True:
            if await studio("list") == [project]:
                return
            await asyncio.sleep(0.05)


def code_of(secret, steps_ahead=0):
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    return totp.code(key, int(time.time()) // 30 + steps_ahead)


async def test_a_project_is_made_watched_renamed_and_deleted(studio):
    email = await signed_in(studio)
    assert await studio("profile") == email
    slug = await studio("organization", "Acme")
    assert await studio("list") == []
    ref = await studio("create", wish(slug, "Shop"))
    assert await becomes_healthy(studio, ref) == ["COMING_UP", "ACTIVE_HEALTHY"]
    assert await studio("rename", ref, "Wörkshop 🛠") == "Wörkshop 🛠"
    await listed(studio, {"name": "Wörkshop 🛠", "status": "ACTIVE_HEALTHY"})
    assert await studio("remove", ref) == ref


async def test_a_second_factor_lifts_the_session_and_is_asked_for_from_then_on(studio):
    email = await signed_in(studio)
    assert await studio("assurance") == ["aal1", "aal1"]
    factor = await studio("enroll", "phone")
    assert "<svg" in factor["picture"]
    await studio("verify", factor["id"], code_of(factor["secret"]))
    assert await studio("assurance") == ["aal2", "aal2"]
    assert await studio("factors") == [factor["id"]]

    await studio("signOut")
    await studio("signIn", email, PASSWORD)
    assert await studio("assurance") == ["aal1", "aal2"]
    with pytest.raises(Error, match="second factor"):
        await studio("profile")
    await studio("verify", factor["id"], code_of(factor["secret"], steps_ahead=1))
    assert await studio("profile") == email


@pytest.mark.parametrize("generation", ["2024", "today"])
async def test_every_generation_of_the_sign_in_client_refreshes_and_signs_out(
    visit, studio_origin, generation
):
    studio = await visit(studio_origin, generation)
    email = await signed_in(studio)
    assert await studio("refresh") is True
    assert await studio("profile") == email
    ended = await studio("signOut")
    assert ended["signedIn"] is False
    token = {"headers": {"Authorization": f"Bearer {ended['access_token']}"}}
    assert (await studio("bare", "/platform/profile", token, []))["status"] == 401


async def test_a_session_outlives_the_reload_of_the_page(studio):
    email = await signed_in(studio)
    await studio.page.reload()
    assert await studio("profile") == email


async def test_the_browser_asks_for_leave_and_sends_only_then(studio):
    asked = []
    session = await studio.page.context.new_cdp_session(studio.page)
    await session.send("Network.enable")
    session.on(
        "Network.requestWillBeSent",
        lambda event: asked.append(event["request"]["method"]),
    )
    init = {"method": "PATCH", "headers": {"Authorization": "Bearer x", "Version": "2"}}
    answer = await studio("bare", "/platform/profile", init, [])
    assert answer["status"] == 401
    assert sorted(asked) == ["OPTIONS", "PATCH"]


async def test_the_page_reads_the_headers_that_are_exposed_and_no_others(studio):
    wanted = "3f0c8f5e-8a39-4d0e-9b27-0f2f1f0a6f61"
    answer = await studio(
        "bare",
        "/platform/profile",
        {"headers": {"X-Request-Id": wanted}},
        ["x-request-id", "referrer-policy"],
    )
    assert answer["status"] == 401
    assert "message" in answer["body"]
    assert answer["headers"] == {"x-request-id": wanted, "referrer-policy": None}


@pytest.mark.parametrize(
    "init",
    [{}, {"headers": {"Authorization": "Bearer x"}}, {"method": "DELETE"}],
    ids=["simple", "with-token", "delete"],
)
async def test_a_page_of_another_origin_reads_nothing(visit, serve, init):
    stranger = await visit(serve())
    with pytest.raises(Error, match="Failed to fetch"):
        await stranger("bare", "/platform/profile", init, [])


async def test_a_method_or_header_that_is_not_listed_is_not_sent(studio):
    for init in ({"method": "PROPFIND"}, {"headers": {"X-Invented": "1"}}):
        with pytest.raises(Error, match="Failed to fetch"):
            await studio("bare", "/platform/profile", init, [])

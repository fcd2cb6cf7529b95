"""Refresh tokens rotate; one that was stolen ends the whole family."""

import asyncio

from supaplane_api.auth import repository
from supaplane_api.housekeeping import tidy


async def refresh(bench, token):
    return await bench.client.post(
        "/auth/token?grant_type=refresh_token", json={"refresh_token": token}
    )


async def profile_with(bench, session):
    header = {"Authorization": f"Bearer {session['access_token']}"}
    return await bench.client.get("/profile", headers=header)


async def test_each_refresh_gives_another_token_of_the_same_session(bench, clock):
    person = await bench.person()
    seen, token = {person.session["refresh_token"]}, person.session["refresh_token"]
    for _ in range(4):
        clock.advance(minutes=50)
        answer = await refresh(bench, token)
        assert answer.status_code == 200, answer.text
        token = answer.json()["refresh_token"]
        assert token not in seen
        seen.add(token)
        assert (await profile_with(bench, answer.json())).status_code == 200
    assert await bench.sql("SELECT count(*) FROM sessions") == [(1,)]


async def test_a_repeated_refresh_gets_the_answer_that_was_lost(bench, clock):
    token = (await bench.person()).session["refresh_token"]
    first = await refresh(bench, token)
    clock.advance(seconds=10)
    again = await refresh(bench, token)
    assert again.status_code == 200
    assert again.json()["refresh_token"] == first.json()["refresh_token"]
    clock.advance(minutes=1)
    assert (await refresh(bench, first.json()["refresh_token"])).status_code == 200


async def test_a_repeated_refresh_after_two_steps_gets_the_newest_token(bench):
    oldest = (await bench.person()).session["refresh_token"]
    middle = (await refresh(bench, oldest)).json()["refresh_token"]
    newest = (await refresh(bench, middle)).json()["refresh_token"]
    assert (await refresh(bench, oldest)).json()["refresh_token"] == newest


async def test_many_tabs_that_refresh_at_once_agree(bench):
    token = (await bench.person()).session["refresh_token"]
    answers = await asyncio.gather(*(refresh(bench, token) for _ in range(12)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["refresh_token"] for answer in answers}) == 1
    assert await bench.sql("SELECT count(*) FROM refresh_tokens") == [(2,)]


async def test_reuse_ends_the_family_of_thief_and_owner(bench, clock):
    person = await bench.person()
    stolen = person.session["refresh_token"]
    owners = (await refresh(bench, stolen)).json()
    clock.advance(seconds=10.5)
    thief = await refresh(bench, stolen)
    assert thief.status_code == 400
    assert thief.json()["error_code"] == "refresh_token_already_used"
    assert (await refresh(bench, owners["refresh_token"])).status_code == 400
    assert (await profile_with(bench, owners)).status_code == 401
    assert (await profile_with(bench, person.session)).status_code == 401
    rows = await bench.sql("SELECT 1 FROM audit_log WHERE action = 'session.reuse'")
    assert len(rows) == 1


async def test_reuse_does_not_end_other_sessions_of_the_account(bench, clock):
    person = await bench.person()
    other = await bench.sign_in(person.email)
    await refresh(bench, person.session["refresh_token"])
    clock.advance(seconds=30)
    await refresh(bench, person.session["refresh_token"])
    assert (await other.get("/profile")).status_code == 200


async def test_an_unknown_token_is_not_found(bench):
    answer = await refresh(bench, "nobody-made-this")
    assert answer.status_code == 400
    assert answer.json()["error_code"] == "refresh_token_not_found"


async def test_a_session_that_nobody_refreshes_ends(bench, clock):
    person = await bench.person()
    clock.advance(days=bench.services.settings.session_days, seconds=1)
    answer = await refresh(bench, person.session["refresh_token"])
    assert answer.json()["error_code"] == "refresh_token_not_found"


async def test_after_signing_out_the_token_is_worth_nothing(bench):
    person = await bench.person()
    await person.post("/auth/logout")
    assert (await refresh(bench, person.session["refresh_token"])).status_code == 400


async def test_the_database_alone_gives_nobody_a_session(bench):
    """Only hashes are stored, and the next token needs the secret."""
    token = (await bench.person()).session["refresh_token"]
    stored = [bytes(row[0]) for row in await bench.sql("SELECT token_hash FROM refresh_tokens")]
    assert token.encode() not in stored
    for attempt in (stored[0].hex(), bench.services.refresh_tokens.next(stored[0].hex())):
        assert (await refresh(bench, attempt)).status_code == 400


async def test_old_sessions_and_tokens_are_forgotten_and_young_ones_are_not(bench, clock):
    idle = await bench.person()
    token = idle.session["refresh_token"]
    kept = await bench.person()
    clock.advance(days=29)
    young = (await refresh(bench, kept.session["refresh_token"])).json()["refresh_token"]
    clock.advance(days=9)
    assert await tidy(bench.services) == 1  # the idle session, with its token
    assert (await refresh(bench, token)).json()["error_code"] == "refresh_token_not_found"
    assert (await refresh(bench, young)).status_code == 200
    clock.advance(days=22)
    assert await tidy(bench.services) == 1  # the first token of the other, used 31 days ago


async def test_a_refresh_that_fails_half_way_changes_nothing(bench, monkeypatch):
    token = (await bench.person()).session["refresh_token"]

    async def broken(*_args, **_more):
        raise RuntimeError("the process ends here")

    with monkeypatch.context() as patched:
        patched.setattr(repository, "extend_session", broken)
        assert (await refresh(bench, token)).status_code == 500
    assert await bench.sql("SELECT used_at FROM refresh_tokens") == [(None,)]
    assert (await refresh(bench, token)).status_code == 200


async def test_refreshing_without_end_is_stopped(bench):
    attempts = 0
    while (await refresh(bench, "nobody-made-this")).status_code == 400 and attempts < 2000:
        attempts += 1
    assert 300 <= attempts < 2000

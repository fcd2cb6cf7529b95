"""Tokens for programs: shown once, kept as hashes, refused at once when they end."""

import re

import pytest

PATH = "/platform/profile/access-tokens"


async def _made(person, **more):
    answer = await person.post(PATH, {"name": "ci", **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def _as(bench, token, path="/platform/profile"):
    return await bench.client.get(path, headers={"Authorization": f"Bearer {token}"})


async def test_a_token_does_what_its_owner_may(bench):
    person = await bench.person()
    made = await _made(person)
    assert re.fullmatch(r"sbp_[0-9a-f]{40}", made["token"])
    told = await _as(bench, made["token"])
    assert told.json()["primary_email"] == person.email
    assert (await _as(bench, made["token"], "/platform/organizations")).status_code == 200


async def test_a_token_is_shown_once_and_kept_as_a_hash(bench):
    person = await bench.person()
    made = await _made(person)
    (listed,) = (await person.get(PATH)).json()
    assert "token" not in listed
    kept = await bench.sql("SELECT row_to_json(t)::text FROM access_tokens t")
    logged = await bench.sql("SELECT details::text FROM audit_log")
    assert made["token"] not in str(kept) + str(logged)


async def test_the_last_use_is_told(bench, clock):
    person = await bench.person()
    made = await _made(person)
    assert (await person.get(PATH)).json()[0]["last_used_at"] is None
    clock.advance(minutes=5)
    await _as(bench, made["token"])
    assert (await person.get(PATH)).json()[0]["last_used_at"].startswith("2026-11-22T12:05:00")


async def test_a_token_ends_when_it_says(bench, clock):
    made = await _made(await bench.person(), expires_at="2026-11-22T13:00:00Z")
    assert (await _as(bench, made["token"])).status_code == 200
    clock.advance(hours=1)
    assert (await _as(bench, made["token"])).status_code == 401


async def test_a_deleted_token_is_refused_at_once_and_others_cannot_delete_it(bench):
    person, stranger = await bench.person(), await bench.person()
    made = await _made(person)
    assert (await stranger.client.delete(f"{PATH}/{made['id']}")).status_code == 404
    assert (await _as(bench, made["token"])).status_code == 200
    assert (await person.client.delete(f"{PATH}/{made['id']}")).status_code == 200
    assert (await _as(bench, made["token"])).status_code == 401


@pytest.mark.parametrize("sql", ["UPDATE accounts SET disabled_at = now()", "DELETE FROM accounts"])
async def test_the_token_of_an_account_that_is_gone_is_refused(bench, sql):
    made = await _made(await bench.person())
    await bench.sql(sql)
    assert (await _as(bench, made["token"])).status_code == 401


async def test_a_token_makes_no_tokens(bench):
    made = await _made(await bench.person())
    header = {"Authorization": f"Bearer {made['token']}"}
    assert (await bench.client.post(PATH, json={"name": "x"}, headers=header)).status_code == 403


async def test_a_token_of_the_past_is_not_made(bench):
    person = await bench.person()
    answer = await person.post(PATH, {"name": "x", "expires_at": "2020-01-01T00:00:00Z"})
    assert answer.status_code == 400


async def test_a_made_up_token_is_refused(bench):
    assert (await _as(bench, "sbp_" + "0" * 40)).status_code == 401


async def test_a_session_is_listed_and_ended(bench):
    here = await bench.person()
    there = await bench.sign_in(here.email)
    listed = (await here.get("/platform/profile/sessions")).json()
    assert [one["current"] for one in listed].count(True) == 1
    (other,) = [one["id"] for one in listed if not one["current"]]
    assert (await here.client.delete(f"/platform/profile/sessions/{other}")).status_code == 204
    assert (await there.get("/profile")).status_code == 401
    assert (await here.get("/profile")).status_code == 200


async def test_names_of_an_account_change(bench):
    person = await bench.person()
    answer = await person.patch("/platform/profile", {"first_name": "Ada"})
    assert answer.json() == (await person.get("/platform/profile")).json()
    assert answer.json()["first_name"] == "Ada"
    assert (await person.patch("/profile", {"primary_email": "b@example.org"})).status_code == 400

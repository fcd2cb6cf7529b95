"""Hashing stays off the event loop, within bounds."""

import asyncio
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supaplane_api.auth.passwords import estimate
from supaplane_api.problems import Unavailable


async def test_a_password_fits_its_hash_and_no_other(passwords):
    kept = await passwords.hash("plum kettle")
    assert await passwords.verify(kept, "plum kettle")
    assert not await passwords.verify(kept, "plum kettl")
    assert not await passwords.verify(None, "plum kettle")
    assert not await passwords.verify("not a hash at all", "plum kettle")
    assert not passwords.outdated(kept)


async def test_the_loop_runs_on_while_passwords_are_hashed(passwords, monkeypatch):
    release = threading.Event()
    monkeypatch.setattr(passwords, "_hasher", _Slow(release))
    hashing = asyncio.create_task(passwords.hash("x"))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not hashing.done()
    release.set()
    assert await hashing == "hashed x"


async def test_past_the_queue_people_are_told_to_come_back(passwords, monkeypatch):
    release = threading.Event()
    monkeypatch.setattr(passwords, "_hasher", _Slow(release))
    waiting = [asyncio.create_task(passwords.hash(str(n))) for n in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable) as busy:
        await passwords.hash("one too many")
    assert int(busy.value.headers["Retry-After"]) >= 1
    release.set()
    assert len(await asyncio.gather(*waiting)) == 3
    assert passwords.pending == 0
    assert await passwords.hash("there is room again") == "hashed there is room again"


async def test_a_caller_who_goes_away_keeps_their_place_until_the_thread_is_free(
    passwords, monkeypatch
):
    release = threading.Event()
    monkeypatch.setattr(passwords, "_hasher", _Slow(release))
    gone = asyncio.create_task(passwords.hash("x"))
    await asyncio.sleep(0)
    gone.cancel()
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert passwords.pending == 1
    release.set()
    await asyncio.wait_for(passwords.hash("next"), timeout=60)
    assert passwords.pending == 0


@given(st.text(max_size=2000))
@settings(max_examples=200, deadline=None)
def test_any_text_can_be_judged(text):
    found = estimate(text, (text, "x"))
    assert 0 <= found.score <= 4


def test_no_password_takes_long_to_judge(until):
    """zxcvbn tries every reading of look-alikes: unmasked, this one would take until tomorrow."""
    worst = "4@8({[<369!1|0$5+7%2z" * 4
    judged = []
    worker = threading.Thread(target=lambda: judged.append(estimate(worst)), daemon=True)
    worker.start()
    worker.join(timeout=60)
    assert judged


@pytest.mark.parametrize(("password", "least"), [("p4$$w0rd", 0), ("Tr0ub4dour&3x!{9+", 4)])
def test_look_alikes_are_read_as_letters_as_before(password, least):
    assert estimate(password).score >= least
    assert (estimate("p4$$w0rd").score, estimate("password").score) == (0, 0)


def test_a_long_password_is_judged_by_its_beginning():
    assert estimate("ab" * 100_000) == estimate("ab" * 36)


class _Slow:
    def __init__(self, release):
        self.release = release

    def hash(self, password):
        assert self.release.wait(timeout=60)
        return f"hashed {password}"


async def test_the_check_of_a_password_needs_no_account(bench):
    answer = await bench.client.post("/profile/password-check", json={"password": "password"})
    assert answer.json()["result"]["score"] == 0
    assert answer.json()["result"]["feedback"]["warning"]
    strong = {"password": "violet-harbor-92-saddle"}
    answer = await bench.client.post("/platform/profile/password-check", json=strong)
    assert answer.json()["result"]["score"] == 4


async def test_checking_passwords_without_end_is_stopped(bench):
    started = time.monotonic()
    answers = [
        await bench.client.post("/profile/password-check", json={"password": "x"})
        for _ in range(62 + int(time.monotonic() - started))
    ]
    assert answers[0].status_code == 200
    assert 429 in {answer.status_code for answer in answers}

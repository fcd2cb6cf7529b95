"""Attempts are counted in bounded memory."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supaplane_api.auth.limits import MOST_BUCKETS, Limiter, network_of
from supaplane_api.problems import TooMany


class Time:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def tries(limiter, *key):
    count = 0
    while count < 10_000:
        try:
            limiter.take(*key)
        except TooMany:
            return count
        count += 1
    raise AssertionError("never stopped")


def test_a_burst_is_let_through_and_no_more():
    assert tries(Limiter(burst=5, seconds=60, clock=Time()), "a") == 5


def test_waiting_gives_attempts_back_one_by_one():
    time = Time()
    limiter = Limiter(burst=5, seconds=50, clock=time)
    tries(limiter, "a")
    time.now += 10
    assert tries(limiter, "a") == 1
    time.now += 1_000_000
    assert tries(limiter, "a") == 5


def test_the_answer_says_how_long_to_wait():
    limiter = Limiter(burst=1, seconds=30, clock=Time())
    limiter.take("a")
    with pytest.raises(TooMany) as stopped:
        limiter.take("a")
    assert stopped.value.headers["Retry-After"] == "30"


def test_keys_do_not_run_into_one_another():
    limiter = Limiter(burst=1, seconds=30, clock=Time())
    limiter.take("ab", "c")
    limiter.take("a", "bc")
    assert len(limiter) == 2


def test_a_flood_of_keys_takes_bounded_memory():
    limiter = Limiter(burst=5, seconds=60, clock=Time())
    for number in range(3 * MOST_BUCKETS):
        limiter.take(f"{number}@example.org" * 20, "192.0.2.1")
    assert len(limiter) == MOST_BUCKETS


def test_whoever_keeps_trying_is_not_forgotten_in_a_flood():
    limiter = Limiter(burst=5, seconds=60, most=100, clock=Time())
    tries(limiter, "villain")
    for number in range(1000):
        limiter.take(str(number))
        if number % 50 == 0:
            with pytest.raises(TooMany):
                limiter.take("villain")


@given(
    st.lists(st.sampled_from(["take", "give", "wait"]), max_size=60),
    st.integers(1, 5),
)
def test_no_sequence_gives_more_than_the_burst_at_once(steps, burst):
    time = Time()
    limiter = Limiter(burst=burst, seconds=10, clock=time)
    for step in steps:
        if step == "wait":
            time.now += random.Random(len(steps)).uniform(0, 30)
        elif step == "give":
            limiter.give_back("a")
        else:
            try:
                limiter.take("a")
            except TooMany:
                continue
    assert tries(limiter, "a") <= burst


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", "unknown"),
        (None, "unknown"),
        ("not an address", "unknown"),
    ],
)
def test_one_customers_addresses_count_as_one(address, network):
    assert network_of(address) == network

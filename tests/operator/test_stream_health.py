"""A replica that hears of no change is not ready, and says why."""

from __future__ import annotations

from supaplane_operator.stream_health import SEVERAL, WELL_SECONDS, StreamHealth


def ended(times: int, stream: StreamHealth, now: float = 0.0) -> float:
    """A stream that ended so often, each time a second after it had begun; the time then."""
    for _ in range(times):
        stream.begins(now)
        now += 1.0
        stream.ends(now)
    return now


def test_a_stream_that_was_never_started_is_no_trouble() -> None:
    assert StreamHealth().trouble(0.0) is None


def test_an_api_server_that_starts_again_is_no_trouble() -> None:
    stream = StreamHealth()
    assert stream.trouble(ended(SEVERAL - 1, stream)) is None


def test_a_stream_that_ends_again_and_again_is_told() -> None:
    stream = StreamHealth()
    now = ended(SEVERAL, stream)
    assert stream.trouble(now) == (
        f"the stream of SupabaseProjects ended {SEVERAL} times in a row: see the log"
    )
    stream.begins(now)
    assert stream.trouble(now + WELL_SECONDS / 2), "it has to prove itself"


def test_it_is_well_once_it_has_lived_for_a_while() -> None:
    stream = StreamHealth()
    now = ended(SEVERAL + 3, stream)
    stream.begins(now)
    assert stream.trouble(now + WELL_SECONDS + 1) is None
    stream.ends(now + WELL_SECONDS + 1)
    assert stream.trouble(now + WELL_SECONDS + 1) is None

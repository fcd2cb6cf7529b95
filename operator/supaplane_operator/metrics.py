"""What is counted, in Prometheus form."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

WRITES = frozenset({"create", "apply", "patch", "delete"})


class Metrics:
    """Counters of one process. Nothing global, so that tests do not see each other's."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "supaplane_requests",
            "Requests to the API server by verb, resource and HTTP status (0: no answer).",
            ("verb", "resource", "code"),
            registry=self.registry,
        )
        self._writes = Counter(
            "supaplane_writes",
            "Requests that change something, by verb and resource.",
            ("verb", "resource"),
            registry=self.registry,
        )
        self.passes = Counter(
            "supaplane_reconcile",
            "Passes over projects by result: ok, problem, again, error.",
            ("result",),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "supaplane_reconcile_seconds",
            "How long a pass over a project takes.",
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
            registry=self.registry,
        )
        self.stream_restarts = Counter(
            "supaplane_stream_restarts",
            "How often the stream of SupabaseProjects was started again after an error.",
            registry=self.registry,
        )
        self.release_fetches = Counter(
            "supaplane_release_fetches",
            "Questions to SERVICE_VERSION_URL by result: ok, refused (a release of it), failed.",
            ("result",),
            registry=self.registry,
        )
        self.dns_calls = Counter(
            "supaplane_dns_hook_calls",
            "Calls of the DNS hook by how it took them: yes, refused, failed.",
            ("result",),
            registry=self.registry,
        )

    def request(self, verb: str, resource: str, code: int) -> None:
        """The API server answered, or did not (0)."""
        self._requests.labels(verb, resource, str(code)).inc()
        if verb in WRITES:
            self._writes.labels(verb, resource).inc()

    def watch(self, collect: Callable[[], Iterable[GaugeMetricFamily]]) -> None:
        """Adds gauges that are read when somebody asks."""
        self.registry.register(_Reading(collect))

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self.registry)


class _Reading(Collector):
    def __init__(self, collect: Callable[[], Iterable[GaugeMetricFamily]]) -> None:
        self._collect = collect

    def collect(self) -> Iterable[GaugeMetricFamily]:
        return self._collect()


def gauge(name: str, help_: str, value: float) -> GaugeMetricFamily:
    """One number."""
    return GaugeMetricFamily(name, help_, value=value)


def by_label(
    name: str, help_: str, label: str, values: Iterable[tuple[str, float]]
) -> GaugeMetricFamily:
    """Numbers by one label."""
    family = GaugeMetricFamily(name, help_, labels=[label])
    for key, value in values:
        family.add_metric([key], value)
    return family


def tally(words: Iterable[str]) -> Iterator[tuple[str, float]]:
    """How often each word occurs."""
    return ((word, float(count)) for word, count in sorted(Tally(words).items()))

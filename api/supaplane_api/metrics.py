"""What does this process count? Prometheus metrics, one registry per application."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

disable_created_metrics()  # type: ignore[no-untyped-call]  # the package does not type it

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """All counters. Labels are routes and words of ours, never text of a caller's."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._readers: list[tuple[Gauge, Callable[[], Mapping[str, float]]]] = []
        count = self._counter
        self.requests = count("requests", "Answered requests", "method", "route", "status")
        self.seconds = Histogram(
            "supaplane_api_request_seconds",
            "Time until the answer was sent",
            ["route"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.unknown_fields = count(
            "unknown_body_fields",
            "Fields of request bodies that this version does not know",
            "route",
        )
        self.unreadable = count(
            "unreadable",
            "What was found in SupabaseProjects and is not known to this version",
            "what",
        )
        self.sign_ins = count("sign_ins", "Sign-ins and refreshes by outcome", "grant", "outcome")
        self.mails = count("mails", "Mails that were tried, by outcome", "kind", "outcome")
        self.kube_requests = count(
            "kube_requests", "Requests to the Kubernetes API server", "verb", "resource", "status"
        )
        self.swept = count("swept", "What the sweeper did to projects", "action")
        self.background_failures = count(
            "background_failures",
            "Background work that ended unexpectedly and was begun again",
            "work",
        )
        self.sweep_failures = count("sweep_failures", "Turns of the sweeper that failed")

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"supaplane_api_{name}_total", text, labels, registry=self.registry)

    def gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        """A value that is read when somebody asks for the metrics."""
        Gauge(name, text, registry=self.registry).set_function(read)

    def gauges(
        self, name: str, text: str, label: str, read: Callable[[], Mapping[str, float]]
    ) -> None:
        """Values by one label, read when somebody asks for the metrics."""
        self._readers.append((Gauge(name, text, [label], registry=self.registry), read))

    def text(self) -> bytes:
        """The metrics in Prometheus' text form."""
        for gauge, read in self._readers:
            gauge.clear()
            for label, value in read().items():
                gauge.labels(label).set(value)
        return generate_latest(self.registry)

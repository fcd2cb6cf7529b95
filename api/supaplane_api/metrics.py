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
        self.requests = Counter(
            "supaplane_api_requests_total",
            "Answered requests",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "supaplane_api_request_seconds",
            "Time until the answer was sent",
            ["route"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.unknown_fields = Counter(
            "supaplane_api_unknown_body_fields_total",
            "Fields of request bodies that this version does not know",
            ["route"],
            registry=self.registry,
        )
        self.unreadable = Counter(
            "supaplane_api_unreadable_total",
            "What was found in SupabaseProjects and is not known to this version",
            ["what"],
            registry=self.registry,
        )
        self.sign_ins = Counter(
            "supaplane_api_sign_ins_total",
            "Sign-ins and refreshes by outcome",
            ["grant", "outcome"],
            registry=self.registry,
        )
        self.mails = Counter(
            "supaplane_api_mails_total",
            "Mails that were tried, by outcome",
            ["kind", "outcome"],
            registry=self.registry,
        )
        self.kube_requests = Counter(
            "supaplane_api_kube_requests_total",
            "Requests to the Kubernetes API server",
            ["verb", "resource", "status"],
            registry=self.registry,
        )
        self.swept = Counter(
            "supaplane_api_swept_total",
            "What the sweeper did to projects",
            ["action"],
            registry=self.registry,
        )
        self.background_failures = Counter(
            "supaplane_api_background_failures_total",
            "Background work that ended unexpectedly and was begun again",
            ["work"],
            registry=self.registry,
        )
        self.sweep_failures = Counter(
            "supaplane_api_sweep_failures_total",
            "Turns of the sweeper that failed",
            registry=self.registry,
        )

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

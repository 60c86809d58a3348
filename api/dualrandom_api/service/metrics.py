"""What /metrics tells, in Prometheus' text format: requests, their time, jobs, documents from memory. Nothing about anybody."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The counters of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "dualrandom_requests",
            "Answers by route and status",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "dualrandom_request_seconds",
            "Time to the end of an answer",
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.from_memory = Counter(
            "dualrandom_documents_from_memory",
            "Published documents served from memory",
            registry=self.registry,
        )
        self.jobs = Gauge(
            "dualrandom_jobs", "Jobs by kind and state", ("kind", "state"), registry=self.registry
        )
        self.mails = Gauge("dualrandom_mails", "Mails by state", ("state",), registry=self.registry)

    def text(self) -> bytes:
        """Return all of them in the text format."""
        return generate_latest(self.registry)

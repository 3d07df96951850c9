"""What Prometheus asks for at /metrics. Plain numbers that are counted up; the library only writes them down."""

import collections
import resource
from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST

CONTENT_TYPE = CONTENT_TYPE_LATEST

# By outcome (stored, spooled, set_aside, duplicate, conflict); by signal; by a problem's code.
accepted: collections.Counter[str] = collections.Counter()
signalled: collections.Counter[str] = collections.Counter()
refused: collections.Counter[str] = collections.Counter()

_registry = CollectorRegistry()
commit_seconds = Histogram(
    "edge_commit_seconds",
    "From sending a batch to its commit.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2),
    registry=_registry,
)
batch_rows = Histogram(
    "edge_batch_rows", "Submissions in one commit.", buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 500), registry=_registry
)


def committed(rows: int, seconds: float) -> None:
    """One batch is in PostgreSQL."""
    commit_seconds.observe(seconds)
    batch_rows.observe(rows)


class _Counted:
    def __init__(self, gauges: Callable[[], dict[str, tuple[str, float]]]) -> None:
        self._gauges = gauges

    def collect(self) -> Iterable[Metric]:
        for name, told, label, numbers in (
            ("edge_accepted", "Submissions that got a receipt.", "outcome", accepted),
            (
                "edge_signals",
                "What spoke against (or for) accepted submissions; the office holds by them.",
                "signal",
                signalled,
            ),
            ("edge_refused", "Answers that were no receipt.", "code", refused),
        ):
            family = CounterMetricFamily(name, told, labels=[label])
            for named, number in sorted(numbers.items()):
                family.add_metric([named], number)
            yield family
        for name, (about, value) in self._gauges().items():
            yield GaugeMetricFamily(f"edge_{name}", about, value=value)
        usage = resource.getrusage(resource.RUSAGE_SELF)
        yield CounterMetricFamily("edge_cpu_seconds", "Of this process.", value=usage.ru_utime + usage.ru_stime)
        yield GaugeMetricFamily("edge_peak_memory_bytes", "Of this process.", value=usage.ru_maxrss * 1024)


def expose(gauges: Callable[[], dict[str, tuple[str, float]]]) -> Callable[[], bytes]:
    """`gauges` gives name → (description, value). Returns what writes the page."""
    counted = _Counted(gauges)

    def page() -> bytes:
        _registry.register(counted)
        try:
            return generate_latest(_registry)
        finally:
            _registry.unregister(counted)

    return page

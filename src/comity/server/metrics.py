"""``/metrics`` in Prometheus' text format: requests, operations, tools, listeners, and what the workspace holds.

The values of every label are few and ours: routes as the table writes them, operations, tools, statuses; never an
agent, a path, a session or a text. What has to be looked up in the store is looked up at most every five seconds.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter as Tally
from collections.abc import Callable, Iterator
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from starlette.responses import Response

from comity import __version__
from comity.kernel.problem import Problem, Unavailable
from comity.kernel.registry import AnyOp
from comity.rooms import REGISTRY
from comity.rooms.channels.model import PRIORITIES
from comity.server.request_record import RequestRecord
from comity.server.route import Exchange, Route
from comity.server.state import ServerState

FRESH_S = 5.0  # how old what was looked up in the store may be
_MS = (1, 2.5, 5, 10, 25, 50, 80, 150, 250, 300, 500, 800, 1000)  # the service levels stand among them
BUCKETS = tuple(ms / 1000 for ms in _MS)


class Metrics:
    """Counts requests and operations. ``text`` is what `/metrics` answers."""

    def __init__(self, server: ServerState) -> None:
        self._server = server
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = registry = CollectorRegistry()
        self._requests = Histogram(
            "comity_request_duration_seconds",
            "Requests, by how long they took. A stream counts until it begins.",
            ("route", "method", "status"),
            buckets=BUCKETS,
            registry=registry,
        )
        self._operations = Histogram(
            "comity_operation_duration_seconds",
            "Operations that this server ran, by how long they took.",
            ("operation", "outcome"),
            buckets=BUCKETS,
            registry=registry,
        )
        self._tools = Counter("comity_tool_calls", "Calls of MCP tools.", ("tool", "outcome"), registry=registry)
        Gauge("comity_build_info", "The version that runs.", ("version",), registry=registry).labels(__version__).set(1)
        registry.register(_Live(server))
        self._stored = _Stored(server)
        registry.register(self._stored)
        ProcessCollector(registry=registry)
        GCCollector(registry=registry)
        self._children: dict[tuple[str, ...], Any] = {}

    def request_began(self, record: RequestRecord) -> None:
        """A request has come."""

    def request_ended(self, record: RequestRecord) -> None:
        """A request is over."""
        known = bool(record.route)
        key = (record.route if known else "none", record.method if known else "none", str(record.status))
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = self._requests.labels(*key)
        child.observe(record.began_s or record.seconds if record.stream else record.seconds)

    def watch(self, op: AnyOp, run: Callable[[], Any]) -> Any:
        """Run an operation and count it."""
        start = time.perf_counter()
        outcome = "internal"
        try:
            result = run()
            outcome = "ok"
            return result
        except Problem as problem:
            outcome = problem.kind
            raise
        finally:
            key = (op.name, outcome)
            child = self._children.get(key)
            if child is None:
                child = self._children[key] = self._operations.labels(*key)
            child.observe(time.perf_counter() - start)

    def tool_called(self, tool: str, outcome: str) -> None:
        """A tool that exists was called: ok, problem or failed."""
        self._tools.labels(tool, outcome).inc()

    async def text(self) -> bytes:
        """All figures."""
        if self._stored.due:
            await self._server.calls.work(self._stored.look)
        return await asyncio.to_thread(generate_latest, self._registry)


def routes() -> tuple[Route, ...]:
    """The route that monitoring asks."""
    return (Route("GET", "/metrics", "workspace.status", "Figures for Prometheus", _answer),)


async def _answer(exchange: Exchange) -> Response:
    figures = exchange.server.figures
    if figures is None:
        raise Unavailable("metrics.missing", "This server keeps no figures.", "Ask one that `comity serve` started.")
    return Response(await figures(), 200, {"cache-control": "no-store"}, CONTENT_TYPE_LATEST)


class _Live(Collector):
    """What is open now, as the server itself knows it."""

    def __init__(self, server: ServerState) -> None:
        self._server = server

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The figures of this moment."""
        server = self._server
        streams = Tally(record.route for record in list(server.open) if record.stream)
        opened = GaugeMetricFamily("comity_streams_open", "Streams and sockets that are open.", labels=["route"])
        for route, number in streams.items():
            opened.add_metric([route], number)
        yield opened
        running = len(server.open) - sum(streams.values())
        yield GaugeMetricFamily("comity_requests_running", "Requests that are being answered.", running)
        yield GaugeMetricFamily("comity_seats", "Agents that the server acts for.", server.seats.count)
        hub = server.feed.hub
        yield GaugeMetricFamily("comity_listeners", "Whoever listens to the log.", len(hub.all()))
        yield _counter("comity_events_delivered_total", "Events that listeners took.", hub.taken)
        yield _counter("comity_gaps_total", "Times that listeners were told to read the log again.", hub.gaps)
        yield from _connections(server)
        yield GaugeMetricFamily("comity_uptime_seconds", "Since the start.", time.monotonic() - server.started)


def _connections(server: ServerState) -> Iterator[GaugeMetricFamily]:
    """Figures of connections as the sweeper saw them last; none where it sees nothing."""
    swept = [one for one in server.listening if one.swept]
    if not swept:
        return
    opened = GaugeMetricFamily("comity_connections_open", "Connections, by whether they asked.", labels=["asked"])
    silent = sum(one.silent for one in swept)
    opened.add_metric(["yes"], sum(one.open for one in swept) - silent)
    opened.add_metric(["no"], silent)
    yield opened
    cut = _counter("comity_connections_cut_total", "Connections that the server ended, by why.", labels=["why"])
    for why, number in sum((one.cut for one in swept), Tally()).items():
        cut.add_metric([why], number)
    yield cut
    held = GaugeMetricFamily("comity_held_bytes", "What clients do not take or do not finish.", labels=["what"])
    held.add_metric(["answers"], sum(one.unread_bytes for one in swept))
    held.add_metric(["messages"], sum(one.unfinished_bytes for one in swept))
    held.add_metric(["bodies"], server.bodies.total)
    yield held


class _Stored(Collector):
    """What the store holds. ``look`` reads; ``collect`` only tells."""

    def __init__(self, server: ServerState) -> None:
        self._server = server
        self._looked = 0.0
        self._figures: list[GaugeMetricFamily] = []

    @property
    def due(self) -> bool:
        """Whether to look again."""
        return not self._figures or time.monotonic() - self._looked > FRESH_S

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The figures of the last look."""
        yield from self._figures

    def look(self) -> None:
        """Read what the figures are. A store that is away leaves the old ones."""
        self._looked = time.monotonic()
        workspace, server = self._server.workspace, self._server
        try:
            status = workspace.perform(REGISTRY.get("workspace.status"))
            newest = workspace.call("event.list", {"newest": 1, "limit": 1}).events
            counted = workspace.call("workspace.overview").counts.tasks
        except Problem:
            return
        pending = GaugeMetricFamily("comity_deliveries_pending", "Messages that wait.", labels=["priority"])
        for name in PRIORITIES:
            pending.add_metric([name], getattr(status.pending, name))
        tasks = GaugeMetricFamily("comity_tasks", "Tasks that are not archived.", labels=["state"])
        for state, number in counted.items():
            tasks.add_metric([state], number)
        last = newest[-1].id if newest else 0
        behind = max(0, last - server.feed.hub.reached)
        self._figures = [
            GaugeMetricFamily("comity_agents", "Agents that are active.", status.agents),
            GaugeMetricFamily("comity_channels", "Channels with members.", status.channels),
            GaugeMetricFamily("comity_events_kept", "Events in the log.", status.events),
            pending,
            GaugeMetricFamily("comity_feed_behind_events", "Events that listeners were not yet handed.", behind),
            GaugeMetricFamily("comity_store_bytes", "The database and its log.", workspace.store.size_bytes()),
            tasks,
        ]


def _counter(name: str, words: str, value: float | None = None, labels: list[str] | None = None) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, words, value, labels)
    family.type = "counter"
    return family

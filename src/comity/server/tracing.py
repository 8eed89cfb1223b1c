"""OpenTelemetry: a span for each request and each operation, and the log's lines, sent by OTLP. An extra, and optional.

Loaded only when the environment asks for it (``OTEL_EXPORTER_OTLP_ENDPOINT`` and its like), which the SDK reads itself.
A trace that a client began goes on; what is sent holds routes, statuses and operations, never a query or a content.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextvars import Token
from typing import Any

from opentelemetry import context, propagate, trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode

from comity import __version__
from comity.kernel.problem import Problem
from comity.kernel.registry import AnyOp
from comity.kernel.trace import TRACEPARENT
from comity.server.request_record import RequestRecord

_SEVERITY = {
    "debug": SeverityNumber.DEBUG,
    "info": SeverityNumber.INFO,
    "warning": SeverityNumber.WARN,
    "error": SeverityNumber.ERROR,
}
_FLUSH_MS = 1500


class Tracing:
    """Traces of requests, and of operations around another watch of them. Ends with ``close``."""

    def __init__(self, watch: Callable[[AnyOp, Callable[[], Any]], Any]) -> None:
        resource = Resource.create({"service.name": "comity", "service.version": __version__})
        self._watch = watch
        self._spans = TracerProvider(resource=resource)
        self._spans.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._logs = LoggerProvider(resource=resource)
        self._logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
        self._tracer = self._spans.get_tracer("comity", __version__)
        self._logger = self._logs.get_logger("comity", __version__)
        self._open: dict[RequestRecord, tuple[trace.Span, Token[context.Context]]] = {}

    def request_began(self, record: RequestRecord) -> None:
        """A request has come: its span begins, as part of the client's trace if there is one."""
        parent = propagate.extract({"traceparent": record.traceparent})
        span = self._tracer.start_span(record.method, parent, SpanKind.SERVER)
        self._open[record] = (span, context.attach(trace.set_span_in_context(span)))
        found = span.get_span_context()
        record.trace_id = trace.format_trace_id(found.trace_id)
        TRACEPARENT.set(_traceparent(found))

    def request_ended(self, record: RequestRecord) -> None:
        """A request is over."""
        span, token = self._open.pop(record)
        span.update_name(f"{record.method} {record.route}".strip())
        span.set_attribute("http.request.method", record.method)
        span.set_attribute("http.response.status_code", record.status)
        span.set_attribute("comity.request_id", record.request_id)
        if record.route:
            span.set_attribute("http.route", record.route)
        if record.problem is not None:
            span.set_attribute("error.type", record.problem.reason)
        if record.status >= 500:
            span.set_status(Status(StatusCode.ERROR))
        span.end()
        context.detach(token)

    def watch(self, op: AnyOp, run: Callable[[], Any]) -> Any:
        """Run an operation in a span of its own; what it sends carries that span."""
        if not trace.get_current_span().get_span_context().is_valid:
            return self._watch(op, run)  # the server's own call: it looks after itself
        with self._tracer.start_as_current_span(op.name, record_exception=False, set_status_on_exception=False) as span:
            before = TRACEPARENT.set(_traceparent(span.get_span_context()))
            try:
                return self._watch(op, run)
            except Problem as problem:
                span.set_attribute("error.type", problem.reason)
                raise
            finally:
                TRACEPARENT.reset(before)

    def line(self, entry: dict[str, Any]) -> None:
        """A line of the log."""
        level = entry["level"]
        kept = {name: value for name, value in entry.items() if name not in ("ts", "level", "trace", "traceId")}
        now = time.time_ns()
        self._logger.emit(
            LogRecord(
                timestamp=now,
                observed_timestamp=now,
                context=_context_of(entry.get("traceId")),
                severity_number=_SEVERITY[level],
                severity_text=level,
                body=entry.get("message") or f"{entry.get('method', '')} {entry.get('route', '')}".strip(),
                attributes=kept,
            )
        )

    def close(self) -> None:
        """Send what waits, within a bound."""
        self._spans.force_flush(_FLUSH_MS)
        self._logs.force_flush(_FLUSH_MS)
        self._spans.shutdown()
        self._logs.shutdown()


def _traceparent(found: trace.SpanContext) -> str:
    ids = (trace.format_trace_id(found.trace_id), trace.format_span_id(found.span_id))
    return f"00-{ids[0]}-{ids[1]}-{int(found.trace_flags):02x}"


def _context_of(trace_id: object) -> context.Context:
    if not isinstance(trace_id, str):
        return context.Context()
    found = trace.SpanContext(int(trace_id, 16), 1, is_remote=False, trace_flags=trace.TraceFlags(1))
    return trace.set_span_in_context(trace.NonRecordingSpan(found), context.Context())

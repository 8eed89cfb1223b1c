"""The trace that a call belongs to (W3C Trace Context): it goes with the call, and into the messages that it sends.

A door sets ``TRACEPARENT`` for as long as a call runs; empty means that nothing is traced.
"""

from __future__ import annotations

from contextvars import ContextVar

TRACEPARENT: ContextVar[str] = ContextVar("traceparent", default="")
_LENGTHS = (2, 32, 16, 2)
_HEXADECIMAL = frozenset("0123456789abcdef-")


def traceparent(text: object) -> str:
    """The header's value if it has the form that everybody understands, else nothing."""
    if not isinstance(text, str) or len(text) != 55 or not _HEXADECIMAL.issuperset(text):
        return ""
    version, trace_id, span_id, _ = parts = text.split("-") if text.count("-") == 3 else ("ff", "", "", "")
    known = tuple(map(len, parts)) == _LENGTHS and version != "ff"
    return text if known and trace_id.strip("0") and span_id.strip("0") else ""

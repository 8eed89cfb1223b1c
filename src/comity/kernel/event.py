"""Events: facts that an operation appends in its own transaction (rows of the protocol's ``audit_log``)."""

from __future__ import annotations

from comity.kernel.named_tuple import NamedTuple

MACP_OK = "MACP_OK"


class Event(NamedTuple):
    """One audit row to be written: MACP v1.0, reference section 2.11.

    ``agent_id`` is the recipient for deliveries; ``metadata`` is a JSON object. ``subjects`` are pairs of a kind and an
    id, such as ``("task", task_id)``: what the event is about, indexed so that a thing's history is no scan.
    """

    event_type: str
    message_id: str | None = None
    delivery_id: str | None = None
    agent_id: str | None = None
    channel_id: str | None = None
    reason_code: str = MACP_OK
    metadata: dict[str, object] | None = None
    subjects: tuple[tuple[str, str], ...] = ()

"""What a server hears of its client: which version of which host it is, and whether that takes more hooks.

``init`` writes what every supported version takes where it cannot ask. Light, since each server looks once.
"""

from __future__ import annotations

from importlib import import_module

from comity.hosts.contract import adapter_of
from comity.hosts.host import Host, Version
from comity.hosts.versions import parse
from comity.system.files import read

_MOST_BYTES = 4_000_000


def takes_more(checkout: str, client: str, version: str) -> tuple[str, Version] | None:
    """Host and version, when hooks of Comity stand here for it that are fewer than this version takes.

    ``client`` and ``version`` are those of MCP's ``clientInfo``.
    """
    told, host = parse(version), host_of(client)
    if told is None or host is None or host.hooks is None:
        return None
    events = [event for event, span in host.hooks.spans.items() if span.harmful and span.holds(told)]
    try:
        text = read(checkout, host.hooks.file, _MOST_BYTES).decode("utf-8", "replace")
    except OSError:
        return None
    run = f" hook {host.name} "
    missing = any(event in host.hooks.events and run + event not in text for event in events)
    return (host.name, told) if run in text and missing else None


def host_of(client: str) -> Host | None:
    """The host with hooks whose client is called so: its name begins with the host's."""
    words = client.lower().split("-")
    for many in range(len(words), 0, -1):
        adapter = adapter_of("-".join(words[:many]))
        if adapter is not None:
            found: Host = import_module(f"comity.hosts.{adapter.host.replace('-', '_')}").HOST
            return found
    return None

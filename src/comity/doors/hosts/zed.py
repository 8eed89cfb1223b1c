"""Zed: ``context_servers`` in ``.zed/settings.json``."""

from __future__ import annotations

from comity.doors.hosts.host import STDIO, Host

HOST = Host(
    name="zed",
    title="Zed",
    file=".zed/settings.json",
    section=("context_servers",),
    entry={**STDIO, "env": {}},
    source="https://zed.dev/docs/ai/mcp",
    checked="2026-11-22",
    program="zed",
    http={"url": "URL", "headers": {}},
    note='versions before the "source" key was dropped want "source": "custom" in the entry',
)

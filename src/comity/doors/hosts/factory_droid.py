"""Factory Droid: ``.factory/mcp.json``."""

from __future__ import annotations

from comity.doors.hosts.host import STDIO, Host

HOST = Host(
    name="factory-droid",
    title="Factory Droid",
    file=".factory/mcp.json",
    section=("mcpServers",),
    entry={"type": "stdio", **STDIO},
    source="https://docs.factory.ai/cli/configuration/mcp",
    checked="2026-11-22",
    program="droid",
    http={"type": "http", "url": "URL"},
)

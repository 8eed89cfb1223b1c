"""JetBrains Junie: ``.junie/mcp/mcp.json``."""

from __future__ import annotations

from comity.doors.hosts.host import STDIO, Host

HOST = Host(
    name="junie",
    title="JetBrains Junie",
    file=".junie/mcp/mcp.json",
    section=("mcpServers",),
    entry=dict(STDIO),
    source="https://www.jetbrains.com/help/junie/model-context-protocol-mcp.html",
    checked="2026-11-22",
    program="junie",
)

"""Kiro, editor and command line: ``.kiro/settings/mcp.json``."""

from __future__ import annotations

from comity.doors.hosts.host import STDIO, Host

HOST = Host(
    name="kiro",
    title="Kiro",
    file=".kiro/settings/mcp.json",
    section=("mcpServers",),
    entry=dict(STDIO),
    source="https://kiro.dev/docs/mcp/configuration",
    checked="2026-11-22",
    program="kiro-cli",
)

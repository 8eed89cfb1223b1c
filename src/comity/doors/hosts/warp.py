"""Warp: ``.warp/.mcp.json``."""

from __future__ import annotations

from comity.doors.hosts.host import STDIO, Host

HOST = Host(
    name="warp",
    title="Warp",
    file=".warp/.mcp.json",
    section=("mcpServers",),
    entry=dict(STDIO),
    source="https://docs.warp.dev/agents/capabilities/mcp",
    checked="2026-11-22",
    program="warp-terminal",
    note="project servers are started by hand, under Settings, Agents, MCP servers",
)

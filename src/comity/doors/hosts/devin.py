"""Devin Desktop (once Windsurf) and Devin CLI: ``.devin/mcp_config.json``."""

from __future__ import annotations

from comity.doors.hosts.host import STDIO, Host

HOST = Host(
    name="devin",
    title="Devin Desktop and CLI",
    file=".devin/mcp_config.json",
    section=("mcpServers",),
    entry=dict(STDIO),
    source="https://docs.devin.ai/cli/extensibility/mcp/configuration",
    checked="2026-11-22",
    program="devin",
    note="older versions read .devin/config.json; its Cascade agent reads the user's own file only",
)

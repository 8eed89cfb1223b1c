"""Cursor: ``.cursor/mcp.json``; it replaces ``${workspaceFolder}`` in ``env``."""

from __future__ import annotations

from comity.doors.hosts.host import ROOT_VARIABLE, STDIO, Host

HOST = Host(
    name="cursor",
    title="Cursor",
    file=".cursor/mcp.json",
    section=("mcpServers",),
    entry={**STDIO, "env": {ROOT_VARIABLE: "${workspaceFolder}"}},
    source="https://cursor.com/docs/mcp",
    checked="2026-11-22",
    program="cursor",
    http={"url": "URL"},
    bearer={"headers": {"Authorization": "Bearer ${env:TOKEN_ENV}"}},
)

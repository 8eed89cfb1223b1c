"""Amazon Q Developer: ``.amazonq/mcp.json``; its command line has since become Kiro."""

from __future__ import annotations

from comity.doors.hosts.host import STDIO, Host

HOST = Host(
    name="amazon-q",
    title="Amazon Q Developer",
    file=".amazonq/mcp.json",
    section=("mcpServers",),
    entry=dict(STDIO),
    source="https://docs.aws.amazon.com/amazonq/latest/qdeveloper-ug/command-line-mcp-configuration.html",
    checked="2026-11-22",
    program="q",
)

"""Claude Code: ``.mcp.json``, which several other hosts read as well."""

from __future__ import annotations

from comity.doors.hosts.host import STDIO, Host

HOST = Host(
    name="claude-code",
    title="Claude Code",
    file=".mcp.json",
    section=("mcpServers",),
    entry={"type": "stdio", **STDIO},
    source="https://code.claude.com/docs/en/mcp",
    checked="2026-11-22",
    program="claude",
    http={"type": "http", "url": "URL"},
    bearer={"headers": {"Authorization": "Bearer ${TOKEN_ENV}"}},
    note="asks once whether the project's servers may run; CLAUDE_PROJECT_DIR tells the server the project",
)

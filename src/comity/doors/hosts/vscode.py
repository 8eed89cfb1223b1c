"""VS Code with GitHub Copilot: ``.vscode/mcp.json``, where the servers stand under ``servers``."""

from __future__ import annotations

from comity.doors.hosts.host import ROOT_VARIABLE, STDIO, Host

HOST = Host(
    name="vscode",
    title="VS Code",
    file=".vscode/mcp.json",
    section=("servers",),
    entry={"type": "stdio", **STDIO, "env": {ROOT_VARIABLE: "${workspaceFolder}"}},
    source="https://code.visualstudio.com/docs/copilot/reference/mcp-configuration",
    checked="2026-11-22",
    program="code",
    http={"type": "http", "url": "URL"},
)

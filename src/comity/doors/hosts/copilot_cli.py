"""GitHub Copilot CLI: reads Claude Code's ``.mcp.json``; ``stdio`` is its other word for ``local``."""

from __future__ import annotations

from comity.doors.hosts import claude_code

HOST = claude_code.HOST._replace(
    name="copilot-cli",
    title="GitHub Copilot CLI",
    source="https://docs.github.com/en/copilot/how-tos/copilot-cli/customize-copilot/add-mcp-servers",
    program="copilot",
    note="needs a trusted folder; `copilot -p` leaves project servers out unless "
    "GITHUB_COPILOT_PROMPT_MODE_WORKSPACE_MCP is set",
)

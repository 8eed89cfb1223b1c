"""OpenCode: ``opencode.json`` or ``opencode.jsonc``; command and arguments are one list."""

from __future__ import annotations

from comity.doors.hosts.host import ARGS, COMMAND, Host, Include

HOST = Host(
    name="opencode",
    title="OpenCode",
    file="opencode.json",
    section=("mcp",),
    entry={"type": "local", "command": [COMMAND, *ARGS], "enabled": True},
    source="https://opencode.ai/docs/mcp-servers/",
    checked="2026-11-22",
    program="opencode",
    http={"type": "remote", "url": "URL", "enabled": True},
    bearer={"headers": {"Authorization": "Bearer {env:TOKEN_ENV}"}, "oauth": False},
    others=("opencode.jsonc",),
    defaults=((("$schema",), "https://opencode.ai/config.json"),),
    includes=(Include(("instructions",), "AGENTS.md"),),
)

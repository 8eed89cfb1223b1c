"""Codex CLI: ``.codex/config.toml``, read in trusted projects only."""

from __future__ import annotations

from comity.doors.hosts.host import STDIO, Host

HOST = Host(
    name="codex",
    title="Codex CLI",
    file=".codex/config.toml",
    section=("mcp_servers",),
    entry=dict(STDIO),
    source="https://developers.openai.com/codex/mcp",
    checked="2026-11-22",
    program="codex",
    http={"url": "URL"},
    bearer={"bearer_token_env_var": "TOKEN_ENV"},
    format="toml",
    note="read in trusted projects only",
)

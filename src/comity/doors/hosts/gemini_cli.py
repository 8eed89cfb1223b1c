"""Gemini CLI: ``.gemini/settings.json``; it reads AGENTS.md only when ``context.fileName`` names it."""

from __future__ import annotations

from comity.doors.hosts.host import STDIO, Host, Include

HOST = Host(
    name="gemini-cli",
    title="Gemini CLI",
    file=".gemini/settings.json",
    section=("mcpServers",),
    entry=dict(STDIO),
    source="https://github.com/google-gemini/gemini-cli/blob/main/docs/reference/configuration.md",
    checked="2026-11-22",
    program="gemini",
    http={"httpUrl": "URL"},
    bearer={"headers": {"Authorization": "Bearer ${TOKEN_ENV}"}},
    includes=(Include(("context", "fileName"), "AGENTS.md", beside=("GEMINI.md",)),),
)

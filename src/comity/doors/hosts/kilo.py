"""Kilo Code: ``kilo.json``, shaped like OpenCode's file."""

from __future__ import annotations

from comity.doors.hosts.host import ARGS, COMMAND, Host

HOST = Host(
    name="kilo",
    title="Kilo Code",
    file="kilo.json",
    section=("mcp",),
    entry={"type": "local", "command": [COMMAND, *ARGS], "enabled": True},
    source="https://kilo.ai/docs/automate/mcp/using-in-cli",
    checked="2026-11-22",
    program="kilo",
    others=("kilo.jsonc", ".kilo/kilo.json", ".kilo/kilo.jsonc"),
)

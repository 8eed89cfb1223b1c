"""Amp: the key ``amp.mcpServers``, dot and all, in ``.amp/settings.json``."""

from __future__ import annotations

from comity.doors.hosts.host import STDIO, Host

HOST = Host(
    name="amp",
    title="Amp",
    file=".amp/settings.json",
    section=("amp.mcpServers",),
    entry=dict(STDIO),
    source="https://ampcode.com/manual",
    checked="2026-11-22",
    program="amp",
    note="workspace servers wait for your approval",
)

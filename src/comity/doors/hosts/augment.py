"""Augment's Auggie: ``.augment/settings.json``, which it names for a team's shared servers."""

from __future__ import annotations

from comity.doors.hosts.host import STDIO, Host

HOST = Host(
    name="augment",
    title="Augment (Auggie)",
    file=".augment/settings.json",
    section=("mcpServers",),
    entry=dict(STDIO),
    source="https://docs.augmentcode.com/cli/config",
    checked="2026-11-22",
    program="auggie",
)

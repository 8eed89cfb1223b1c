"""Hosts without hooks of ours, and the file in which each has its servers."""

from __future__ import annotations

from comity.hosts.host import ARGS, COMMAND, STDIO, Host

# Zed: ``context_servers`` in ``.zed/settings.json``.
ZED = Host(
    name="zed",
    title="Zed",
    file=".zed/settings.json",
    section=("context_servers",),
    entry={**STDIO, "env": {}},
    source="https://zed.dev/docs/ai/mcp",
    checked="2026-11-22",
    program="zed",
    http={"url": "URL", "headers": {}},
    note='versions before the "source" key was dropped want "source": "custom" in the entry',
    yields=("CLAUDE.md", "GEMINI.md"),
)

# Amp: the key ``amp.mcpServers``, dot and all, in ``.amp/settings.json``.
AMP = Host(
    name="amp",
    title="Amp",
    file=".amp/settings.json",
    section=("amp.mcpServers",),
    entry=dict(STDIO),
    source="https://ampcode.com/manual",
    checked="2026-11-22",
    program="amp",
    note="workspace servers wait for your approval",
    yields=("AGENT.md", "CLAUDE.md"),
)

# Devin Desktop (once Windsurf) and Devin CLI: ``.devin/mcp_config.json``.
DEVIN = Host(
    name="devin",
    title="Devin Desktop and CLI",
    file=".devin/mcp_config.json",
    section=("mcpServers",),
    entry=dict(STDIO),
    source="https://docs.devin.ai/cli/extensibility/mcp/configuration",
    checked="2026-11-22",
    program="devin",
    aliases=("windsurf",),
    note="older versions read .devin/config.json; its Cascade agent reads the user's own file only",
)

# JetBrains Junie: ``.junie/mcp/mcp.json``.
JUNIE = Host(
    name="junie",
    title="JetBrains Junie",
    file=".junie/mcp/mcp.json",
    section=("mcpServers",),
    entry=dict(STDIO),
    source="https://www.jetbrains.com/help/junie/model-context-protocol-mcp.html",
    checked="2026-11-22",
    program="junie",
    yields=(".junie/guidelines.md",),
)

# Warp: ``.warp/.mcp.json``.
WARP = Host(
    name="warp",
    title="Warp",
    file=".warp/.mcp.json",
    section=("mcpServers",),
    entry=dict(STDIO),
    source="https://docs.warp.dev/agents/capabilities/mcp",
    checked="2026-11-22",
    program="warp-terminal",
    note="project servers are started by hand, under Settings, Agents, MCP servers",
    yields=("CLAUDE.md", "AGENT.md", "GEMINI.md"),
)

# Kilo Code: ``kilo.json``, shaped like OpenCode's file.
KILO = Host(
    name="kilo",
    title="Kilo Code",
    file="kilo.json",
    section=("mcp",),
    entry={"type": "local", "command": [COMMAND, *ARGS], "enabled": True},
    source="https://kilo.ai/docs/automate/mcp/using-in-cli",
    checked="2026-11-22",
    program="kilo",
    others=("kilo.jsonc", ".kilo/kilo.json", ".kilo/kilo.jsonc"),
    yields=("AGENT.md",),
)

# Amazon Q Developer: ``.amazonq/mcp.json``; its command line has since become Kiro.
AMAZON_Q = Host(
    name="amazon-q",
    title="Amazon Q Developer",
    file=".amazonq/mcp.json",
    section=("mcpServers",),
    entry=dict(STDIO),
    source="https://docs.aws.amazon.com/amazonq/latest/qdeveloper-ug/command-line-mcp-configuration.html",
    checked="2026-11-22",
    program="q",
    aliases=("amazon q", "q-cli"),
)

# Augment's Auggie: ``.augment/settings.json``, which it names for a team's shared servers.
AUGMENT = Host(
    name="augment",
    title="Augment (Auggie)",
    file=".augment/settings.json",
    section=("mcpServers",),
    entry=dict(STDIO),
    source="https://docs.augmentcode.com/cli/config",
    checked="2026-11-22",
    program="auggie",
    aliases=("auggie",),
)

# How the names of these hosts begin, as their clients and programs are called.
NAMES = ("zed", "amp", "devin", "windsurf", "junie", "warp", "kilo", "amazon", "q-cli", "auggie", "augment")

"""The hosts whose hooks Comity answers: which module knows the shape of each one's events and answers."""

from __future__ import annotations

from importlib import import_module

from comity.hosts.contract import Adapter

ADAPTERS = {
    "claude-code": "claude_code",
    "codex": "codex",
    "gemini-cli": "gemini_cli",
    "antigravity": "antigravity",
    "opencode": "opencode",
    "cursor": "cursor",
    "vscode": "vscode",
    "copilot-cli": "copilot_cli",
    "factory-droid": "factory_droid",
    "kiro": "kiro",
}


def adapter_of(host: str) -> Adapter | None:
    """The host's adapter; None for a host that is not known."""
    if host not in ADAPTERS:
        return None
    adapter: Adapter = import_module(f"comity.hosts.{ADAPTERS[host]}").ADAPTER
    return adapter

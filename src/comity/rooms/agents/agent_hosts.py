"""Who thinks: agents that a model drives, told from programs that use the bus as any other transport.

A session is a model's when its hooks have spoken, or when the program that runs it is a known agent host. What is not
known to be one is a program.
"""

from __future__ import annotations

from comity.kernel.scope import Scope

# How the names of agent hosts begin, as they appear as an MCP client's name, as a program's, or in hooks: of those that
# ``comity.hosts`` knows (a test compares them), and of others.
# fmt: off
KNOWN = (
    "amazon-q", "amazon q", "amp", "antigravity", "auggie", "augment", "claude", "codex", "copilot", "cursor", "devin",
    "droid", "factory", "gemini", "github copilot", "github-copilot", "junie", "kilo", "kiro", "opencode", "q-cli",
    "visual studio code", "vscode", "warp", "windsurf", "zed",
)
OTHERS = ("aider", "cline", "continue", "crush", "goose", "kimi", "qwen", "roo", "trae")
# Those that run in a terminal: what they start may have one of its own. A terminal inside any other is a person's.
IN_TERMINALS = frozenset(("claude-code", "codex", "gemini-cli", "opencode", "copilot-cli", "factory-droid", "kiro"))
# fmt: on
_NAMES = (*KNOWN, *OTHERS)


def is_agent_host(program: str) -> bool:
    """Whether a program of this name is a known agent host."""
    name = program.casefold()
    return any(name == host or (name.startswith(host) and not name[len(host)].isalnum()) for host in _NAMES)


def thinks(scope: Scope) -> bool:
    """Whether a model drives the actor's session, as far as is known."""
    host, own = scope.actor.host, scope.observer.presence
    if (host is not None and is_agent_host(host.host)) or (own is not None and is_agent_host(own.program)):
        return True
    return scope.tx.one("agents.heard_by_hooks", agent_id=scope.actor.agent_id) is not None

"""All hosts with a project file, in the order in which ``init`` writes them (reference section 7.2 first)."""

from __future__ import annotations

from comity.hosts import (
    claude_code,
    codex,
    copilot_cli,
    cursor,
    factory_droid,
    gemini_cli,
    kiro,
    opencode,
    others,
    vscode,
)
from comity.hosts.hook_install import HOOKS_ONLY
from comity.hosts.host import Host
from comity.kernel.problem import Invalid

_HOSTS = (
    claude_code.HOST,
    copilot_cli.HOST,
    gemini_cli.HOST,
    cursor.HOST,
    vscode.HOST,
    opencode.HOST,
    codex.HOST,
    others.ZED,
    others.AMP,
    factory_droid.HOST,
    kiro.HOST,
    others.DEVIN,
    others.JUNIE,
    others.WARP,
    others.KILO,
    others.AMAZON_Q,
    others.AUGMENT,
)


def hosts() -> tuple[Host, ...]:
    """Every host that ``init`` knows a project file of."""
    return _HOSTS


def chosen(names: tuple[str, ...] | None) -> tuple[Host, ...]:
    """The hosts of these names, all for None. Raises Invalid ``agent_host.unknown``."""
    if names is None:
        return _HOSTS
    known = {host.name: host for host in _HOSTS}
    unknown = [name for name in names if name not in known and name not in HOOKS_ONLY]
    if unknown:
        raise Invalid(
            "agent_host.unknown",
            f"There is no host {', '.join(unknown)}.",
            f"Known: {', '.join((*known, *HOOKS_ONLY))}.",
        )
    return tuple(host for host in _HOSTS if host.name in names)

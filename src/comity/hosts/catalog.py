"""All hosts, in the order in which ``init`` writes them (reference section 7.2 first). A new host needs a line here."""

from __future__ import annotations

from comity.hosts import (
    antigravity,
    claude_code,
    codex,
    copilot_cli,
    cursor,
    factory_droid,
    gemini_cli,
    hookless,
    kiro,
    opencode,
    vscode,
)
from comity.hosts.contract import adapter_of
from comity.hosts.host import Host
from comity.kernel.problem import Invalid

HOSTS = (
    claude_code.HOST,
    copilot_cli.HOST,
    gemini_cli.HOST,
    antigravity.HOST,
    cursor.HOST,
    vscode.HOST,
    opencode.HOST,
    codex.HOST,
    hookless.ZED,
    hookless.AMP,
    factory_droid.HOST,
    kiro.HOST,
    hookless.DEVIN,
    hookless.JUNIE,
    hookless.WARP,
    hookless.KILO,
    hookless.AMAZON_Q,
    hookless.AUGMENT,
)
ADAPTERS = {host.name: adapter for host in HOSTS if host.hooks and (adapter := adapter_of(host.name)) is not None}
_WITH_FILE = tuple(host for host in HOSTS if host.file)


def hosts() -> tuple[Host, ...]:
    """Every host that ``init`` knows a project file of."""
    return _WITH_FILE


def chosen(names: tuple[str, ...] | None) -> tuple[Host, ...]:
    """The hosts of these names, all for None. Raises Invalid ``agent_host.unknown``."""
    if names is None:
        return _WITH_FILE
    known = [host.name for host in (*_WITH_FILE, *HOSTS)]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise Invalid(
            "agent_host.unknown",
            f"There is no host {', '.join(unknown)}.",
            f"Known: {', '.join(dict.fromkeys(known))}.",
        )
    return tuple(host for host in _WITH_FILE if host.name in names)

"""All hosts with a project file, in the order in which ``init`` writes them (reference section 7.2 first)."""

from __future__ import annotations

from comity.doors.hosts import (
    amazon_q,
    amp,
    augment,
    claude_code,
    codex,
    copilot_cli,
    cursor,
    devin,
    factory_droid,
    gemini_cli,
    junie,
    kilo,
    kiro,
    opencode,
    vscode,
    warp,
    zed,
)
from comity.doors.hosts.hook.install import HOOKS_ONLY
from comity.doors.hosts.host import Host
from comity.kernel.problem import Invalid

_HOSTS = tuple(
    module.HOST
    for module in (
        claude_code,
        copilot_cli,
        gemini_cli,
        cursor,
        vscode,
        opencode,
        codex,
        zed,
        amp,
        factory_droid,
        kiro,
        devin,
        junie,
        warp,
        kilo,
        amazon_q,
        augment,
    )
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

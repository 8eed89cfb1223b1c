"""More hooks, once it is heard which version of its host a server serves."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from comity.hosts.heard import takes_more
from comity.hosts.versions import shown
from comity.settings import Settings


def write(resolved: Settings, client: Mapping[str, Any]) -> None:
    """Write the hooks that the client takes besides those that stand in this checkout; a line on standard error says
    so.
    """
    checkout = resolved.worktree or resolved.root
    found = takes_more(checkout, str(client.get("name") or ""), str(client.get("version") or ""))
    if found is not None and import_module("comity.hosts.hook_upgrade").upgrade(checkout, *found):
        host, version = found
        sys.stderr.write(f"comity mcp: hooks of {host} are now those of {shown(version)}\n")

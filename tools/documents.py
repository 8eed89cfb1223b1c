"""Writes, or checks, the tool lists and the reference pages; ``tools.generate`` runs it in a process of its own.

Everything is made from what Comity itself says of its operations, so this imports all of it.
"""

from __future__ import annotations

import gc
import sys
from pathlib import Path

from comity.rooms import REGISTRY
from tools import tool_lists
from tools.generate import ROOT, settle
from tools.pages import events, operations, problems, records, settings, tables

REFERENCE = ROOT / "docs" / "reference"


def everything() -> dict[Path, str]:
    """Every file with its text."""
    pages = {
        "index": operations.index(),
        "settings": settings.project_page(),
        "server-settings": settings.server_page(),
        "task-states": tables.task_states_page(),
        "hosts": tables.hosts_page(),
        "access": tables.access_page(),
        "records": records.page(),
        "problems": problems.page(),
        "events": events.page(),
    }
    pages |= {op.name: operations.page(op) for op in REGISTRY}
    return tool_lists.files() | {REFERENCE / f"{name}.md": text for name, text in pages.items()}


if __name__ == "__main__":
    gc.disable()  # a million nodes of syntax that stay: looking through them again and again takes half of the time
    sys.exit(settle(everything(), REFERENCE.glob("*.md")))

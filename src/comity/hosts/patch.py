"""Patches that editing tools are given: which files they would change. What reads them is loaded where there is one."""

from __future__ import annotations

import os
from importlib import import_module

from comity.kernel.hints import Any

_MAX_BYTES = 2_000_000  # of a file in which a line of the patch is looked for


def files(patch: str, folder: str = "") -> tuple[str, ...]:
    """Every file that the patch names, once, as it is written there. ``folder``: where its names begin."""
    if not patch.strip():
        return ()
    repository: Any = import_module("comity.system.repository")

    def text_of(name: str) -> str | None:
        try:
            data: bytes = repository.read(os.path.join(folder, name), _MAX_BYTES)
        except (OSError, ValueError):
            return None
        return data.decode("utf-8", "replace")

    found: list[str] = import_module("comity.shell.patches").named(patch, text_of)
    return tuple(found)

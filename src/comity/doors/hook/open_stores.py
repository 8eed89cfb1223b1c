"""Stores that hooks have opened: one for each database and patience.

A hook's own process keeps them until it ends: whoever closes a database last writes its log back, and the agent would
wait for that. A server's hooks find them open.
"""

from __future__ import annotations

import threading

from comity.kernel.problem import Unavailable
from comity.kernel.scope import Store
from comity.opening import Memory, open_store
from comity.settings import Settings

_MOST = 8


class OpenStores:
    """Stores by what they were opened for."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, str, float], Store] = {}
        self._lock = threading.Lock()

    def of(self, settings: Settings, memory: Memory, busy_s: float, *, accept: bool) -> Store:
        """The store of these settings, as ``opening.open_store`` gives it. Raises Unavailable.

        One that is open already is given again while all is as it was noted: the files are the ones it has open.
        """
        key = (settings.db, settings.durability, busy_s)
        with self._lock:
            found = self._open.get(key)
        if found is not None and (not settings.git or (memory.untracked and memory.is_here)) and _stands(found):
            return found
        opened = open_store(settings, memory, busy_s, accept=accept)
        with self._lock:
            old = self._open.pop(key, None)
            self._open[key] = opened
            spare = [self._open.pop(next(iter(self._open)))] if len(self._open) > _MOST else []
        for one in (old, *spare):
            if one is not None:
                one.close()
        return opened

    def close(self) -> None:
        """Close all of them."""
        with self._lock:
            stores = list(self._open.values())
            self._open.clear()
        for one in stores:
            one.close()


def _stands(store: Store) -> bool:
    try:
        store.look()
    except Unavailable:
        return False
    return True

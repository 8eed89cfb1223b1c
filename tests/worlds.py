"""A world for each test, on a database that Comity has just made: made once, and copied.

Making one runs every migration. Whose subject that is makes a ``World()`` of its own.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from comity.store.sqlite import SqliteStore
from comity.testing import World


@cache
def _made() -> str:
    folder = tempfile.mkdtemp(prefix="comity-made-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = os.path.join(folder, "world.macp.db")
    SqliteStore(path).close()
    return path


@contextmanager
def fresh() -> Iterator[World]:
    """A database of its own, a clock that stands still, no agents yet."""
    with tempfile.TemporaryDirectory(prefix="comity-world-") as folder:
        path = os.path.join(folder, "world.macp.db")
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
        shutil.copyfile(_made(), path)
        with World(path) as world:
            yield world

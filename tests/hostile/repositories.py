"""Every hostile repository, in a fixed order, and one that is not hostile, to compare with."""

from __future__ import annotations

from pathlib import Path

from tests.hostile import databases, files, git_folders, git_keys, host_files, links, wanted
from tests.hostile.registry import FOUND, Repository
from tests.hostile.world import World

KINDS = (links, files, wanted, git_keys, git_folders, databases, host_files)


def _plain(folder: Path, world: World) -> None:
    """Nothing hostile."""


PLAIN = Repository("plain", "A clone in which nothing is hostile.", _plain, asks=True)
REPOSITORIES: tuple[Repository, ...] = tuple(FOUND.values())

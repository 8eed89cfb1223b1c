"""Git commands that change a repository: worktrees, branches, merges. Nothing that the repository brings is executed.

Unlike a look (``git_look``) a change needs the real git folder. So every setting that executes something is switched
off by name, the filters that are configured among them, and the user's own settings count only as far as they decide
what bytes a file has. A file that a filter would have made (git-lfs) holds what git stores: a pointer.
"""

from __future__ import annotations

import os

from comity.kernel.named_tuple import NamedTuple
from comity.system import git_shadow, repository
from comity.system.git_look import configured
from comity.system.git_process import ALONE, Environment, end, switched_off
from comity.system.repository import Repository

MOST_S = 600.0
_MOST_BYTES = 4_000_000
_MOST_TOLD = 2000
_FILTER_KEYS = ("clean", "smudge", "process")
_NOBODY = {"user.name": "Comity", "user.email": "comity@localhost"}
_ENDS = {"user.name": "NAME", "user.email": "EMAIL"}
_WANTED = (
    "^("
    + "|".join(key.replace(".", r"\.") for key in (*git_shadow.CARRIED, *git_shadow.LISTS, *_NOBODY))
    + r")$|^filter\."
)
_WHY = {"late": "git took too long", "long": "git said too much", "missing": "git could not be started"}


class Changed(NamedTuple):
    """How a command ended: whether it did what it should, what git said, cut, and the whole of it."""

    done: bool
    told: str
    code: int = 0
    said: str = ""


class GitChange:
    """Changes to one repository. ``filters`` of these names run, since the person agreed to them.

    ``keeps``: descriptors that git gets, so that it holds what this process holds.
    """

    def __init__(self, there: Repository, filters: tuple[str, ...] = (), keeps: tuple[int, ...] = ()) -> None:
        self.there = there
        self._keeps = keeps
        found = _settings(there)
        names = {key.removeprefix("filter.").rpartition(".")[0] for key in found if key.startswith("filter.")}
        self.off = sorted(names - set(filters))
        values = [(f"filter.{name}.{key}", "") for name in self.off for key in _FILTER_KEYS]
        values += [(f"filter.{name}.required", "false") for name in self.off]
        self._environment: Environment = {
            **({} if filters else ALONE),
            **switched_off([*git_shadow.carried(found, {}), *values]),
            "GIT_DIR": there.private,
        }
        for key, value in _NOBODY.items():
            for who in ("AUTHOR", "COMMITTER"):
                self._environment[f"GIT_{who}_{_ENDS[key]}"] = found.get(key) or value
        if not there.bare:
            self._environment["GIT_WORK_TREE"] = there.checkout

    def run(self, *arguments: str, most_s: float = MOST_S, more: Environment | None = None) -> Changed:
        """Run ``git ARGUMENTS`` in the checkout, for ``most_s`` at most."""
        folder = self.there.checkout
        environment = {**self._environment, **(more or {})}
        ended = end(arguments, environment, folder, _MOST_BYTES, most_s, errors=True, keeps=self._keeps)
        said = os.fsdecode(ended.output)
        told = ended.output.decode("utf-8", "replace").strip() if ended.how == "ended" else _WHY.get(ended.how, "")
        return Changed(ended.how == "ended" and ended.code == 0, told[-_MOST_TOLD:], ended.code, said)


def _settings(there: Repository) -> repository.Settings:
    """Which filters are configured, which bytes files have and who commits, as git itself would find it."""
    said = configured(there, "-z", "--get-regexp", _WANTED) or ""
    pairs = (field.partition("\n") for field in said.split("\0") if field)
    return {key: value if mark else "true" for key, mark, value in pairs}

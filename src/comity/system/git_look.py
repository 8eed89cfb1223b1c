"""Looks at git through a shadow of the git folder, with what of the user's settings decides how bytes compare."""

from __future__ import annotations

import os
from types import TracebackType

from comity.kernel.hints import Self
from comity.system import git_refs, git_shadow, repository
from comity.system.deadline import DEADLINE
from comity.system.git_process import ALONE, MAX_ANSWER_BYTES, TIMEOUT_S, Environment, end, run, switched_off
from comity.system.git_refs import Head
from comity.system.repository import Repository, Settings

_SETTINGS_BYTES = 4_000_000
_WANTED = "^(" + "|".join(key.replace(".", r"\.") for key in (*git_shadow.CARRIED, *git_shadow.LISTS)) + r")$|^filter\."


class GitLook:
    """A look at a repository through a shadow of its git folder, which is there as long as the block.

    ``compares``: files of the checkout are compared, for which the user's own settings count; those that another look
    has read may be given. ``index`` is one in place of the checkout's own, ``names`` are full names (``refs/…``) with
    their objects that git shall know. New objects go with the shadow, unless there is a folder for them (``objects``).
    """

    def __init__(
        self,
        there: Repository,
        *,
        compares: bool = False,
        users: Settings | None = None,
        index: str | None = None,
        names: dict[str, str] | None = None,
        objects: str | None = None,
    ) -> None:
        self.there = there
        self.own: Settings = {}
        self.users: Settings | None = users
        self.shadow = ""
        self._compares = compares
        self._index = index or os.path.join(there.private, "index")
        self._names = names or {}
        self._objects = objects
        self.environment: Environment = {}

    def __enter__(self) -> Self:
        head = git_refs.head(self.there) or _head_as_git_says(self.there)
        if head is None or repository.kind_at(self._index) not in ("file", ""):
            return self
        self.own = repository.settings(self.there.common, self.there.private)
        try:
            self.shadow = git_shadow.make(self.there, head, self.own, self._names)
        except OSError:
            return self
        if self.users is None and self._compares:
            self.users = self._users_settings()
        self.environment = {
            **ALONE,
            **switched_off(git_shadow.carried(self.own, self.users or {})),
            **git_shadow.objects(self.there, self._objects or self.shadow),
            "GIT_DIR": self.shadow,
            "GIT_INDEX_FILE": self._index,
        }
        if not self.there.bare:
            self.environment["GIT_WORK_TREE"] = self.there.checkout
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        if self.shadow:
            git_shadow.remove(self.shadow)
        self.shadow = ""

    def ask(self, *arguments: str) -> str | None:
        """What git answers; None for no answer."""
        if not self.shadow:
            return None
        said = run(arguments, self.environment, self.there.checkout, MAX_ANSWER_BYTES)
        return None if said is None else said.decode("utf-8", "surrogateescape")

    def try_to(self, *arguments: str) -> tuple[int, str] | None:
        """How git exits and what it answers, where failing is an answer, too; None for none."""
        left_s = DEADLINE.left_s(TIMEOUT_S)
        if not self.shadow or left_s <= 0:
            return None
        ended = end(arguments, self.environment, self.there.checkout, MAX_ANSWER_BYTES, left_s)
        return (ended.code, ended.output.decode("utf-8", "surrogateescape")) if ended.how == "ended" else None

    def stand_on(self, index: str) -> None:
        """Use another index from now on."""
        self.environment["GIT_INDEX_FILE"] = index

    def _users_settings(self) -> Settings:
        """What the user and the machine set of what is carried over, as git reads it for this repository.

        Their files may include others on condition of the git folder, so that is named; but its configuration is the
        shadow's, which sets nothing.
        """
        environment = {
            "GIT_DIR": self.there.private,
            "GIT_COMMON_DIR": self.shadow,
            "GIT_OBJECT_DIRECTORY": self.shadow,
        }
        said = run(("config", "-z", "--get-regexp", _WANTED), environment, self.there.checkout, _SETTINGS_BYTES)
        fields = os.fsdecode(said or b"").split("\0")
        pairs = (field.partition("\n") for field in fields if field)
        return {key: value if mark else "true" for key, mark, value in pairs}


def configured(there: Repository, *arguments: str) -> str | None:
    """What ``git config ARGUMENTS`` answers for the repository itself, and does to it: the user's own settings count.

    Only for what a user asks for; ``git config`` executes nothing. None when it fails, as for a key that is not set.
    """
    environment = {"GIT_DIR": there.private}
    if there.common != there.private:
        environment["GIT_COMMON_DIR"] = there.common
    said = run(("config", *arguments), environment, there.checkout, _SETTINGS_BYTES)
    return None if said is None else os.fsdecode(said).strip()


def _head_as_git_says(there: Repository) -> Head | None:
    """HEAD of a repository that keeps names in a way that is not read here."""
    if "extensions.refstorage" not in repository.settings(there.common, there.private):
        return None
    environment = {**ALONE, **switched_off(), "GIT_DIR": there.private, "GIT_COMMON_DIR": there.common}
    said = run(("rev-parse", "--verify", "--quiet", "HEAD"), environment, there.checkout, 1000)
    commit = os.fsdecode(said or b"").strip()
    return Head("", commit) if git_refs.is_id(commit) else None

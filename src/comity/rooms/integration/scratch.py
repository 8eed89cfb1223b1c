"""The scratch worktree: branches are merged one after the other, and the check command runs there."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Problem, Unavailable
from comity.kernel.quoting import quoted
from comity.rooms.integration.candidates import Candidate
from comity.rooms.integration.model import How
from comity.system import git_exclude, git_refs, git_worktrees, processes, repository
from comity.system.git_change import GitChange
from comity.system.repository import Repository

MOST_SAID = 20_000
CHECK_S = 3600.0
_SHELL = "/bin/sh"
_ASK_S = 0.5


class Stacked(NamedTuple):
    """A branch on top of what was there: the commit that it came to, or the files that do not merge."""

    candidate: Candidate
    commit: str
    files: tuple[str, ...] = ()
    told: str = ""


class Check(NamedTuple):
    """Whether the check command passed, and the end of what it said."""

    passed: bool
    said: str


class _Asking:
    """Asks while a program runs whether it is still wanted, twice a second."""

    def __init__(self, ask: Callable[[], None]) -> None:
        self.problem: Problem | None = None
        self._ask = ask
        self._over = threading.Event()

    def on_set(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Begin to ask; what is answered ends it."""

        def look() -> None:
            try:
                while True:
                    self._ask()
                    if self._over.wait(_ASK_S):
                        return
            except Problem as problem:
                self.problem = problem
                callback()

        threading.Thread(target=look, name="comity-check", daemon=True).start()
        return self._over.set


class Scratch:
    """A worktree without a branch, at ``path``. ``command``: the check, None for none.

    ``report`` is told how far it is; what it raises ends a check that runs. ``keeps``: descriptors that git gets.
    """

    def __init__(
        self,
        there: Repository,
        path: str,
        command: str | None,
        report: Callable[[int, int, str], None],
        keeps: tuple[int, ...] = (),
    ) -> None:
        self.checks = 0
        self._main = GitChange(there, keeps=keeps)
        self._keeps = keeps
        self._path = path
        self._command = command
        self._report = report
        self._git: GitChange | None = None

    def make(self, commit: str) -> None:
        """Raises Unavailable ``integration.git_failed``."""
        folder = os.path.dirname(self._path)
        try:
            git_exclude.add(self._main.there.common, [f"/{os.path.basename(folder)}/"])
            os.makedirs(folder, exist_ok=True)
        except OSError as error:
            told = f"{quoted(folder)} cannot be made, or kept out of git: {error.strerror}"
            raise Unavailable("integration.git_failed", told, "Mend that, then ask again.") from None
        done = self._main.run("worktree", "add", "--detach", "--", self._path, commit)
        there = repository.around(self._path) if done.done else None
        if there is None:
            raise Unavailable("integration.git_failed", f"git: {quoted(done.told, 400)}", "Mend that, then ask again.")
        self._git = GitChange(there, keeps=self._keeps)

    def remove(self) -> None:
        """Take it away, whatever became of it."""
        git_worktrees.take_away(self._main, git_worktrees.at(self._main.there, self._path))

    def stand_on(self, commit: str) -> None:
        """Check a commit out, and leave nothing else."""
        git = self._at_work()
        for arguments in (("reset", "-q", "--hard", commit), ("clean", "-q", "-f", "-d", "-x")):
            done = git.run(*arguments)
            if not done.done:
                raise Unavailable("integration.git_failed", f"git: {quoted(done.told, 400)}", "Look at the repository.")

    def add(self, candidate: Candidate, how: How) -> Stacked:
        """Bring a branch onto what is checked out."""
        git = self._at_work()
        before = self._head()
        if how == "merge":
            told = f"Integrate {candidate.source}: {candidate.branch}"
            done = git.run("merge", "--no-ff", "--no-verify", "-m", told, candidate.commit)
        else:
            done = git.run("checkout", "-q", "--detach", candidate.commit)
            if done.done:
                done = git.run("rebase", "--no-verify", before)
        if done.done:
            return Stacked(candidate, self._head())
        files = git.run("diff", "--name-only", "--diff-filter=U", "-z").said
        git.run("merge" if how == "merge" else "rebase", "--abort")
        self.stand_on(before)
        return Stacked(candidate, "", tuple(name for name in files.split("\0") if name), done.told[-400:])

    def check(self, commit: str, what: str) -> Check:
        """Run the check command on a commit."""
        if self._command is None:
            return Check(True, "")
        self.stand_on(commit)
        self.checks += 1
        asking = _Asking(lambda: self._report(self.checks, 0, f"checking {what}"))
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        ended = processes.run(
            (_SHELL, "-c", self._command),
            folder=self._path,
            environment=environment,
            most_bytes=64_000_000,
            most_s=CHECK_S,
            stop=asking,
            errors=True,
        )
        if asking.problem is not None:
            raise asking.problem
        said = ended.output.decode("utf-8", "replace")[-MOST_SAID:]
        if ended.how != "ended":
            said += f"\n(the check was ended: {ended.how})"
        return Check((ended.how, ended.code) == ("ended", 0), said)

    def _at_work(self) -> GitChange:
        assert self._git is not None, "it is made first"
        return self._git

    def _head(self) -> str:
        head = git_refs.head(self._at_work().there)
        return head.commit if head is not None else ""

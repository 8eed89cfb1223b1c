"""What a long operation's body gets instead of a scope: transactions one after another, and nothing held between them.

An operation is one transaction. A *long* one reads files, or brings an own index up to date, and would hold the write
lock for too long: it takes several, each of which leaves the file consistent, and does the slow part between them.
"""

from __future__ import annotations

from collections.abc import Callable

from comity.kernel.hints import Any, Concatenate, ParamSpec, TypeVar
from comity.kernel.scope import Actor, Scope

P = ParamSpec("P")
R = TypeVar("R")
Work = Callable[[Scope], Any]
Report = Callable[[int, int, str], None]  # done, total (0: not known), what


class Steps:
    """The transactions of one long operation, and how far it is."""

    __slots__ = ("_read", "_report", "_write", "actor")

    def __init__(
        self, actor: Actor, read: Callable[[Work], Any], write: Callable[[Work], Any], report: Report | None
    ) -> None:
        self.actor = actor
        self._read = read
        self._write = write
        self._report = report

    def read(self, work: Callable[Concatenate[Scope, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """What ``work`` answers in a read transaction."""
        result: R = self._read(lambda scope: work(scope, *args, **kwargs))
        return result

    def write(self, work: Callable[Concatenate[Scope, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """What ``work`` answers in a transaction that holds the write lock from its start."""
        result: R = self._write(lambda scope: work(scope, *args, **kwargs))
        return result

    def report(self, done: int, total: int, what: str) -> None:
        """Tell the caller how far the work is. It may raise, which ends the operation between two transactions."""
        if self._report is not None:
            self._report(done, total, what)

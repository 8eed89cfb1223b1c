"""The names that a caller has for an operation and its arguments, both ways."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from comity.dialects.words import replaced
from comity.kernel.problem import Invalid, Problem
from comity.kernel.record import camel
from comity.kernel.registry import AnyOp
from comity.kernel.signature import parameters
from comity.kernel.validate import unknown_argument


class Names:
    """A tool's name for an operation, and ``ours``: the operation's names of arguments by the tool's."""

    __slots__ = ("_op", "ours", "tool")

    def __init__(self, tool: str, op: str, ours: Mapping[str, str]) -> None:
        self.tool = tool
        self.ours = ours
        self._op = op

    def own(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments by the operation's names. What is no name of the tool's is left to the operation to judge."""
        return {self.ours.get(name, name): value for name, value in given.items()}

    def known(self, name: str) -> str:
        """The operation's name of an argument. Raises Invalid ``argument.unknown`` for what is none of the tool's."""
        ours = self.ours.get(name)
        if ours is None:
            raise unknown_argument(self.tool, name, sorted(self.ours))
        return ours

    def complain(self, problem: Problem) -> Problem:
        """A complaint about arguments in the tool's names; of two names for an argument it says the first."""
        if not isinstance(problem, Invalid):
            return problem
        theirs = {ours: name for name, ours in reversed(list(self.ours.items()))}
        words = {self._op: self.tool, **theirs}
        pattern = "|".join(rf"(?<![\w.`]){re.escape(word)}(?!\w)" for word in sorted(words, key=len)[::-1])
        argument = str(problem.data.get("argument", ""))
        names = {"operation": self.tool, "argument": theirs.get(argument, argument)}
        data = {key: names.get(key, value) for key, value in problem.data.items()}
        message, hint = (replaced(text, pattern, words.__getitem__) for text in (problem.message, problem.hint))
        return Invalid(problem.reason, message, hint, **data)


def argument_names(op: AnyOp) -> dict[str, str]:
    """An operation's argument names in camelCase, by their own."""
    return {parameter.name: camel(parameter.name) for parameter in parameters(op)}


def camel_names(op: AnyOp) -> dict[str, str]:
    """An operation's own argument names, by those in camelCase."""
    return {theirs: ours for ours, theirs in argument_names(op).items()}

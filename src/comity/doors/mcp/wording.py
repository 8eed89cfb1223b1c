"""Complaints about arguments in the words of whoever wrote them: a dialect's names in the place of the operation's."""

from __future__ import annotations

import re
from collections.abc import Mapping

from comity.kernel.problem import Invalid


def in_dialect(problem: Invalid, tool: str, op_name: str, theirs: Mapping[str, str]) -> Invalid:
    """The Problem of an operation as one of a tool; ``theirs`` has the caller's argument names by the operation's."""
    words = {op_name: tool, **theirs}
    pattern = re.compile("|".join(rf"(?<![\w.]){re.escape(word)}(?!\w)" for word in sorted(words, key=len)[::-1]))

    def say(text: str) -> str:
        return pattern.sub(lambda found: words[found[0]], text)

    argument = str(problem.data.get("argument", ""))
    names = {"operation": tool, "argument": theirs.get(argument, argument)}
    data = {key: names.get(key, value) for key, value in problem.data.items()}
    return Invalid(problem.reason, say(problem.message), say(problem.hint), **data)

"""One translator between the operations' names and those that a caller knows.

Rooms name an operation between backticks, and after it, where that matters, what it is about: `message.poll`,
`message.send ann`. Who shows the text puts the reader's tools or commands in the place of that. Programs, and
callers by name, read it as it is.

What stands in quotation marks are somebody's own words, and stay as they are: ``kernel.quoting`` lets no text out of
them, and no name or id that stands without them holds a backtick.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from comity.dialects.commands import COMMANDS, WITH
from comity.kernel.named_tuple import NamedTuple

_QUOTED = r'"[^"\n]*"'
_NAME, _ABOUT = r"[a-z]+\.[a-z_]+", rf'(?:[^`"\n]|{_QUOTED})++'
_MARK = rf"`({_NAME})(?: ({_ABOUT}))?`"
_MARKS = rf"`{_NAME}(?: {_ABOUT})?`(?:, `{_NAME}(?: {_ABOUT})?`)*"


class Words(NamedTuple):
    """What a dialect calls operations. ``about``: how it says one with what it is about, which stands for ``{}``.

    Without a form of its own, what an operation is about is left out.
    """

    names: Mapping[str, str]
    about: Mapping[str, str]

    def say(self, text: str) -> str:
        """``text`` with the dialect's words in the place of the operations that it names.

        Two of them in a row that are one tool are that tool once. What the dialect has no word for stays.
        """
        return replaced(text, _MARKS, self._marks) if "`" in text else text

    def _marks(self, marks: str) -> str:
        return ", ".join(dict.fromkeys(self._one(mark) for mark in re.finditer(_MARK, marks)))

    def _one(self, mark: re.Match[str]) -> str:
        name, about = mark[1], mark[2]
        if about and name in self.about:
            return self.about[name].replace("{}", about)
        return self.names.get(name, mark[0])


COMMAND_LINE = Words(COMMANDS, WITH)


def or_commands(names: Mapping[str, str], about: Mapping[str, str]) -> Words:
    """These words, and the command for what has no tool: an agent that has a shell can run it."""
    left = {op: command for op, command in WITH.items() if op not in names}
    return Words({**COMMANDS, **names}, {**left, **about})


def replaced(text: str, pattern: str, say: Callable[[str], str]) -> str:
    """``text`` with what ``say`` makes of each match outside of quotation marks."""
    return re.sub(rf"{_QUOTED}|{pattern}", lambda found: found[0] if found[0][0] == '"' else say(found[0]), text)

"""Options of the commands that must start light, read by hand: ``--name value``, ``--name=value``, ``--switch``.

The rest of the command line is a framework's, which would double the start of a server.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Invalid, Problem
from comity.setting_list import Setting


class Command(NamedTuple):
    """One command: how it is called, what it does, its options, and an example of a call."""

    program: str
    about: str
    options: tuple[Setting, ...]
    example: str

    @property
    def usage(self) -> str:
        """The help text."""
        rows = [(f"{one.flag} {one.value}".strip(), one.doc, ", ".join(one.env)) for one in self.options]
        width = max(len(told) for told, _, _ in rows)
        told = (f"  {option:<{width}}  {doc}{env and f' [{env}]'}" for option, doc, env in rows)
        return "\n".join(
            [f"Usage: {self.program} [options]", "", self.about, "", *told, "", f"Example: {self.example}"]
        )


def parse(command: Command, arguments: Sequence[str]) -> dict[str, str]:
    """The texts of the options by the setting's name; those of a repeated one have commas between them.

    Else the last one wins; a switch is ``true``. Who asks for help is given the usage, and the program ends. Raises
    Invalid ``option.unknown`` and ``option.value``.
    """
    if not {"--help", "-h"}.isdisjoint(arguments) or arguments[:1] == ["help"]:
        sys.stdout.write(f"{command.usage}\n")
        raise SystemExit(0)
    known = {one.flag: one for one in command.options}
    given: dict[str, str] = {}
    rest = list(arguments)
    while rest:
        word, joined, text = rest.pop(0).partition("=")
        one = known.get(word)
        if one is None or (joined and not one.value):
            message = f"{command.program} has no option {word[:80]!r}."
            raise Invalid("option.unknown", message, f"`{command.program} --help` lists them.")
        if not one.value:
            text = "true"
        elif not joined:
            if not rest or rest[0].startswith("--"):
                raise Invalid("option.value", f"{word} needs a value.", f"Write {word} VALUE or {word}=VALUE.")
            text = rest.pop(0)
        before = given.get(one.name) if one.repeated else None
        given[one.name] = f"{before},{text}" if before else text
    return given


def refuse(problem: Problem) -> int:
    """Say why a command does not start; its exit code."""
    sys.stderr.write(f"error: {problem.message}\nhint: {problem.hint}\n")
    return problem.exit_code

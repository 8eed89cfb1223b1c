"""The reference page of problems: every reason, found where the code raises it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

from comity.kernel import problem
from comity.rooms import REGISTRY
from comity.server.problems import STATUS
from tools import source
from tools.source import Function, Words

KINDS = {kind.__name__: kind for kind in problem.Problem.__subclasses__()}
PARTS = ("reason", "message", "hint")
_DEPTH = 3


class Raised(NamedTuple):
    """One way in which a problem is made."""

    reason: str
    kind: str
    message: str
    hint: str


def page() -> str:
    """The text of ``problems.md``."""
    lines = [
        "# Problems",
        "",
        "Whatever goes wrong is told as a problem, at every door: a `reason` that stays the same, a `message` for",
        "people, a `hint` that says what to do next, and `data` with the facts. This page lists every reason that",
        "stands in the source, with its kind and HTTP status, and what is said with it; `{…}` stands for what differs",
        "from case to case. Hints name operations here; each door says its own tools or commands in their place.",
        "",
        "| kind | means | HTTP | exit code |",
        "| --- | --- | --- | --- |",
    ]
    lines += [f"| `{kind.kind}` | {kind.__doc__} | {kind.status} | {kind.exit_code} |" for kind in KINDS.values()]
    found: dict[str, list[Raised]] = {}
    for one in raised():
        if not one.reason.startswith("{"):  # it is another program's word
            found.setdefault(one.reason, []).append(one)
    nouns: dict[str, list[str]] = {}
    for reason in sorted(found):
        nouns.setdefault(_noun(reason), []).append(reason)
    for noun, reasons in nouns.items():
        lines += ["", f"## {noun}", "", "| reason | kind | HTTP | what it means | what to do |"]
        lines.append("| --- | --- | --- | --- | --- |")
        lines += [line for reason in reasons for line in _lines(reason, found[reason])]
    return "\n".join([*lines, ""])


def _noun(reason: str) -> str:
    return "The protocol's own codes" if reason.startswith("MACP_") else reason.partition(".")[0]


def _lines(reason: str, ways: list[Raised]) -> Iterator[str]:
    """A line for each thing that is said with a reason, which stands in the first."""
    kinds = [KINDS[name] for name in dict.fromkeys(one.kind for one in ways)]
    status = ", ".join(str(STATUS.get(reason, kind.status)) for kind in kinds)
    head = f"`{reason}` | {', '.join(f'`{kind.kind}`' for kind in kinds)} | {status}"
    for message, hint in dict.fromkeys((_shown(one.message), _shown(one.hint)) for one in ways):
        yield f"| {head} | {message} | {hint} |"
        head = " |  | "


def _shown(text: str) -> str:
    """A text in a cell: operations are links, what Markdown would take for its own is not."""
    parts = re.split(r"(`[^`]*`)", text.replace("|", r"\|").replace("\n", " "))
    names = set(REGISTRY.names())
    for place, part in enumerate(parts):
        if part.strip("`") in names and part.startswith("`"):
            parts[place] = f"[{part}]({part.strip('`')}.md)"
        elif not part.startswith("`"):
            parts[place] = part.replace("<", "&lt;").replace("*", r"\*")
    return "".join(parts)


def raised() -> Iterator[Raised]:
    """Every way in which the source makes a problem, in its order."""
    for function in source.functions().values():
        for node in function.nodes:
            if isinstance(node, ast.Call) and _kind(node, function):
                yield from _ways(node, function)


def _kind(call: ast.Call, function: Function) -> str:
    """The kind of the problem that a call makes; empty when it makes none."""
    home, _, name = source.meant(call.func, function).rpartition(".")
    return name if home == problem.__name__ and name in KINDS else ""


def _ways(call: ast.Call, function: Function) -> Iterator[Raised]:
    given = dict(zip(PARTS, call.args, strict=False)) | {word.arg: word.value for word in call.keywords if word.arg}
    if not isinstance(given.get("reason"), ast.expr):
        return
    said = [given[part] for part in PARTS if part in given]
    for bound, row in product(_bound(function, said, _DEPTH), list(source.rows(function)) or [source.NOTHING]):
        for reason in source.texts(given["reason"], function, {**bound, **row}):
            messages = _whole(given["message"], function, bound, row)
            hints = _whole(given["hint"], function, bound, row) if "hint" in given else ("",)
            for place, message in enumerate(messages):
                yield Raised(reason, _kind(call, function), message, hints[min(place, len(hints) - 1)])
            for hint in hints[len(messages) :]:
                yield Raised(reason, _kind(call, function), messages[-1], hint)


def _whole(expression: ast.expr, function: Function, bound: Words, row: Words) -> tuple[str, ...]:
    """The texts that an expression may be: a parameter counts where it is the whole text, a table's row anywhere."""
    return source.texts(expression, function, {**bound, **row} if isinstance(expression, ast.Name) else row)


def _bound(function: Function, said: list[ast.expr], depth: int) -> Iterator[Words]:
    """What the parameters that are said may be, for each place from which the function is called."""
    names = {node.id for one in said for node in ast.walk(one) if isinstance(node, ast.Name)} & {*function.taken}
    sites = source.calls_of().get(function.name, []) if names and depth else []
    if not sites:
        yield source.NOTHING
    for caller, call in sites:
        passed = {name: value for name, value in source.arguments(call, function).items() if name in names}
        for outer in _bound(caller, list(passed.values()), depth - 1):
            yield {name: source.texts(value, caller, outer) for name, value in passed.items()}

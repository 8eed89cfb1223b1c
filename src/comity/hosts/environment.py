"""Variables, and options of the server, that host files which came with the repository set for Comity.

A host hands such a variable to the programs it starts, and they cannot tell it from one of the user: it counts. So it
is named as what it is.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from comity.hosts import files
from comity.hosts.catalog import hosts
from comity.hosts.hook_install import WIRINGS
from comity.hosts.host import starts
from comity.hosts.jsonc import MalformedJsonc, parse
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Problem
from comity.project import tracked
from comity.setting_list import SETTINGS, shown

_NAME = r"(?:MACP|COMITY|MASC)_[A-Z0-9_]+"
_VARIABLE = re.compile(rf"{_NAME}|HOME|XDG_CONFIG_HOME")  # the last two say where the user's agreements lie
_IN_TEXT = re.compile(rf"(?:^|[\s;&|'\"])({_NAME})=(\S*)")  # before a command, or among the arguments of env
_LINE = re.compile(rf"^\s*(?:export\s+)?({_VARIABLE.pattern})\s*=\s*(.*?)\s*$", re.MULTILINE)
_FLAGS = {setting.flag for setting in SETTINGS}


class Assignment(NamedTuple):
    """A variable (or an option of ``comity mcp``) that a committed file of a host sets. The value is cut, printable."""

    file: str
    name: str
    value: str


def assignments(checkout: Path) -> list[Assignment]:
    """Everything of that kind in a checkout, but for what ``comity init`` itself writes there."""
    names = dict.fromkeys(
        [
            *(name for host in hosts() for name in (host.file, *host.others, *host.variables)),
            *(one.file for one in WIRINGS),
        ]
    )
    ours = {pair for host in hosts() for form in (host.entry, host.http, host.bearer) for pair in _settings(form)}
    there = [name for name in names if (checkout / name).is_file()]
    found = dict[Assignment, None]()
    for name in sorted(tracked(checkout, there)) if there else ():
        try:
            data = files.look(checkout, name).data
            text = files.decode(name, data)[1] if data else ""
            pairs = list(_pairs(name, text))
        except (Problem, MalformedJsonc, ValueError, RecursionError):
            continue  # the host cannot read it either
        found |= {Assignment(name, key, shown(value)): None for key, value in pairs if (key, value) not in ours}
    return list(found)


def _pairs(name: str, text: str) -> Iterator[tuple[str, str]]:
    if name.endswith(".env"):
        yield from _LINE.findall(text)
    elif name.endswith(".toml"):
        yield from _settings(tomllib.loads(text))
    elif name.endswith((".json", ".jsonc")):
        root = parse(text)
        yield from _settings(root.plain() if root is not None else None)


def _settings(value: object) -> Iterator[tuple[str, str]]:
    """Variables by key, by ``name`` and ``value``, and as ``NAME=value`` in texts; options of a server's entry."""
    if isinstance(value, dict):
        yield from _options(value)
        if isinstance(value.get("name"), str) and _VARIABLE.fullmatch(value["name"]):
            yield value["name"], str(value.get("value", ""))
        for key, inside in value.items():
            if isinstance(key, str) and _VARIABLE.fullmatch(key) and not isinstance(inside, dict | list):
                yield key, str(inside)
            else:
                yield from _settings(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from _settings(inside)
    elif isinstance(value, str):
        yield from _IN_TEXT.findall(value)


def _options(entry: dict[str, object]) -> Iterator[tuple[str, str]]:
    if starts(entry) != "comity":
        return
    words: list[str] = []
    for key in ("command", "args"):
        value = entry.get(key)
        words += [str(word) for word in value] if isinstance(value, list) else []
    for word, after in zip(words, [*words[1:], ""], strict=True):
        flag, joined, value = word.partition("=")
        if flag in _FLAGS:
            yield flag, value if joined else after

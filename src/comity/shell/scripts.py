"""Scripts that lie there when a line names them: what they run for certain. Pure.

A script may do one thing or the other, so only one that goes straight from its beginning to its end is followed; of
others, and of whatever a straight one calls, it is found afterwards what they did. A makefile's recipes are followed
where they hold no variable.
"""

from __future__ import annotations

import json
import re

MOST_LETTERS = 20_000
_SHELL = re.compile(r"#!\s*\S*?(?:/env\s+(?:-S\s+)?)?(?:ba|da|z|k|mk|a)?sh\b")
_FORKS = re.compile(
    r"(?m)^\s*(?:if|elif|else|case|while|until|select|function|return|exit|exec|trap|set\s+-\w*n)\b"
    r"|\bthen\b|\|\||(?:^|[;&|]\s*)(?:\[\[?\s|test\s)|\(\)\s*\{"
)
_RULE = re.compile(r"^([\w./ %-]+?)\s*::?(?!=)\s*([^=;#]*)(?:;(.*))?$")
_MOST_GOALS = 20


def is_shell(path: str, text: str) -> bool:
    """Whether a shell runs the program: its first line says so, or says nothing, and its name does."""
    return _SHELL.match(text) is not None or (path.endswith(".sh") and not text.startswith("#!"))


def straight(text: str | None) -> str | None:
    """The script itself when it runs from its beginning to its end; None for one that may not, and for none."""
    if text is None or "\0" in text or len(text) > MOST_LETTERS or _FORKS.search(text) is not None:
        return None
    return text


def recipe(makefile: str, goals: list[str]) -> str:
    """The commands by which ``make`` makes these goals, or the first one, and what those are made of first; lines with
    variables of its own, and those under a condition, are left out.
    """
    rules: dict[str, tuple[list[str], list[str]]] = {}
    current: list[str] = []
    for line in makefile.replace("\\\n", " ").split("\n"):
        if line.startswith("\t"):
            for name in current:
                rules[name][1].append(line.strip())
            continue
        found = _RULE.match(line)
        if found is None:
            current = current if not line.strip() or line.startswith("#") else []
            continue
        current = [name for name in found[1].split() if not name.startswith(".")]
        for name in current:
            above, lines = rules.setdefault(name, ([], []))
            above += found[2].split()
            lines += [found[3].strip()] if found[3] else []
    todo, done = goals or list(rules)[:1], list[str]()
    while todo and len(done) < _MOST_GOALS:
        goal = todo.pop(0)
        if goal in rules and goal not in done:
            done.append(goal)
            todo += rules[goal][0]
    lines = [line.lstrip("@-+ ").replace("$$", "\0") for goal in reversed(done) for line in rules[goal][1]]
    return "\n".join(line.replace("\0", "$") for line in lines if "$" not in line)


def package_script(package: str | None, name: str) -> str | None:
    """What ``npm run NAME`` runs, as ``package.json`` says; None when it says nothing."""
    try:
        told = json.loads(package or "")["scripts"][name]
    except (KeyError, TypeError, ValueError):
        return None
    return told if isinstance(told, str) else None

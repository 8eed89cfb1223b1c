"""Where each host's hooks stand, and what ``comity init`` writes there.

A hook's command names the running executable by its absolute path: a host's environment may have no PATH, and a path
to a script that is missing would make an interpreter fail with 2, which hosts take for a block. Such a path belongs to
one machine, so it goes only into files that git does not track; those that git does not ignore by themselves are
named in ``info/exclude``. A file that git tracks, and one that hosts share with their committed settings, gets
``comity`` from PATH instead.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Callable

from comity.hosts import opencode
from comity.hosts.adapters import ADAPTERS, adapter_of
from comity.hosts.contract import Adapter
from comity.hosts.jsonc_edit import Path
from comity.kernel.named_tuple import NamedTuple

BY_PATH = "comity"
TIMEOUT_S = 10
_SHORT_S = 3  # where a host allows no more
_DAY_S = 86_400  # for a hook that waits beside an idle session
_BESIDE = {"Idle": "Stop"}  # hooks that wait, and the event that starts them
_BACKGROUND = {"claude-code": {"async": True, "asyncRewake": True}, "codex": {"async": True}}
_END = "|| true"  # for hosts that take a command that fails for a refusal


class Piece(NamedTuple):
    """What is to stand in a host's file: ``value`` at ``path``, or in the list there (``listed``)."""

    path: Path
    value: object
    listed: bool = True


class Wiring(NamedTuple):
    """The hooks of one host. ``file`` is relative to the checkout; ``shared``: it is committed with other settings.

    ``pieces`` and ``whole`` say what stands in it, for the program that it runs; ``defaults`` are keys that a new file
    needs. ``todo`` is what the user has to do before the host runs them.
    """

    host: str
    title: str
    file: str
    pieces: Callable[[str], tuple[Piece, ...]]
    shared: bool = False
    defaults: tuple[tuple[Path, object], ...] = ()
    whole: Callable[[str], str] | None = None
    todo: str = ""

    @property
    def events(self) -> tuple[str, ...]:
        """The events that are hooked, each once."""
        return tuple(dict.fromkeys(event for event, _ in _events(self.host)))


def running() -> str:
    """How to start this Comity, as a shell takes it: the absolute path of its executable, in quotes where needed."""
    beside = os.path.join(os.path.dirname(sys.executable), "comity")
    called = os.path.abspath(sys.argv[0]) if os.path.basename(sys.argv[0]) == "comity" else ""
    for path in (called, beside, shutil.which("comity") or ""):
        if path and os.path.isabs(path) and os.path.isfile(path) and os.access(path, os.X_OK):
            return shlex.quote(path)
    return f"{shlex.quote(sys.executable)} -m comity"


def command(program: str, host: str, event: str, end: str = "") -> str:
    """What the host runs for an event."""
    return f"{program} hook {host} {event} {end}".rstrip()


def ours(value: object, host: str) -> bool:
    """Whether a piece of a host's file runs Comity's hook, of whatever path."""
    if isinstance(value, str):
        words = value.replace("'", " ").replace('"', " ").split()
        return any(
            words[at : at + 2] == ["hook", host] and "comity" in " ".join(words[:at]).lower()
            for at in range(len(words))
        )
    if isinstance(value, dict):
        return any(ours(inside, host) for inside in value.values())
    return isinstance(value, list) and any(ours(inside, host) for inside in value)


def _events(host: str) -> tuple[tuple[str, str | None], ...]:
    adapter = adapter_of(host)
    assert isinstance(adapter, Adapter)
    return adapter.events


def _matching(matcher: str | None, entry: dict[str, object]) -> dict[str, object]:
    return entry if matcher is None else {"matcher": matcher, **entry}


def _nested(host: str, *root: str, end: str = "", unit: int = 1, name: str = "") -> Callable[[str], tuple[Piece, ...]]:
    """Claude Code's form: groups with a matcher, and hooks in them. ``unit`` is a second in the host's time."""

    def pieces(program: str) -> tuple[Piece, ...]:
        found = []
        for event, matcher in _events(host):
            if event in _BESIDE:
                beside: dict[str, object] = {"type": "command", "command": command(program, host, event)}
                beside |= {"timeout": _DAY_S * unit, **_BACKGROUND[host]}
                found.append(Piece((*root, _BESIDE[event]), {"hooks": [beside]}))
                continue
            wait = _SHORT_S if event == "SessionEnd" else TIMEOUT_S
            hook: dict[str, object] = {"type": "command", "command": command(program, host, event, end)}
            hook |= {"name": name} if name else {}
            hook["timeout"] = wait * unit
            found.append(Piece((*root, event), _matching(matcher, {"hooks": [hook]})))
        return tuple(found)

    return pieces


def _flat(
    host: str, timeout: str, end: str = "", typed: bool = True, unit: int = 1
) -> Callable[[str], tuple[Piece, ...]]:
    """A list of commands for each event, each with its own matcher."""

    def pieces(program: str) -> tuple[Piece, ...]:
        kind: dict[str, object] = {"type": "command"} if typed else {}
        return tuple(
            Piece(
                ("hooks", event),
                _matching(matcher, {**kind, "command": command(program, host, event, end), timeout: TIMEOUT_S * unit}),
            )
            for event, matcher in _events(host)
        )

    return pieces


def _antigravity(program: str) -> tuple[Piece, ...]:
    """One named bundle. A tool whose hook says nothing is denied: when Comity is gone, the shell allows it."""
    bundle: dict[str, object] = {}
    for event, matcher in _events("antigravity"):
        aside = '{"decision": "allow"}' if event in ("PreToolUse", "Stop") else "{}"
        run = command(program, "antigravity", event, f"|| echo '{aside}'")
        hook = {"type": "command", "command": run, "timeout": TIMEOUT_S}
        bundle[event] = [hook] if matcher is None else [{"matcher": matcher, "hooks": [hook]}]
    return (Piece(("comity",), bundle, listed=False),)


WIRINGS = (
    Wiring(
        "claude-code",
        "Claude Code",
        ".claude/settings.local.json",
        _nested("claude-code", "hooks", end=_END),
    ),
    Wiring(
        "copilot-cli",
        "GitHub Copilot CLI",
        ".github/copilot/settings.local.json",
        _flat("copilot-cli", "timeoutSec", end=_END),
        todo="it runs them in folders that it trusts",
    ),
    Wiring(
        "gemini-cli",
        "Gemini CLI",
        ".gemini/settings.json",
        _nested("gemini-cli", "hooks", unit=1000, name="comity"),
        shared=True,
        todo="it finds comity on its PATH, and runs the hooks in folders that it trusts",
    ),
    Wiring(
        "antigravity",
        "Antigravity",
        ".agents/hooks.json",
        _antigravity,
    ),
    Wiring(
        "cursor",
        "Cursor",
        ".cursor/hooks.json",
        _flat("cursor", "timeout", typed=False),
        defaults=((("version",), 1),),
    ),
    Wiring(
        "vscode",
        "VS Code",
        ".github/hooks/comity.json",
        _flat("vscode", "timeout", end=_END),
        defaults=((("version",), 1),),
    ),
    Wiring(
        "opencode",
        "OpenCode",
        opencode.PLUGIN_FILE,
        lambda _: (),
        whole=lambda program: opencode.plugin(shlex.split(program)[0]),
    ),
    Wiring(
        "codex",
        "Codex CLI",
        ".codex/hooks.json",
        _nested("codex", "hooks"),
        todo="trust the project, and each hook under /hooks; in linked worktrees it runs none of the project",
    ),
    Wiring(
        "factory-droid",
        "Factory Droid",
        ".factory/hooks.json",
        _nested("factory-droid"),
    ),
    Wiring(
        "kiro",
        "Kiro",
        ".kiro/agents/comity.json",
        _flat("kiro", "timeout_ms", typed=False, unit=1000),
        defaults=(
            (("name",), "comity"),
            (("description",), "Kiro with messages and claims of other agents"),
            (("tools",), ["*"]),
            (("includeMcpJson",), True),
        ),
        todo="start it with `kiro-cli chat --agent comity`: hooks belong to an agent there",
    ),
)
HOOKS_ONLY = ("antigravity",)  # hosts that have hooks in the checkout and no server entry


def wirings(names: tuple[str, ...] | None) -> tuple[Wiring, ...]:
    """The hooks of these hosts, all for None."""
    assert {one.host for one in WIRINGS} == set(ADAPTERS)
    return tuple(one for one in WIRINGS if names is None or one.host in names)

"""Checks of the hooks: whether each host has them, whether they can run, and what came of them.

Besides, ``comity doctor --canary HOST`` tries them, and ``--hosts`` says what each host lets hooks do.
"""

from __future__ import annotations

import os
import shlex
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from comity.doors.cli import hook_trial
from comity.doors.cli.findings import Finding, fail, ok, warn
from comity.hosts import asking, canary, files, githooks, hook_edit, hook_history, versions
from comity.hosts.catalog import ADAPTERS, hosts
from comity.hosts.hook_history import HookHistory, HookRun
from comity.hosts.hook_install import BY_PATH, WIRINGS, is_launcher, program_of, running
from comity.hosts.host import Version, Wiring
from comity.hosts.jsonc import MalformedJsonc
from comity.hosts.layout import fitting, in_place, workspace
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Invalid, Problem
from comity.kernel.text import readable
from comity.project import git_folder, locate
from comity.setting_list import shown
from comity.settings import Settings

_RECENT_S = 86_400


class HookState(NamedTuple):
    """The hooks of one host here. ``trusted`` is None where that cannot be known, ``program`` None without one.

    ``strange``: what runs Comity's hooks there and is not what ``init`` writes; it may do more.
    """

    host: str
    title: str
    file: str
    program: str | None
    problem: Problem | None
    installed: tuple[str, ...]
    missing: tuple[str, ...]
    executable: str
    runs: bool
    trusted: bool | None
    history: HookHistory
    strange: tuple[str, ...] = ()
    version: Version | None = None  # of the host's program, where it tells
    lost: tuple[str, ...] = ()  # what this version does not let hooks do
    wrong: str | None = None  # why the installed program did not answer when it was run once; None: it was not run
    older: bool = False  # they run for other tools, or otherwise, than this Comity has them

    def plain(self) -> dict[str, Any]:
        """What a program is told."""
        seen = self.history
        return {
            "host": self.host,
            "file": self.file,
            "hostProgram": self.program,
            "hostVersion": None if self.version is None else versions.shown(self.version),
            "lost": list(self.lost),
            "older": self.older,
            "answers": None if self.wrong is None else not self.wrong,
            "problem": None if self.problem is None else self.problem.message,
            "installed": list(self.installed),
            "missing": list(self.missing),
            "strange": list(self.strange),
            "executable": self.executable,
            "runs": self.runs,
            "trusted": self.trusted,
            "hooks": seen.hooks,
            "failures": seen.failures,
            "lastFired": _plain(seen.fired),
            "lastInjection": _plain(seen.injected),
            "lastRefusal": _plain(seen.refused),
            "lastWake": _plain(seen.woke),
            "lastFailure": _plain(seen.failed),
            "p50Ms": seen.percentile(0.5),
            "p99Ms": seen.percentile(0.99),
        }


def _plain(seen: HookRun | None) -> dict[str, Any] | None:
    return None if seen is None else {**seen._asdict(), "at": round(seen.at, 3)}


def look(settings: Settings) -> list[HookState]:
    """The state of every host's hooks in the checkout of the working directory."""
    place = workspace(Path.cwd())
    told = hook_history.read(settings.db)
    programs = {host.name: shutil.which(host.program) for host in hosts() if host.program}
    known, tried = asking.versions(place.checkout), dict[str, str]()
    states = []
    for base in WIRINGS:
        version, placed = known.get(base.host), in_place(base, place.checkout)
        wiring, lost = versions.taken(placed, version), versions.lost(base, version) if version else ()
        problem, found, strange, text = None, dict[str, str](), tuple[str, ...](), ""
        try:
            data = files.look(place.checkout, wiring.file).data
            text = files.decode(wiring.file, data)[1] if data else ""
            wiring = fitting(placed, version, text)
            found = hook_edit.commands(text, wiring) if text else {}
            strange = _strange(text, versions.everything(placed), str(place.checkout)) if text else ()
        except Problem as error:
            problem = error
        except MalformedJsonc as error:
            problem = files.malformed(wiring.file, error.message, error.line)
        program = program_of(next(iter(found.values()), ""), wiring.host)
        executable, runs = _executable(program)
        if runs and program not in tried and (own := hook_trial.vouched(text, placed)):
            tried[program] = hook_trial.answers(wiring.host, own)
        states.append(
            HookState(
                wiring.host,
                wiring.title,
                wiring.file,
                programs.get(wiring.host),
                problem,
                tuple(found),
                tuple(event for event in wiring.events if event not in found),
                executable,
                runs,
                wiring.trusted(str(place.checkout), wiring.file) if found and wiring.trusted else None,
                told.get(wiring.host, hook_history.NONE),
                strange,
                version,
                lost,
                tried.get(program),
                bool(found) and not strange and _is_older(text, wiring, program),
            )
        )
    return states


def _is_older(text: str, wiring: Wiring, program: str) -> bool:
    stands, wanted = hook_edit.holds(text, wiring, program)
    return stands < wanted


def _strange(text: str, wiring: Wiring, checkout: str) -> tuple[str, ...]:
    """What is not as ``init`` writes it, be it for a Comity that is installed elsewhere; quoted, fit to be shown."""
    every = hook_edit.every(text, wiring)
    programs = {program_of(command, wiring.host) for command in every}
    known = {running(), BY_PATH, *(one for one in programs if _is_comity(one, checkout))}
    written = hook_edit.written(text, wiring, tuple(known))
    if wiring.whole is not None:
        return () if written else ("its text",)
    odd = (command for command in every if command not in written)
    return tuple(readable(shown(command)) for command in dict.fromkeys(odd))


def _is_comity(program: str, checkout: str) -> bool:
    """Whether it looks as ``init`` names an installed Comity, one that did not come with the checkout."""
    try:
        words = shlex.split(program)
    except ValueError:
        return False
    if not words or not os.path.isabs(words[0]) or os.path.realpath(words[0]).startswith(os.path.join(checkout, "")):
        return False
    name = os.path.basename(words[0])
    alone = program == shlex.quote(words[0]) and name == "comity"
    python = name.startswith("python")
    return alone or (python and (program == f"{shlex.quote(words[0])} -m comity" or is_launcher(words, checkout)))


def _executable(command: str) -> tuple[str, bool]:
    """The program that a command starts, and whether it is there and may be run."""
    try:
        words = shlex.split(command)
    except ValueError:
        words = []
    if not words:
        return "", False
    found = words[0] if os.path.isabs(words[0]) else shutil.which(words[0])
    there = found is not None and os.path.isfile(found) and os.access(found, os.X_OK)
    if there and is_launcher(words, "") and not os.path.isdir(words[-1]):
        return words[-1], False
    return words[0], there


def findings(states: list[HookState]) -> Iterator[Finding]:
    """What to tell people: of hosts with hooks, and of installed hosts without."""
    now = time.time()
    for state in states:
        yield from _finding(state, now)
    if not any(state.installed for state in states):
        yield warn("Hooks", "no host of this checkout has hooks: agents must poll", "Run `comity init`.")


def git(settings: Settings) -> Iterator[Finding]:
    """Git's own hooks, where ``comity init --git-hooks`` put them."""
    folder = git_folder(locate(os.getcwd()).checkout)
    places = [os.path.join(folder, inner) for inner in ("hooks", githooks.FOLDER)] if folder else []
    found = [
        name for name in githooks.GUARDED if any(githooks.holds_mark(os.path.join(place, name)) for place in places)
    ]
    if not found:
        return
    missing = [name for name in githooks.GUARDED if name not in found]
    if missing:
        yield warn("Hooks git", f"{', '.join(missing)} is missing", "`comity init --git-hooks` installs it anew.")
    else:
        yield ok(
            "Hooks git",
            f"{', '.join(found)}; {_told(hook_history.read(settings.db).get('git', hook_history.NONE), time.time())}",
        )


def _finding(state: HookState, now: float) -> Iterator[Finding]:
    check, again = f"Hooks {state.host}", f"`comity init --hosts {state.host}`"
    seen = state.history
    if state.problem is not None:
        yield fail(check, state.problem.message, state.problem.hint)
    elif state.strange:
        what = f"{state.file} is not what init writes: {state.strange[0]}"
        yield warn(check, what, f"It may do more than that. Look at it, then {again}.")
    elif not state.installed:
        if state.program is not None:
            yield warn(check, f"{state.program} is installed, its hooks are not", again)
    elif not state.runs:
        told = fail if os.path.isabs(state.executable) or state.program is not None else warn
        yield told(check, f"{state.file}: {state.executable} cannot be run", f"Install Comity there, or {again}.")
    elif state.wrong:
        yield fail(check, f"{state.file}: {state.executable} does not answer: {state.wrong}", f"{hook_trial.HOW}.")
    elif state.missing:
        yield warn(check, f"{state.file}: no hook for {', '.join(state.missing)}", again)
    elif state.older:
        yield warn(
            check, f"{state.file}: they do not run for every tool that may write: another Comity wrote them", again
        )
    elif state.trusted is False:
        told_since = f"; {_told(seen, now)}" if seen.fired is not None else ""
        again = "Trust the project, and each hook under /hooks there."
        yield warn(check, f"{state.file} is not trusted yet{told_since}", again)
    elif seen.failed is not None and seen.fired is not None and seen.failed.at > now - _RECENT_S:
        failed = f"{seen.failures} of {seen.hooks} hooks failed, last {_ago(seen.failed, now)}: {seen.failed.why}"
        yield warn(check, f"{failed}; {_told(seen, now)}", "The agent went on each time.")
    else:
        less = f"; {versions.shown(state.version)}: {'; '.join(state.lost)}" if state.version and state.lost else ""
        yield ok(check, f"{state.file}; {_told(seen, now)}{less}")


def _told(seen: HookHistory, now: float) -> str:
    """When hooks last fired, spoke and refused, and how long they take."""
    if seen.fired is None:
        return "never fired yet"
    parts = [f"last fired {_ago(seen.fired, now)}"]
    parts += [f"injected {_ago(seen.injected, now)}"] if seen.injected else []
    parts += [f"refused {_ago(seen.refused, now)}"] if seen.refused else []
    parts += [f"woke {_ago(seen.woke, now)}"] if seen.woke else []
    p50, p99 = seen.percentile(0.5), seen.percentile(0.99)
    return f"{', '.join(parts)}; p50 {p50:.0f} ms, p99 {p99:.0f} ms of {len(seen.times)}"


def _ago(seen: HookRun, now: float) -> str:
    seconds = max(0, int(now - seen.at))
    for size, name in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {name} ago ({seen.event})"
    return f"{seconds} s ago ({seen.event})"


def fly(host: str) -> list[Finding]:
    """Try the hooks of a host as they are installed. Raises Invalid for a host that has no adapter."""
    wiring = next((one for one in WIRINGS if one.host == host), None)
    if wiring is None:
        known = ", ".join(one.host for one in WIRINGS)
        raise Invalid("agent_host.unknown", f"There is no host {host!r} with hooks.", f"Known: {known}.")
    checkout = workspace(Path.cwd()).checkout
    wiring = versions.everything(in_place(wiring, checkout))
    found = files.look(checkout, wiring.file)
    text = files.decode(wiring.file, found.data)[1] if found.data else ""
    commands = hook_edit.commands(text, wiring) if text else {}
    check, again = f"Canary {host}", f"`comity init --hosts {host}` installs them anew."
    ours = hook_edit.written(text, wiring, (running(), BY_PATH))
    if not commands:
        return [fail(check, f"{wiring.file} holds no hooks of Comity", again)]
    return [
        fail(f"{check} {trial.event}", trial.wrong, again)
        if trial.wrong
        else ok(f"{check} {trial.event}", _MEANT[trial.wanted])
        for trial in canary.fly(host, commands, ours, hook_trial.prepare)
    ]


_MEANT = {
    "inject": "told who is there",
    "refuse": "refused an edit of a held file",
    "nothing": "let an edit of a free file go on",
}


def abilities() -> list[dict[str, Any]]:
    """What each host lets hooks do, as its adapter says."""
    return [
        {
            "host": wiring.host,
            "title": wiring.title,
            "hookFile": wiring.file,
            **ADAPTERS[wiring.host].abilities._asdict(),
        }
        for wiring in WIRINGS
    ]

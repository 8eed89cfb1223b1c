"""The one place that starts git: with next to nothing in its environment, a deadline, and a bound for its answer.

Which repository it works on is always said (``GIT_DIR``), never searched for. A list of switches does not make a
stranger's configuration safe, since drivers have free names and submodules their own configuration: who looks at
a checkout does so through ``git_shadow``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import lru_cache

from comity.system import processes
from comity.system.deadline import DEADLINE
from comity.system.processes import Ended
from comity.system.repository import upward
from comity.system.surroundings import HERE

TIMEOUT_S = 10.0
MAX_ANSWER_BYTES = 64_000_000

Environment = dict[str, str]

_KEPT = ("HOME", "XDG_CONFIG_HOME", "TMPDIR", "SYSTEMROOT", "USERPROFILE")
_FIXED = {
    "LC_ALL": "C",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_PAGER": "cat",
    "GIT_EDITOR": ":",
    "GIT_SEQUENCE_EDITOR": ":",
    "GIT_SSH_COMMAND": "false",
    "GIT_ASKPASS": "true",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_LITERAL_PATHSPECS": "1",
}
# No settings but the repository's own, which is a shadow.
ALONE: Environment = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_SYSTEM": os.devnull, "GIT_CONFIG_GLOBAL": os.devnull}
_SWITCHES = (
    ("core.fsmonitor", "false"),
    ("core.hooksPath", os.devnull),
    ("core.pager", "cat"),
    ("core.editor", ":"),
    ("core.sshCommand", "false"),
    ("core.askPass", ""),
    ("core.gitProxy", ""),
    ("core.alternateRefsCommand", "true"),
    ("core.quotePath", "false"),
    ("sequence.editor", ":"),
    ("credential.helper", ""),
    ("commit.gpgSign", "false"),
    ("tag.gpgSign", "false"),
    ("push.gpgSign", "false"),
    ("log.showSignature", "false"),
    ("log.mailmap", "false"),
    ("gpg.program", "false"),
    ("gpg.ssh.program", "false"),
    ("gpg.x509.program", "false"),
    ("gpg.ssh.defaultKeyCommand", "false"),
    ("interactive.diffFilter", ""),
    ("uploadpack.packObjectsHook", ""),
    ("protocol.allow", "never"),
    ("protocol.ext.allow", "never"),
    ("protocol.file.allow", "never"),
    ("submodule.recurse", "false"),
    ("fetch.recurseSubmodules", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("init.templateDir", ""),
    ("safe.bareRepository", "explicit"),
)


def run(arguments: tuple[str, ...], environment: Environment, folder: str, most_bytes: int) -> bytes | None:
    """What ``git ARGUMENTS`` answers in ``folder``.

    None when it fails, takes longer than the process has left (at most ``TIMEOUT_S``) or says more than ``most_bytes``.
    """
    left_s = DEADLINE.left_s(TIMEOUT_S)
    if left_s <= 0:
        return None
    ended = end(arguments, environment, folder, most_bytes, left_s)
    return ended.output if (ended.how, ended.code) == ("ended", 0) else None


def end(
    arguments: tuple[str, ...],
    environment: Environment,
    folder: str,
    most_bytes: int,
    most_s: float,
    *,
    errors: bool = False,
    keeps: tuple[int, ...] = (),
) -> Ended:
    """How ``git ARGUMENTS`` ends in ``folder``, and what it said; with ``errors`` also on its standard error.

    ``keeps``: descriptors that it gets as they are.
    """
    path = _trusted(HERE.environment.get("PATH", ""), folder)
    program = _program(path)
    if program is None:
        return Ended("missing")
    kept = {name: HERE.environment[name] for name in _KEPT if name in HERE.environment}
    return processes.run(
        (program, *arguments),
        folder=folder,
        environment={"PATH": os.pathsep.join(path), **kept, **_FIXED, **environment},
        most_bytes=most_bytes,
        most_s=most_s,
        errors=errors,
        keeps=keeps,
    )


def switched_off(values: Iterable[tuple[str, str]] = ()) -> Environment:
    """Whatever executes something and has one name, off; and other settings, by their keys."""
    pairs = (*_SWITCHES, *values)
    found = {"GIT_CONFIG_COUNT": str(len(pairs))}
    for place, (key, value) in enumerate(pairs):
        found |= {f"GIT_CONFIG_KEY_{place}": key, f"GIT_CONFIG_VALUE_{place}": value}
    return found


@lru_cache(maxsize=64)
def _trusted(path: str, folder: str) -> list[str]:
    """Where programs are looked for: not where a checkout around ``folder`` could have brought its own ``git``."""
    users = (os.path.abspath(os.sep), os.path.realpath(os.path.expanduser("~")))
    tops = [top for top in upward(folder) if top not in users and os.path.exists(os.path.join(top, ".git"))]
    around = os.path.join(tops[-1] if tops else folder, "")
    places = filter(os.path.isabs, path.split(os.pathsep))
    real = ((place, os.path.join(os.path.realpath(place), "")) for place in places)
    return [place for place, whole in real if folder in users or not whole.startswith(around)]


def _program(path: list[str]) -> str | None:
    names = ("git.exe", "git.cmd") if os.name == "nt" else ("git",)
    found = (os.path.join(place, name) for place in path for name in names)
    return next((one for one in found if os.path.isfile(one) and os.access(one, os.X_OK)), None)

"""A live canary: an installed hook, run exactly as it is installed, in a project of its own where a peer holds a file.

Only a command that ``comity init`` would write is run: a host's file may have come with somebody's repository. The
start of a session must be answered with who is there, an edit of the held file with a refusal, an edit of a free one
with no objection; each in the host's own form.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Callable

from comity.hosts.contract import NOTHING, Adapter, HookOutput, HookReply, HostEvent, adapter_of
from comity.kernel.hints import Any
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.text import json_line, readable
from comity.setting_list import shown
from comity.settings import PLACES

TIMEOUT_S = 30
_MOST_SHOWN = 200
PEER = "comity-canary-peer"
HELD, FREE = "held.txt", "free.txt"
_OWN = ("MACP_", "COMITY_", *PLACES)  # what would lead a hook to another project


class Trial(NamedTuple):
    """What came of one event: ``wrong`` is empty when all is well."""

    event: str
    wanted: str
    wrong: str


def fly(host: str, commands: dict[str, str], known: set[str], prepare: Callable[[str], None]) -> list[Trial]:
    """Try the host's installed ``commands``, those of them that are ``known`` to be ours.

    ``prepare`` makes a project in a folder, where ``PEER`` holds ``HELD``.
    """
    adapter = adapter_of(host)
    assert adapter is not None
    with tempfile.TemporaryDirectory(prefix="comity-canary-") as made:
        folder = os.path.realpath(made)
        prepare(folder)
        trials = []
        for event, wanted, name in _flights(adapter):
            if event not in commands:
                trials.append(Trial(event, wanted, "no hook is installed for it"))
                continue
            if commands[event] not in known:
                trials.append(
                    Trial(event, wanted, f"not run, since it is not what init writes: {_quoted(commands[event])}")
                )
                continue
            payload = adapter.sample(event, folder, os.path.join(folder, name))
            trials.append(Trial(event, wanted, _fault(adapter, event, wanted, commands[event], payload, folder)))
        return trials


def _quoted(command: str) -> str:
    return readable(shown(command, _MOST_SHOWN))


def _flights(adapter: Adapter) -> list[tuple[str, str, str]]:
    """Events, what is wanted of them, and the file that they are about."""
    start = next(event for event, _ in adapter.events)
    return [
        (start, "inject", FREE),
        *((event, wanted, name) for event in adapter.guards for wanted, name in (("refuse", HELD), ("nothing", FREE))),
    ]


def _fault(adapter: Adapter, event: str, wanted: str, command: str, payload: dict[str, Any], folder: str) -> str:
    """What is wrong with the answer."""
    heard = adapter.read(event, payload)
    if heard is None:
        return "the adapter does not know its own payload"
    try:
        done = subprocess.run(  # noqa: S602 (as the host runs it, from its own file)
            command,
            shell=True,
            cwd=folder,
            env={name: value for name, value in os.environ.items() if not name.startswith(_OWN)},
            input=json_line(payload).encode(),
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return f"{type(error).__name__}: {error}"
    got = HookOutput(done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"), done.returncode)
    return _differs(adapter, event, heard, wanted, got)


def _differs(adapter: Adapter, event: str, heard: HostEvent, wanted: str, got: HookOutput) -> str:
    """How an answer differs from what the adapter makes of such a reply."""
    if wanted == "nothing":
        plain = adapter.write(event, heard, NOTHING)
        return "" if (got.out, got.code) == (plain.out, plain.code) else f"it objects to nothing: {_shown(got)}"
    word = HELD if wanted == "refuse" else PEER
    model = adapter.write(event, heard, HookReply(refuse=word) if wanted == "refuse" else HookReply(inject=word))
    if got.code != model.code:
        return f"exit code {got.code} instead of {model.code}: {_shown(got)}"
    for name, said, modelled in (("output", got.out, model.out), ("error output", got.err, model.err)):
        if modelled and word not in said:
            return f"{name} does not name {word}: {_shown(got)}"
        if modelled.startswith("{") and _form(said) != _form(modelled):
            return f"{name} is not of the host's form: {_shown(got)}"
    return ""


def _form(text: str) -> object:
    """The keys of a JSON document, without its texts."""

    def keys(value: object) -> object:
        if isinstance(value, dict):
            return {name: keys(inside) for name, inside in value.items()}
        return [keys(inside) for inside in value] if isinstance(value, list) else type(value).__name__

    try:
        return keys(json.loads(text))
    except ValueError:
        return text


def _shown(got: HookOutput) -> str:
    return (got.out or got.err or f"exit code {got.code}")[:200].replace("\n", " ")

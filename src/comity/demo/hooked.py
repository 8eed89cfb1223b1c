"""The second act: the same two agents edit the same files with hooks and without, and what becomes of their work.

They are scripts in the place of two sessions of Claude Code: with hooks, each event runs ``comity hook`` as the host
does, and its answer is obeyed; without, an agent hears of its peers when it remembers to look, at the end of its work.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from comity.demo.repository import Repository
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Unavailable
from comity.kernel.text import json_line
from comity.workspace import Workspace, from_settings

_FILES = ("src/prices.py", "src/cart.py", "src/api.py")
_TIMEOUT_S = 20
_TRIES = 2
_STRANGE = ("MACP_", "COMITY_", "CLAUDE", "GIT_")  # what would lead a hook to another project


class Side(NamedTuple):
    """One run. ``mid_turn`` messages reached their reader before its next edit, ``late`` ones after its work."""

    edits: int
    refused: int
    overwritten: int
    mid_turn: int
    late: int


class Comparison(NamedTuple):
    """Both runs, a refusal and a message as an agent got them."""

    guarded: Side
    unguarded: Side
    refusal: str
    message: str

    @property
    def ok(self) -> bool:
        """Whether hooks kept what was lost without them."""
        return not self.faults()

    def faults(self) -> list[str]:
        """What is not as it should be, a sentence each."""
        kept, lost, files = self.guarded, self.unguarded, len(_FILES)
        found = []
        if kept.refused != files:
            found.append(f"With hooks {kept.refused} edits of a held file were refused, not {files}.")
        if kept.mid_turn != files:
            found.append(f"With hooks {kept.mid_turn} messages were heard between two steps, not {files}.")
        if kept.overwritten:
            found.append(f"With hooks {kept.overwritten} edits were overwritten.")
        if not lost.overwritten:
            found.append("Without hooks no edit was overwritten, so nothing is proven.")
        return found


def compare() -> Comparison:
    """Both runs, each in a repository of its own."""
    guarded, told = _play(hooks=True)
    unguarded, _ = _play(hooks=False)
    return Comparison(guarded, unguarded, *told)


class _Agent:
    """A session of an agent host that edits files; ``seen`` is what it has read of each."""

    def __init__(self, repository: Repository, name: str, *, hooks: bool) -> None:
        self.name = name
        self._repository = repository
        self._root = repository.root
        self._hooks = hooks
        self._seen: dict[str, str] = {}
        self.heard: list[str] = []
        self._hook("SessionStart", source="startup")

    def read(self, file: str) -> None:
        self._seen[file] = (self._root / file).read_text(encoding="utf-8")

    def edit(self, file: str) -> str:
        """Write the file as it was read with one line more; or the reason for which the host did not."""
        call = {"tool_name": "Edit", "tool_input": {"file_path": str(self._root / file)}}
        refusal: str = self._hook("PreToolUse", **call).get("permissionDecisionReason", "")
        if not refusal:
            (self._root / file).write_text(f"{self._seen[file]}{self.name} was here\n", encoding="utf-8")
        self.heard.append(self._hook("PostToolBatch", tool_calls=[call]).get("additionalContext", ""))
        return refusal

    def say(self, to: str, text: str) -> None:
        with _workspace(self._repository, self.name) as workspace:
            if not self._hooks:
                workspace.session.start()
            workspace.message.send(destination_agent_id=to, content=text, priority="steering")

    def look(self) -> int:
        """Poll, at last; how many messages waited."""
        with _workspace(self._repository, self.name) as workspace:
            return len(workspace.message.poll().deliveries)

    def end(self) -> None:
        self._hook("SessionEnd", reason="exit")

    def _hook(self, event: str, **payload: Any) -> dict[str, Any]:
        """What the hook answers, empty when it says nothing or there are none."""
        if not self._hooks:
            return {}
        told = {"session_id": self.name, "cwd": str(self._root), "hook_event_name": event, **payload}
        own = {name: value for name, value in os.environ.items() if not name.startswith(_STRANGE)}
        try:
            done = subprocess.run(
                [sys.executable, "-m", "comity", "hook", "claude-code", event],
                input=json_line(told).encode(),
                env=own,
                capture_output=True,
                timeout=_TIMEOUT_S,
                check=False,
            )
            if done.returncode:
                raise _failed(
                    event, f"it exited with {done.returncode}: {done.stderr.decode(errors='replace').strip()}"
                )
            answer: dict[str, Any] = json.loads(done.stdout or b"{}").get("hookSpecificOutput", {})
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            raise _failed(event, str(error)) from error
        return answer


def _workspace(repository: Repository, name: str) -> Workspace:
    """The workspace as the agent of the session ``name``, whatever this process's own environment says."""
    return from_settings(repository.settings(name, f"claude-code:{name}"))


def _failed(event: str, why: str) -> Unavailable:
    return Unavailable(
        "demo.hook",
        f"In the comparison the hook of {event} failed: {why}.",
        "comity doctor --canary claude-code tries the hooks of a project.",
    )


def _play(*, hooks: bool) -> tuple[Side, tuple[str, str]]:
    """Dora and Emil both read a file; Dora edits it and says so; then Emil, who knows the old one, edits it too."""
    repository = Repository()
    try:
        root = repository.root
        refusals: list[str] = []
        with _workspace(repository, "emil") as other:
            if not hooks:
                other.session.start()
        dora, emil = (_Agent(repository, name, hooks=hooks) for name in ("dora", "emil"))
        for file in _FILES:
            dora.read(file)
            emil.read(file)
            dora.edit(file)
            dora.say("emil", f"{file} has changed: read it anew.")
            if reason := emil.edit(file):
                refusals.append(reason)
        dora.end()
        late = 0 if hooks else emil.look()
        for file in _FILES if refusals else ():
            for _ in range(_TRIES):  # the first one may tell that the file has changed since
                emil.read(file)
                if not emil.edit(file):
                    break
        emil.end()
        lines = [(root / file).read_text(encoding="utf-8").splitlines()[1:] for file in _FILES]
        lost = sum(f"{name} was here" not in found for found in lines for name in ("dora", "emil"))
        heard = [text for text in emil.heard if text]
        side = Side(2 * len(_FILES), len(refusals), lost, len(heard), late)
        return side, (refusals[0] if refusals else "", heard[0] if heard else "")
    finally:
        repository.remove()

"""What each host sends to its hooks in one session: it starts, wants to edit a held file and to run a command, ends."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from comity.hosts.catalog import ADAPTERS
from comity.hosts.contract import SESSION, HookReply, adapter_of

HOSTS = tuple(ADAPTERS)
FIRST = "claude-code"
COMMAND = "make"  # it may write anything
ASKED = (  # for these the hook asks git
    "git stash",
    "git reset --hard",
    "git push --force",
    "git clean -fdx",
    "git checkout -- .",
)
_FIXTURES = Path(__file__).parents[1] / "doors" / "hook" / "fixtures"
_ORDER = ("start", "prompt", "before", "after", "stop", "end")  # those that wait beside an idle session are left out
_ODD = ("foreign", "broken", "unknown", "again", "silent", "aborted", "background", "look", "words", "deleted")


class Said(NamedTuple):
    """One event, and what the host sends with it."""

    host: str
    event: str
    data: bytes
    codes: frozenset[int]  # those with which it may be answered

    @property
    def name(self) -> str:
        return f"hook {self.host} {self.event}"


@cache
def _fixtures(host: str) -> tuple[dict[str, Any], ...]:
    found = []
    for path in sorted((_FIXTURES / host).glob("*.json")):
        fixture = json.loads(path.read_text(encoding="utf-8"))
        heard = fixture["heard"] or {}
        if heard.get("moment") in _ORDER and not heard.get("files") and not any(odd in path.stem for odd in _ODD):
            found.append(fixture)
    return tuple(sorted(found, key=lambda one: _ORDER.index(one["heard"]["moment"])))


def session(host: str, folder: Path) -> list[Said]:
    """Every event, in the order of a session."""
    found = [_from_fixture(host, fixture, folder, COMMAND) for fixture in _fixtures(host)]
    adapter = adapter_of(host)
    assert adapter is not None
    edits = [
        _said(host, event, ADAPTERS[host].sample(event, str(folder), str(folder / path)))
        for event in adapter.guards
        for path in ("src/app.py", "free.txt")
    ]
    middle = next((at for at, one in enumerate(found) if one.event in adapter.guards), len(found))
    return [*found[:middle], *edits, *found[middle:]]


def shells(host: str, folder: Path, commands: tuple[str, ...]) -> list[Said]:
    """The agent wants to run these, in this folder."""
    shell = next(one for one in _fixtures(host) if one["heard"]["moment"] == "before" and one["heard"].get("command"))
    return [_from_fixture(host, shell, folder, command) for command in commands]


def _from_fixture(host: str, fixture: dict[str, Any], folder: Path, command: str) -> Said:
    heard = fixture["heard"]
    text = json.dumps(fixture["payload"]).replace('"/repo', '"' + json.dumps(str(folder))[1:-1])
    for old, new in ((heard.get("session_id"), SESSION), (heard.get("command"), command)):
        if old:
            text = text.replace(json.dumps(old), json.dumps(new))
    return _said(host, fixture["event"], json.loads(text))


def _said(host: str, event: str, payload: dict[str, Any]) -> Said:
    adapter = adapter_of(host)
    assert adapter is not None
    heard = adapter.read(event, payload)
    codes = {0, adapter.neutral(event).code}
    if heard is not None:
        codes |= {
            adapter.write(event, heard, HookReply(refuse="no")).code,
            adapter.write(event, heard, HookReply(go_on="no")).code,
        }
    return Said(host, event, json.dumps(payload).encode(), frozenset(codes))

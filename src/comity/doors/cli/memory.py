"""Commands on shared memory: ``comity memory`` lists it; its verbs set, read, search, settle and forget."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cyclopts import App

from comity.doors.cli.command import command
from comity.doors.cli.screen import Part, Screen, clock, count
from comity.doors.cli.tasks import operation
from comity.rooms.memory.model import Archived, Entries, Entry, Found, History, PastEntry, Resolved, Stored

_FLAGS = {"channel_id": "--channel", "tags": "--tag", "skill_tag": "--tag"}


def _where(entry: Entry | PastEntry) -> str:
    if entry.scope == "channel":
        return f"#{entry.channel_id}"
    return entry.scope


def _show_entry(screen: Screen, entry: Entry | PastEntry, text: str = "") -> None:
    facts = [_where(entry), entry.author_agent_id, clock(entry.updated_at), *(f"+{tag}" for tag in entry.tags)]
    facts += [word for word in (entry.confidence, entry.layer) if word not in ("stated", "context")]
    screen.say((entry.key, "bold"), "  ", ("  ".join(facts), "dim"))
    screen.say(text or entry.value, indent=2)


def _show_entries(screen: Screen, listed: Entries) -> None:
    if not listed.entries:
        screen.say("Nothing is remembered that matches.")
    for entry in listed.entries:
        _show_entry(screen, entry, entry.snippet)


def _show_found(screen: Screen, found: Found) -> None:
    if not found.entries:
        screen.say("Nothing is remembered for this key.")
    for entry in found.entries:
        _show_entry(screen, entry)
    if found.conflicts:
        screen.say(("Agents disagree: ", "yellow"), "choose one with comity memory resolve.")


def _show_stored(screen: Screen, stored: Stored) -> None:
    screen.say(("Remembered", "green"), f" {stored.entry.key} ({_where(stored.entry)}).")
    if stored.conflicts > 1:
        screen.say((f"The key now has {stored.conflicts} values: ", "yellow"), "comity memory resolve chooses one.")


def _show_archived(screen: Screen, done: Archived) -> None:
    screen.say(f"Forgot {count(done.archived_count, 'value')}; comity memory history keeps them.")


def _show_resolved(screen: Screen, done: Resolved) -> None:
    screen.say(("Settled", "green"), f" {done.entry.key}: it replaced {count(done.archived_count, 'value')}.")


def _show_history(screen: Screen, past: History) -> None:
    if not past.entries:
        screen.say("This key never had a value.")
    for entry in past.entries:
        _show_entry(screen, entry)
        end: Part = ("holds", "green")
        if entry.archived_at is not None:
            end = (f"{entry.archived_reason or 'archived'} {clock(entry.archived_at)}", "dim")
        screen.say(end, indent=2)


memory = App(name="memory", version_flags=[])


def _verb(
    name: str,
    show: Callable[[Screen, Any], None],
    positional: tuple[str, ...],
    example: str,
    *,
    makes: bool = False,
    op_name: str = "",
) -> None:
    op_name = op_name or f"memory.{name}"
    made = command(
        operation(op_name, makes=makes),
        show=show,
        ops=(op_name,),
        positional=positional,
        flags=_FLAGS,
        example=f"comity memory {name} {example}".rstrip(),
    )
    memory.command(made, name=name)


memory.default(
    command(operation("memory.list"), show=_show_entries, ops=("memory.list",), flags=_FLAGS, example="comity memory")
)
_verb("set", _show_stored, ("key", "value"), "'build command' 'make test' --scope workspace", makes=True)
_verb("get", _show_found, ("key",), "'build command'")
_verb("list", _show_entries, (), "--tag build")
_verb("search", _show_entries, ("query",), "build --rank")
_verb("delete", _show_archived, ("key",), "'build command' --scope workspace")
_verb("resolve", _show_resolved, ("key", "chosen_value"), "'build command' 'make check' --scope workspace")
_verb("history", _show_history, ("key",), "'build command' --scope workspace")

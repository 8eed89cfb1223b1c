"""``comity trust``: agree to what files of this work tree ask for, as they are now, or take that back."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Literal

from comity import trust as record
from comity.doors.cli.command import Option, Values, command
from comity.doors.cli.invocation import Invocation
from comity.doors.cli.screen import Column, Screen
from comity.hosts.environment import Assignment, assignments
from comity.hosts.layout import workspace
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Conflict, Forbidden, Invalid
from comity.server.auth.config import RULES
from comity.server.folder import agreement
from comity.server.folder.agreement import Wish, Wishes
from comity.server.folder.options import OPTIONS
from comity.setting_list import SETTINGS
from comity.settings import workspace_of

_STATES = {"agreed": "agreed", "changed": "changed since you agreed", "open": "does not count"}


class TrustOutcome(NamedTuple):
    """What there is, and what was done: ``files`` are those agreed to, or taken back."""

    root: str
    wishes: Wishes
    set_by_hosts: list[Assignment]
    outcome: Literal["listed", "agreed", "declined", "unasked", "removed"] = "listed"
    files: tuple[str, ...] = ()
    shown: bool = False


def _trust(invocation: Invocation, values: Values) -> TrustOutcome:
    root = workspace_of(os.environ, os.getcwd())
    if values.get("remove"):
        names = agreement.paths(root)
        gone = record.forget(names)
        return TrustOutcome(root, agreement.look(root), [], "removed", tuple(names[path] for path in gone))
    found = TrustOutcome(root, agreement.look(root), assignments(workspace(Path(os.getcwd())).checkout))
    if values.get("list") or not found.wishes.left or (invocation.json and not values.get("yes")):
        return found
    if record.inside(root):
        hint = "Set XDG_CONFIG_HOME to a folder outside of it, or name the settings by option or environment."
        raise Conflict("trust.inside", f"What you agree to would be kept in {root} itself.", hint, path=record.where())
    if not values.get("yes"):
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            return found._replace(outcome="unasked")
        _show_wishes(Screen(), found)
        found = found._replace(shown=True)
        if not _asked():
            return found._replace(outcome="declined")
    record.agree({wish.path: wish.content for wish in found.wishes.left})
    return found._replace(outcome="agreed", files=tuple(wish.file for wish in found.wishes.left))


def _asked() -> bool:
    try:
        return input("Do you agree to these files as they are now? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False


def _program(answer: TrustOutcome) -> dict[str, Any]:
    return {
        "root": answer.root,
        "record": record.where(),
        "outcome": answer.outcome,
        "changed": list(answer.files),
        "files": [_wish(wish, answer) for wish in answer.wishes.all],
        "setByHosts": answer.set_by_hosts,
        "problems": [problem.as_dict() for problem in answer.wishes.problems],
    }


def _wish(wish: Wish, answer: TrustOutcome) -> dict[str, Any]:
    state = "agreed" if answer.outcome == "agreed" else wish.state
    asks = [{"name": one.name, "value": one.value} for one in wish.asks]
    return {"file": wish.file, "state": state, "tracked": wish.came, "asks": asks}


def _show_wishes(screen: Screen, answer: TrustOutcome) -> None:
    if answer.wishes.all:
        meanings = {one.name: one.doc for one in (*SETTINGS, *OPTIONS, *RULES)}
        columns = (Column("File"), Column("Asks for", flexible=True), Column("Meaning", flexible=True), Column("State"))
        rows = [
            (one.file, one.text, meanings.get(one.name, ""), _STATES[wish.state])
            for wish in answer.wishes.all
            for one in wish.asks
        ]
        screen.table(columns, rows)
        screen.say("")
        for wish in answer.wishes.all:
            whose = "came with the repository" if wish.came else "is not in git"
            screen.say(f"{wish.file} {whose}.")
    elif not answer.wishes.problems:
        screen.say("No file here asks for anything that needs your agreement.")
    for one in answer.set_by_hosts:
        said = f"{one.file}, which came with the repository, sets {one.name}={one.value} for the host's programs."
        screen.say(("note: ", "yellow"), said)
    for problem in answer.wishes.problems:
        screen.say(("problem: ", "bold red"), problem.message)
        screen.say(problem.hint, indent=2)


def _show(screen: Screen, answer: TrustOutcome) -> None:
    if answer.outcome == "removed":
        for name in answer.files:
            screen.say(("taken back: ", "green"), name)
        if not answer.files:
            screen.say("You had agreed to no file here.")
        return
    if not answer.shown:
        _show_wishes(screen, answer)
    if answer.outcome == "unasked":
        screen.say("Nobody can be asked here: `comity trust --yes` agrees.")
    elif answer.outcome == "declined":
        screen.say("Nothing was agreed to.")
    for name in answer.files:
        screen.say(("agreed: ", "green"), f"{name} counts, as long as it stays as it is now")


def _code(answer: TrustOutcome) -> int:
    if answer.wishes.problems and answer.outcome != "removed":
        return answer.wishes.problems[0].exit_code
    return {"unasked": Invalid.exit_code, "declined": Forbidden.exit_code}.get(answer.outcome, 0)


trust = command(
    _trust,
    show=_show,
    program=_program,
    needs="nothing",
    options=(
        Option("list", bool, "Only show what there is.", default=False),
        Option("remove", bool, "Take back what you agreed to here.", default=False),
        Option("yes", bool, "Agree without being asked.", default=False),
    ),
    doc="""Agree to what files of this work tree ask for, as they are now.

    Settings that loosen something count from a file that came with a repository only once you agreed to it: another
    database, who an agent is, limits, enforcement, addresses. When the file changes, you are asked anew. What you agree
    to is kept in your own configuration, outside the repository.
    """,
    example="comity trust --list",
    code=_code,
)

"""``comity rescue``: copies of uncommitted work. They are taken by the hooks; here they are looked at and given back.

At a prompt a path counts from the working directory, as everywhere in a shell; operations count from the checkout.
"""

from __future__ import annotations

import base64
import os
import sys
from collections.abc import Callable
from typing import Any

from cyclopts import App

from comity.doors.cli.command import Option, Run, Values, command
from comity.doors.cli.invocation import Invocation
from comity.doors.cli.screen import Column, Part, Screen, clock, size
from comity.rooms.rescue.model import Difference, KeptVersions, Purged, Restored, Shown

_MOST_SHOWN_BYTES = 100_000_000


def _run(op_name: str, **more: object) -> Run:
    """Run one operation, with paths from the working directory."""

    def run(invocation: Invocation, values: Values) -> Any:
        invocation.require_database()
        return invocation.call(op_name, **{**_here(values), **more})

    return run


def _here(values: Values) -> Values:
    """With paths made absolute."""
    named = dict(values)
    if isinstance(named.get("file"), str):
        named["file"] = os.path.join(os.getcwd(), named["file"])
    if named.get("files"):
        named["files"] = [os.path.join(os.getcwd(), file) for file in named["files"]]
    return named


def _listed(invocation: Invocation, values: Values) -> Any:
    purge = values.pop("purge", False)
    return _run("rescue.purge" if purge else "rescue.list")(invocation, {} if purge else values)


def _show_list(screen: Screen, listed: KeptVersions | Purged) -> None:
    if isinstance(listed, Purged):
        screen.say(f"Removed {listed.removed:,} copies.")
        return
    if not listed.versions:
        screen.say("No copies are kept. Hooks take them of uncommitted work while several agents are here.")
        return
    columns = (
        Column("File", flexible=True),
        Column("Version", right=True),
        Column("Of"),
        Column("Size", right=True),
        Column("Kept"),
        Column("Work of", flexible=True),
        Column("Lost", flexible=True),
        Column("Worktree", flexible=True),
    )
    rows = []
    for one in listed.versions:
        lost: Part = ""
        if one.lost_at is not None:
            how = f" ({one.lost_how})" if one.lost_how else ""
            lost = (f"{clock(one.lost_at)} by {one.lost_by}{how}", "bold red")
        of = f"{one.versions} of it" if one.versions > 1 else ""
        who = one.agent_name or one.agent_id or "nobody known"
        where = (one.file_path, str(one.version_id), of, size(one.size_bytes), clock(one.kept_at), who, lost)
        rows.append((*where, os.path.basename(one.worktree)))
    screen.table(columns, rows)
    if listed.more:
        screen.say(("… and more: --limit", "yellow"))
    screen.say("")
    screen.say("comity rescue diff FILE shows what would change, comity rescue restore FILE puts it back.")


def _shown(invocation: Invocation, values: Values) -> Any:
    wanted = {**values, "max_bytes": values.get("max_bytes") or _MOST_SHOWN_BYTES}
    return _run("rescue.show")(invocation, wanted)


def _show(_: Screen, shown: Shown) -> None:
    """The content as it is, so that it can be piped."""
    data = shown.text.encode() if shown.text is not None else base64.b64decode(shown.base64 or "")
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _show_diff(screen: Screen, found: Difference) -> None:
    if not found.diff:
        screen.say("The file has what is kept.")
    for line in found.diff.splitlines():
        style = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
        screen.exact((line, "bold" if line.startswith(("+++", "---")) else style))


def _show_restored(screen: Screen, restored: Restored) -> None:
    version = restored.version
    if not restored.changed:
        screen.say(f"{version.file_path} has it already.")
        return
    screen.say(("Restored", "green"), f" {version.file_path} as it was kept at {clock(version.kept_at)}.")
    if restored.overwrote is not None:
        screen.say(f"What was there is kept as version {restored.overwrote}.")


rescue = App(name="rescue", version_flags=[])
rescue.default(
    command(
        _listed,
        show=_show_list,
        ops=("rescue.list",),
        positional=("files",),
        options=(Option("purge", bool, "Remove every copy instead.", default=False),),
        needs="agent",
        doc="""List the copies that are kept of uncommitted work, what was lost first.

        Of files that are named, every version. Copies are taken by the hooks of agents, while several agents are here.
        """,
        example="comity rescue",
    )
)


def _verb(
    name: str, run: Run, show: Callable[[Screen, Any], None], op_name: str, positional: str, example: str
) -> None:
    made = command(
        run,
        show=show,
        ops=(op_name,),
        positional=(positional,),
        needs="agent",
        example=f"comity rescue {name} {example}",
    )
    rescue.command(made, name=name)


_verb("list", _run("rescue.list"), _show_list, "rescue.list", "files", "src/parser.py")
_verb("show", _shown, _show, "rescue.show", "file", "src/parser.py")
_verb("diff", _run("rescue.diff"), _show_diff, "rescue.diff", "file", "src/parser.py")
_verb("restore", _run("rescue.restore"), _show_restored, "rescue.restore", "file", "src/parser.py")

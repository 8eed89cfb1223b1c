"""Commands on claims: claims lists them, claim takes files and resources, release gives them back.

At a prompt a path counts from the working directory, as everywhere in a shell; operations count from the checkout.
Whoever is refused may wait for its turn: blocked until then, or told by a message. A program may be run while something
is held.
"""

from __future__ import annotations

import os
from typing import Any

from comity.doors.cli import catalog, errands
from comity.doors.cli.command import Option, Values, command
from comity.doors.cli.invocation import Invocation
from comity.doors.cli.screen import Column, Part, Screen, clock, moment
from comity.kernel.clock import SystemClock
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Invalid
from comity.rooms.claims.model import RESOURCES, WAITING, Claim, Claimed, Claims, PeerClaim, Released, WaitingPlace
from comity.rooms.edits.model import UncommittedFile

MODE_STYLES = {"exclusive": "bold", "shared": "cyan", "advisory": "dim", WAITING: "yellow"}
_WAIT = Option(
    "wait", bool, "While somebody else has it: stand in line, and go on when it is your turn.", default=False
)
_LINE = Option("in_line", bool, "The same without waiting here: a message tells when it is yours.", default=False)
_RUN = Option("run", str | None, "Hold it while a program runs: --run -- PROGRAM ARGUMENTS.", default=None)


class HeldFiles(NamedTuple):
    """Claims, who waits for a turn, and files with uncommitted work in them, which are held without any."""

    claims: list[Claim]
    more: bool
    work: list[UncommittedFile]
    waiting: tuple[WaitingPlace, ...] = ()


def _claims(invocation: Invocation, values: Values) -> HeldFiles:
    invocation.require_database()
    listed: Claims = invocation.call("claim.list", **_here(values))
    work = [] if values.get("files") or values.get("agent_id") else invocation.call("work.list").files
    return HeldFiles(listed.claims, listed.more, work, listed.waiting)


def _claim(invocation: Invocation, values: Values) -> Claimed | int:
    program, waits, in_line = (values.pop(name, None) for name in ("run", "wait", "in_line"))
    wanted = _here(values)
    if program is not None:
        if wanted.get("partial") or in_line:
            raise Invalid(
                "usage.run", "--run needs all that is claimed before it begins.", "Leave --partial and --in-line out."
            )
        return errands.run(invocation, wanted, program.split(catalog.BETWEEN), waits=bool(waits))
    invocation.take_part()
    if waits:
        return errands.wait(invocation.workspace, wanted)
    claimed: Claimed = invocation.call("claim.acquire", **wanted, wait=bool(in_line))
    return claimed


def _release(invocation: Invocation, values: Values) -> Released:
    invocation.require_database()
    invocation.take_part()
    released: Released = invocation.call("claim.release", **_here(values))
    return released


def _here(values: Values) -> Values:
    """With paths that are relative to the working directory made absolute; a ``/`` at the end stays."""
    files = values.get("files")
    if files is None:
        return values
    found = [file if file.strip().lower().startswith(RESOURCES) else os.path.join(os.getcwd(), file) for file in files]
    return {**values, "files": found}


def _show_claims(screen: Screen, listed: HeldFiles) -> None:
    if not listed.claims:
        screen.say("Nothing is claimed.")
    _table(screen, listed.claims)
    if listed.more:
        screen.say(("… and more: --limit", "yellow"))
    if listed.waiting:
        screen.say("")
        screen.say(("In line", "bold"))
        show_line(screen, listed.waiting)
    if listed.work:
        screen.say("")
        screen.say(("Uncommitted work", "bold"))
        show_work(screen, listed.work)


def show_work(screen: Screen, work: list[UncommittedFile]) -> None:
    """Whose uncommitted work lies in which files."""
    columns = (
        Column("Path", flexible=True),
        Column("Of", flexible=True),
        Column("State"),
        Column("Age", right=True),
        Column("Worktree", flexible=True),
    )
    styles = {"left behind": "yellow", "asked for": "dim"}
    rows = [
        (
            one.file_path,
            one.agent_name or one.agent_id,
            (one.state, styles.get(one.state, "")),
            _age(one.changed_at),
            one.worktree,
        )
        for one in work
    ]
    screen.table(columns, rows)


def show_line(screen: Screen, waiting: tuple[WaitingPlace, ...]) -> None:
    """Who waits for what, and behind whom."""
    columns = (
        Column("Path", flexible=True),
        Column("Waits", flexible=True),
        Column("Place", right=True),
        Column("Behind", flexible=True),
        Column("Age", right=True),
    )
    rows = [
        (", ".join(one.files), one.agent_name or one.agent_id, str(one.place), ", ".join(one.behind), _age(one.since))
        for one in waiting
    ]
    screen.table(columns, rows)


def _table(screen: Screen, claims: Any) -> None:
    columns = (
        Column("Path", flexible=True),
        Column("Holder", flexible=True),
        Column("Mode"),
        Column("Reason", flexible=True),
        Column("Age", right=True),
        Column("Until"),
        Column("Worktree", flexible=True),
    )
    rows = [
        (
            claim.file_path,
            claim.agent_name or claim.agent_id,
            (claim.mode, MODE_STYLES.get(claim.mode, "")),
            claim.reason or "",
            _age(claim.claimed_at),
            clock(claim.expires_at) if claim.expires_at else "",
            claim.worktree or claim.repository,
        )
        for claim in claims
    ]
    screen.table(columns, rows)


def _age(claimed_at: str) -> Part:
    since = moment(claimed_at)
    if since is None:
        return ""
    seconds = max(0, SystemClock().now().second - int(since.timestamp()))
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _show_claimed(screen: Screen, claimed: Claimed) -> None:
    if claimed.waiting is not None:
        errands.say_place(screen, claimed.waiting)
        screen.say("A message tells you when it is yours. comity release gives the place up.")
        return
    screen.say(("Claimed", "green"), f" until {clock(claimed.claims[0].expires_at)}:")
    for claim in claimed.claims:
        screen.say(claim.file_path, indent=2)
    for path in claimed.refused:
        screen.say(("Not claimed:", "bold red"), f" {path}")
    _show_peers(screen, claimed.conflicts)


def _show_peers(screen: Screen, peers: tuple[PeerClaim, ...]) -> None:
    if peers:
        screen.say("")
        screen.say(("Claims of others there", "bold"))
        _table(screen, peers)


def _show_released(screen: Screen, released: Released) -> None:
    for path in released.released_files:
        screen.say(("Released", "green"), f" {path}")
    for path in released.given_up:
        screen.say(("No longer in line for", "yellow"), f" {path}")
    if not (released.released_files or released.given_up):
        screen.say("None of these was held.")
    for path in released.still_held:
        screen.say(("Still held:", "yellow"), f" {path}")


claims = command(
    _claims,
    show=_show_claims,
    ops=("claim.list",),
    positional=("files",),
    flags={"agent_id": "--holder"},
    needs="project",
    example="comity claims src/",
)
claim = command(
    _claim,
    show=_show_claimed,
    ops=("claim.acquire",),
    positional=("files",),
    omit=("wait_ms", "waiter"),
    flags={"ttl_seconds": "--ttl"},
    options=(_WAIT, _LINE, _RUN),
    doc="""Claim files, folders, globs or resources before you use them; says who else holds any of them.

    Refused as a whole while somebody else holds one of them, unless --partial asks for what is free. With --wait or
    --in-line you stand in line instead: first come, first served. A resource is no file and one for all checkouts:
    res:staging, res:port-5432. With --run a program runs while all of it is held, and its exit code is passed on.
    """,
    example="comity claim src/parser.py 'tests/**' --reason 'new grammar'",
)
release = command(
    _release,
    show=_show_released,
    ops=("claim.release",),
    positional=("files",),
    example="comity release src/parser.py",
)

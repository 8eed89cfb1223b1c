"""Commands on file claims: claims lists them, claim takes files, release gives them back.

At a prompt a path counts from the working directory, as everywhere in a shell; operations count from the checkout.
"""

from __future__ import annotations

import os
from typing import Any

from comity.doors.cli.command import Values, command
from comity.doors.cli.invocation import Invocation
from comity.doors.cli.screen import Column, Part, Screen, clock, moment
from comity.kernel.clock import SystemClock
from comity.kernel.named_tuple import NamedTuple
from comity.rooms.claims.model import Claim, Claimed, Claims, PeerClaim, Released
from comity.rooms.edits.model import UncommittedFile

MODE_STYLES = {"exclusive": "bold", "shared": "cyan", "advisory": "dim"}


class HeldFiles(NamedTuple):
    """Claims, and files with uncommitted work in them, which are held without any."""

    claims: list[Claim]
    more: bool
    work: list[UncommittedFile]


def _claims(invocation: Invocation, values: Values) -> HeldFiles:
    invocation.require_database()
    listed: Claims = invocation.call("claim.list", **_here(values))
    work = [] if values.get("files") or values.get("agent_id") else invocation.call("work.list").files
    return HeldFiles(listed.claims, listed.more, work)


def _claim(invocation: Invocation, values: Values) -> Claimed:
    invocation.take_part()
    claimed: Claimed = invocation.call("claim.acquire", **_here(values))
    return claimed


def _release(invocation: Invocation, values: Values) -> Released:
    invocation.require_database()
    invocation.take_part()
    released: Released = invocation.call("claim.release", **_here(values))
    return released


def _here(values: Values) -> Values:
    """With paths that are relative to the working directory made absolute; a ``/`` at the end stays."""
    files = values.get("files")
    return values if files is None else {**values, "files": [os.path.join(os.getcwd(), file) for file in files]}


def _show_claims(screen: Screen, listed: HeldFiles) -> None:
    if not listed.claims:
        screen.say("Nothing is claimed.")
    _table(screen, listed.claims)
    if listed.more:
        screen.say(("… and more: --limit", "yellow"))
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
            clock(claim.expires_at),
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
    if not released.released_files:
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
    flags={"ttl_seconds": "--ttl"},
    example="comity claim src/parser.py 'tests/**' --reason 'new grammar'",
)
release = command(
    _release,
    show=_show_released,
    ops=("claim.release",),
    positional=("files",),
    example="comity release src/parser.py",
)

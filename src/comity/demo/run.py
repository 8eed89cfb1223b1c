"""``comity demo``: play, read the file, tell. The exit code is 0 only when nothing was lost and nothing doubled."""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from typing import NamedTuple

from comity.demo.account import Account
from comity.demo.picture import verdict
from comity.demo.screen import Nobody
from comity.demo.view import Terminal, View
from comity.kernel.problem import Internal, Invalid, Unavailable
from comity.kernel.record import to_json

MIN_SECONDS, MAX_SECONDS = 2, 600


class Document(NamedTuple):
    """What ``--json`` prints. ``folder`` and ``database`` are null unless they were kept."""

    ok: bool
    verdict: str
    seconds: float
    seed: int
    folder: str | None
    database: str | None
    account: Account


def run(*, seconds: float = 10, json_output: bool = False, seed: int = 7, keep: bool = False) -> int:
    """Play the demo for some seconds and tell what the file says. Raises Problem when it cannot be played.

    ``seed`` decides what the agents say. ``keep`` leaves the temporary repository for a look; otherwise it is removed
    in every case, as the processes are ended. Answers 0 when nothing was lost and nothing doubled, 70 when something
    was, and 128 and a signal's number when a signal ended it.
    """
    if not MIN_SECONDS <= seconds <= MAX_SECONDS:
        raise Invalid(
            "demo.seconds", f"The demo cannot last {seconds} s.", f"It takes {MIN_SECONDS} to {MAX_SECONDS} seconds."
        )
    if find_spec("mcp") is None:
        raise _no_client("is not installed")
    view = None if json_output else View(Terminal())
    try:
        if view is not None:
            view.opening()
        try:
            from comity.demo.performance import perform  # it loads the MCP client, an extra
        except ImportError as error:
            if not (error.name or "").startswith("mcp"):
                raise
            raise _no_client(f"cannot be used ({error})") from error
        outcome = perform(view or Nobody(), seconds, seed, keep=keep)
        if outcome.account is None:
            sys.stderr.write("\nInterrupted: the processes are ended.\n")
            return 128 + outcome.signal
        account = outcome.account
        ok = not account.lost and not account.doubled and all(check.ok for check in account.checks)
        folder, database = (outcome.folder, outcome.database) if keep else (None, None)
        if view is None:
            document = Document(ok, verdict(account, ok), seconds, seed, folder, database, account)
            sys.stdout.write(json.dumps(to_json(document), indent=2, ensure_ascii=False) + "\n")
        else:
            view.closing(account, ok, [f"The repository stays in {folder}"] if folder else [])
    finally:
        if view is not None:
            view.stop()
    return 0 if ok else Internal.exit_code


def _no_client(why: str) -> Unavailable:
    return Unavailable(
        "demo.no_client",
        f"The demo drives its agents with the official MCP client, which {why}.",
        "Install it with: pip install 'comity[demo]'",
    )

"""``comity serve``: from the command line to a server that listens, and to its end.

SIGTERM and Ctrl-C end it gracefully: nothing more is accepted, streams are told, running requests are finished within
a bound, and the store is closed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Callable

from comity import settings
from comity.doors.auth.authority import Authority, check_bind
from comity.doors.auth.config import AuthConfig
from comity.doors.http.guard import Guard
from comity.doors.http.house import House
from comity.doors.http.listener import Listener
from comity.doors.http.place import PORT, Place
from comity.doors.http.routes import table
from comity.kernel.problem import Problem
from comity.settings import Settings
from comity.workspace import Workspace

MASC = ".masc"


def main(arguments: list[str], open_workspace: Callable[[Settings], Workspace]) -> int:
    """Run ``comity serve`` with these arguments; the exit code."""
    options = _parser().parse_args(arguments)
    try:
        resolved = settings.resolve({}, os.environ, os.path.abspath(options.target_dir))
        place = Place(options.host, options.port or PORT)
        config = AuthConfig.read(os.path.join(resolved.root, MASC))
        with open_workspace(resolved) as workspace:
            authority = Authority(workspace, config, required=check_bind(workspace, place.host, config))
            asyncio.run(serve(House(workspace, authority, place)))
    except Problem as problem:
        print(f"error: {problem.message}\nhint: {problem.hint}", file=sys.stderr)
        return problem.exit_code
    return 0


async def serve(house: House) -> None:
    """Serve until a signal says to stop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    house.feed.start()
    listener = Listener(Guard(house, table()), house.place)
    await listener.start()
    house.ready = True
    print(f"Comity serves {house.place.url}", file=sys.stderr)
    await stop.wait()
    house.ending = True
    house.feed.stop()
    await listener.stop()
    house.calls.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("comity serve", description="Serve this project's workspace over the network.")
    parser.add_argument("--target-dir", default=".", help="a folder of the project")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on")
    parser.add_argument("--port", type=int, default=0, help=f"the port ({PORT})")
    return parser

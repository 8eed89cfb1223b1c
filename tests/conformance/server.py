"""A server process as ``comity serve`` makes it, whose /mcp has the conformance runner's tools in the place of ours.

    python -m tests.conformance.server FOLDER PORT

Everything before and after the dialect is the real thing: listener, guard, sessions, streams, signals.
"""

from __future__ import annotations

import sys
from functools import partial

from starlette.types import Receive, Send

from comity import settings
from comity.app import living
from comity.doors.http import health, serve
from comity.doors.http.startup_shutdown import ServerRun, StartingApp
from comity.doors.mcp_http.endpoints import Endpoint, McpHttp
from comity.doors.mcp_http.routes import GRANT, PATH
from comity.server.address import address_of
from comity.server.application import Application
from comity.server.auth.authority import Authority
from comity.server.auth.config import AuthConfig
from comity.server.folder.layout import prepare
from comity.server.folder.lock import ServerLock
from comity.server.folder.options import settle
from comity.server.log import Log
from comity.server.route import Exchange, Route, RouteTable
from comity.server.state import ServerState
from tests.conformance.fixture import Fixture


class FixtureRun(ServerRun):
    """A run of the server behind other routes."""

    async def _open(self, server: ServerState, starting_app: StartingApp, _log: Log) -> None:
        mcp = McpHttp(server, (Endpoint(PATH, "", Fixture),))
        server.at_end.append(mcp.close)
        server.feed.start()
        app = partial(_answer, mcp)
        about = [Route(method, PATH, GRANT, "MCP", app=app) for method in ("POST", "GET", "DELETE")]
        starting_app.app = Application(server, RouteTable((*health.routes(), *about)))
        server.ready = True


async def _answer(mcp: McpHttp, exchange: Exchange, receive: Receive, send: Send) -> None:
    await mcp.handle(PATH, "", exchange.principal, exchange.scope, receive, send)


def main(folder: str, port: str) -> int:
    """Serve until a signal; the exit code."""
    project = settings.resolve({}, {}, folder)
    own = settle({"port": port}, {}, project.root)
    masc = prepare(project.root)
    lock = ServerLock.take(masc)
    try:
        config = AuthConfig.read(masc)
        with living(project) as workspace:
            address = address_of(own)
            authority = Authority(workspace, config, required=False)
            with serve.listening(address.host, address.port) as bound:
                return FixtureRun(workspace, authority, address, own, masc, lock).run(bound)
    finally:
        lock.release()


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))

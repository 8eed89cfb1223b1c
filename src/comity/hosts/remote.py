"""Entries for a server elsewhere: over HTTP where the host speaks it, else through the bridge on standard input.

No token is ever written into a file: an entry names the environment variable that holds it. Hosts that cannot refer to
one in a header get the bridge, which reads it.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from comity.hosts.host import REMOTE, Host
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Invalid

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}", re.ASCII)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
TOOLS = "macp"  # the tools that the entry named ``macp`` has when it is started here


class Remote(NamedTuple):
    """Where the server is, and which variable holds the token; empty: there is none."""

    url: str
    token_env: str

    @property
    def here(self) -> bool:
        """Whether it is on this machine, so that hooks meet the same workspace."""
        return urlsplit(self.url).hostname in _LOOPBACK


def remote(url: str | None, token_env: str | None) -> Remote | None:
    """The server that the options name, if they do. Raises Invalid ``init.bad_url`` and ``init.bad_token_env``."""
    if url is None:
        if token_env is not None:
            raise Invalid("init.bad_token_env", "--token-env goes with --url.", "Give both.")
        return None
    parts = urlsplit(url)
    plain = not (parts.query or parts.fragment or parts.username or parts.path.strip("/")) and url.isascii()
    if parts.scheme not in ("http", "https") or not parts.hostname or not plain or not url.isprintable() or " " in url:
        raise Invalid("init.bad_url", f"--url {url[:200]!r} is no address of a server", "Write https://HOST:PORT.")
    if token_env is not None and not _VARIABLE.fullmatch(token_env):
        raise Invalid(
            "init.bad_token_env",
            f"--token-env {token_env[:80]!r} is no name of an environment variable",
            "Give the variable's name, such as COMITY_TOKEN: never the token itself.",
        )
    return Remote(url.rstrip("/"), token_env or "")


def at(host: Host, server: Remote) -> Host:
    """The host with the entry for that server."""
    if host.http is None or (server.token_env and host.bearer is None):
        return host._replace(entry=_bridge(host.entry, server))
    entry = {**host.http, **(host.bearer or {})} if server.token_env else host.http
    return host._replace(entry=_filled(entry, server))


def _filled(entry: dict[str, object], server: Remote) -> dict[str, object]:
    filled: dict[str, object] = {}
    for key, value in entry.items():
        if isinstance(value, dict):
            filled[key] = _filled(value, server)
        elif isinstance(value, str):
            url = f"{server.url}{REMOTE}{TOOLS}"
            filled[key] = value.replace("TOKEN_ENV", server.token_env) if value != "URL" else url
        else:
            filled[key] = value
    return filled


def _bridge(entry: dict[str, object], server: Remote) -> dict[str, object]:
    more = ["--url", server.url, *(["--token-env", server.token_env] if server.token_env else [])]
    key = "args" if "args" in entry else "command"
    words = entry[key]
    assert isinstance(words, list), "every host's entry ends in a list of words"
    return {**entry, key: [*words, *more]}

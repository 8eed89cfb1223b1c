"""What holds for every test: no network beyond this machine, and asyncio under anyio's plugin."""

import signal
import sys
from ipaddress import ip_address
from typing import Any

import pytest


def _stay_here(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse to reach another machine (an audit hook: it cannot be patched away by the code under test)."""
    if event == "socket.connect":
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host in {None, "", "localhost"}:
        return
    try:
        local = ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise RuntimeError(f"A test tried to reach {host!r}. Tests use this machine only.")


sys.addaudithook(_stay_here)
# In the background of a shell it is ignored, and the programs under test would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def anyio_backend() -> str:
    """Async tests run on asyncio."""
    return "asyncio"

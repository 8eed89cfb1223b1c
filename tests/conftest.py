"""What holds for every test: no network beyond this machine, files in memory, and asyncio under anyio's plugin."""

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.rounds import ALL, rounds


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
os.environ["COMITY_LAUNCHER"] = "python"  # whoever runs the tests may have had a launcher compiled
# In the background of a shell, or under nohup, they are ignored, and the programs under test would inherit that.
# Whoever runs the tests stays as deaf: a handler is not inherited, and this one does nothing.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda *_: None)

# Files of tests lie in memory where there is plenty: waiting for a disk is most of what many of them would do. Whoever
# wants them elsewhere says so with TMPDIR; tests of durability ask for the disk.
_MEMORY, _ROOM_BYTES = "/dev/shm", 2 << 30
_DISK = tempfile.gettempdir()


def _has_room(folder: str) -> bool:
    return os.access(folder, os.W_OK | os.X_OK) and shutil.disk_usage(folder).free > _ROOM_BYTES


if "TMPDIR" not in os.environ and _has_room(_MEMORY):
    tempfile.tempdir = _MEMORY

if not ALL:
    settings.register_profile("few", max_examples=rounds(30, 100))
    settings.load_profile("few")


@pytest.fixture
def tmp_path(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A folder of the test's own: in memory, or on the disk where a test is marked for it."""
    if request.node.get_closest_marker("disk") is None:
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(prefix="comity-test-", dir=_DISK) as folder:
        yield Path(folder)


@pytest.fixture
def anyio_backend() -> str:
    """Async tests run on asyncio."""
    return "asyncio"

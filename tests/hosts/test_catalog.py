"""Each host's data is whole, and the page about ``init`` lists every host."""

from pathlib import Path, PurePosixPath

import pytest

from comity.hosts.catalog import hosts
from comity.hosts.host import Host, starts

PAGE = Path(__file__).parents[2] / "docs" / "init.md"


@pytest.mark.parametrize("host", hosts(), ids=lambda host: host.name)
def test_host_is_whole_and_documented(host: Host) -> None:
    assert starts(host.entry) == "comity"
    assert host.source.startswith("https://")
    assert len(host.checked) == len("2026-01-01")
    for name in (host.file, *host.others):
        path = PurePosixPath(name)
        assert not path.is_absolute()
        assert ".." not in path.parts
    assert f"| `{host.name}` | {host.title} | `{host.file}` |" in PAGE.read_text()


def test_names_are_unique() -> None:
    names = [host.name for host in hosts()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"command": "comity", "args": ["mcp"]}, "comity"),
        ({"command": ["comity", "mcp"]}, "comity"),
        ({"command": "C:\\tools\\Comity.EXE", "args": ["mcp"]}, "comity"),
        ({"command": "uvx", "args": ["comity@0.1.0", "mcp"]}, "comity"),
        ({"command": "npx", "args": ["-y", "macp-mcp@2.1.0", "server"]}, "macp"),
        ({"command": "/usr/bin/macp-server"}, "macp"),
        ({"command": "npx", "args": ["-y", "comity-like"]}, None),
        ({"url": "http://localhost/mcp"}, None),
        ({"command": 3, "args": [None, {"a": 1}]}, None),
        ("comity", None),
    ],
)
def test_what_an_entry_starts(entry: object, expected: str | None) -> None:
    assert starts(entry) == expected

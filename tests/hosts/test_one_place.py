"""All that is known of an agent host stands in its own module; what must be repeated elsewhere is compared with it."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from comity import settings
from comity.hosts import session
from comity.hosts.catalog import ADAPTERS, HOSTS
from comity.hosts.contract import adapter_of
from comity.hosts.host import Host
from comity.kernel.scope import HostSession
from comity.rooms.agents import agent_hosts
from tests.doors.cli.program import TIMEOUT_S

SRC = Path(__file__).parents[2] / "src" / "comity"

# Where a fact about one host may stand besides, and why.
ALLOWED = {
    "settings.py": "hooks read their environment with it; compared below",
    "hosts/session.py": "which host's module a call's keys need; compared below",
    "rooms/agents/agent_hosts.py": "rooms know no hosts; compared below",
    "hosts/codex_queue.py": "the program that codex.py names as what wakes a session",
    "hosts/environment.py": "how names of files with variables end",
    "demo/hooked.py": "the demo plays Claude Code",
    "doors/cli/setup.py": "an example of a call",
    "rooms/channels/arrival_ops.py": "an example of a call",
    "testing/wires.py": "the wire of a model's provider, which is no host",
}
# Names of hosts that are words of ours as well: looked for only among the hosts.
WORDS = {"cursor": "a place in the log"}


def module_of(host: Host) -> str:
    """The file that a host's facts stand in."""
    return f"hosts/{host.name.replace('-', '_')}.py" if host.hooks is not None else "hosts/hookless.py"


def facts(host: Host) -> set[str]:
    """What tells the host from others: its names, its files, its variables, its keys."""
    keys = {path[0] for path in (*host.session_keys, *host.thread_keys)}
    names = {host.name, *host.aliases, host.session, host.folder, *keys}
    files = {host.file, *host.others, *host.variables, host.hooks.file if host.hooks else ""}
    files |= {*host.instructions, *host.yields}
    return (names | files) - {""}


FILES = {str(file.relative_to(SRC)): file.read_text(encoding="utf-8") for file in sorted(SRC.rglob("*.py"))}


@cache
def texts(name: str) -> tuple[str, ...]:
    """Every text in a Python file but for those that stand alone, which explain."""
    nodes = list(ast.walk(ast.parse(FILES[name])))
    alone = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    found = (node for node in nodes if isinstance(node, ast.Constant) and id(node) not in alone)
    return tuple(node.value for node in found if isinstance(node.value, str))


@pytest.mark.parametrize("host", HOSTS, ids=lambda host: host.name)
def test_nothing_about_a_host_stands_elsewhere(host: Host) -> None:
    own = {module_of(other) for other in HOSTS if facts(other) & facts(host) or other == host}
    found = {
        f"{name}: {fact!r}"
        for name, whole in FILES.items()
        for fact in facts(host)
        if name not in own and name not in ALLOWED and (fact not in WORDS or name.startswith("hosts/"))
        if fact in whole and any(_tells(fact, text) for text in texts(name))
    }
    assert found == set()


def _tells(fact: str, text: str) -> bool:
    """Whether a text that holds ``fact`` tells of the host: short ones are words of many texts."""
    whole = re.search(rf"(?<![\w./-]){re.escape(fact)}(?![\w-])", text)
    return text == fact or (len(fact) > len("opencode") and whole is not None)


def test_every_exception_is_needed() -> None:
    every = {fact for host in HOSTS for fact in facts(host)}
    assert {name for name in ALLOWED if not any(fact in text for text in texts(name) for fact in every)} == set()


def test_only_the_catalog_names_the_modules_of_hosts() -> None:
    modules = "|".join(Path(module_of(host)).stem for host in HOSTS if host.hooks is not None)
    naming = re.compile(
        rf"^(?:from|import) comity\.hosts(?:\.(?:{modules})\b| import (?:\([^)]*|.*)\b(?:{modules})\b)", re.MULTILINE
    )
    found = {name for name, whole in FILES.items() if naming.search(whole)}
    assert found == {"hosts/catalog.py"}


def test_a_hosts_module_agrees_with_itself() -> None:
    for host in HOSTS:
        if host.hooks is not None:
            adapter = ADAPTERS[host.name]
            assert adapter.host == host.name
            assert host.hooks.hooked is adapter.events
            assert set(adapter.guards) <= set(host.hooks.events)


def test_what_the_environment_tells_is_what_the_hosts_say() -> None:
    assert sorted(settings.HOST_SESSIONS) == sorted((host.session, host.name) for host in HOSTS if host.session)
    assert [host.folder for host in HOSTS if host.folder] == [settings.HOST_FOLDER]


def test_what_meta_tells_is_what_the_hosts_say() -> None:
    said = {path[0]: host.name for host in HOSTS for path in (*host.session_keys, *host.thread_keys)}
    assert said == session.IN_META


@pytest.mark.parametrize("host", [host for host in HOSTS if host.session_keys], ids=lambda host: host.name)
def test_a_calls_meta_names_the_session_of_its_host(host: Host) -> None:
    def meta(*told: tuple[tuple[str, ...], str]) -> dict[str, object]:
        found: dict[str, object] = {}
        for path, value in told:
            inner = {path[1]: value} if len(path) > 1 else value
            before = found.get(path[0])
            found[path[0]] = {**before, **inner} if isinstance(before, dict) and isinstance(inner, dict) else inner
        return found

    nobody = HostSession("", "", "", 7, "then", hearsay=True)
    for path in host.session_keys:
        assert session.told(meta((path, "s-1")), nobody) == HostSession(host.name, "s-1", "", 7, "then")
        for wrong in ("", "x" * 201, "a\nb"):
            assert session.told(meta((path, wrong)), nobody) == nobody
    for path in host.thread_keys:
        assert session.told(meta((path, "t-1")), nobody) == HostSession(host.name, "t-1", "", 7, "then")
        both = meta((host.session_keys[0], "s-1"), (path, "t-1"))
        assert session.told(both, nobody) == HostSession(host.name, "s-1", "t-1", 7, "then")


def test_rooms_know_the_names_of_every_host_and_no_others() -> None:
    names = {name for host in HOSTS for name in (host.name, *host.aliases)}
    assert {name for name in names if not agent_hosts.is_agent_host(name)} == set()
    assert {name for name in agent_hosts.KNOWN if not any(one.startswith(name) for one in names)} == set()
    assert not {one for one in agent_hosts.OTHERS if any(name.startswith(one) for name in names)}


def test_a_hook_loads_the_module_of_its_own_host_only() -> None:
    program = """
import json, sys
import comity.doors.hook.run
from comity.hosts.contract import adapter_of
def loaded():
    return {name.removeprefix("comity.hosts.") for name in sys.modules if name.startswith("comity.hosts.")}
seen, found = loaded(), {"": sorted(loaded())}
for host in sys.argv[1:]:
    assert adapter_of(host).host == host
    found[host] = sorted(loaded() - seen)
    seen = loaded()
print(json.dumps(found))
"""
    done = subprocess.run(
        [sys.executable, "-c", program, *ADAPTERS], capture_output=True, text=True, timeout=TIMEOUT_S, check=True
    )
    found = json.loads(done.stdout)
    assert found.pop("") == ["contract", "hook_log"]
    shared = {"host", "patch"}  # loaded with the first that needs them
    assert {host: set(new) - shared for host, new in found.items()} == {
        host: {host.replace("-", "_")} for host in ADAPTERS
    }


@pytest.mark.parametrize(
    "name", ["", "nobody", "claude_code", "Codex", "canary", "host", "..", "../codex", "codex.x", "codex\0", "é", "-"]
)
def test_what_is_no_host_has_no_adapter(name: str) -> None:
    assert adapter_of(name) is None

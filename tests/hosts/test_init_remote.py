"""``init --url``: entries for a server elsewhere, in the form of each host, and the way back."""

import json
import subprocess
import tomllib
from pathlib import Path

import pytest

from comity.hosts.catalog import hosts
from comity.hosts.host import starts
from comity.hosts.init import Options, apply, plan, remove
from comity.kernel.problem import Invalid

URL = "https://comity.example:8935"
AT = f"{URL}/mcp?tools=macp"


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    root = Path(tmp_path.resolve()) / "repo"
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    return root


def entries(root: Path) -> dict[str, object]:
    """The entry of each host's file, by the host's name."""
    found: dict[str, object] = {}
    for host in hosts():
        text = (root / host.file).read_text()
        servers = tomllib.loads(text) if host.format == "toml" else json.loads(text)
        for key in host.section:
            servers = servers[key]
        found[host.name] = servers["macp"]
    return found


def test_hosts_that_speak_http_get_the_address_and_the_others_the_bridge(repo: Path) -> None:
    assert apply(plan(repo, Options(url=URL + "/"))).ok
    found = entries(repo)
    assert found["claude-code"] == found["copilot-cli"] == {"type": "http", "url": AT}
    assert found["codex"] == {"url": AT}
    assert found["gemini-cli"] == {"httpUrl": AT}
    assert found["opencode"] == {"type": "remote", "url": AT, "enabled": True}
    assert found["zed"] == {"url": AT, "headers": {}}
    assert found["warp"] == {"command": "comity", "args": ["mcp", "--url", URL]}
    assert found["kilo"] == {"type": "local", "command": ["comity", "mcp", "--url", URL], "enabled": True}
    assert all(starts(entry) == "comity" for entry in found.values())
    assert not (repo / ".claude").exists()  # hooks would meet another workspace


def test_a_token_is_named_and_never_written(repo: Path) -> None:
    assert apply(plan(repo, Options(url=URL, token_env="TEAM_TOKEN"))).ok
    found = entries(repo)
    assert found["claude-code"] == {"type": "http", "url": AT, "headers": {"Authorization": "Bearer ${TEAM_TOKEN}"}}
    assert found["cursor"] == {"url": AT, "headers": {"Authorization": "Bearer ${env:TEAM_TOKEN}"}}
    assert found["codex"] == {"url": AT, "bearer_token_env_var": "TEAM_TOKEN"}
    bridge = ["mcp", "--url", URL, "--token-env", "TEAM_TOKEN"]
    vscode, opencode = found["vscode"], found["opencode"]
    assert isinstance(vscode, dict)
    assert isinstance(opencode, dict)
    assert (vscode["command"], vscode["args"]) == ("comity", bridge)
    assert opencode["headers"] == {"Authorization": "Bearer {env:TEAM_TOKEN}"}


def test_goes_there_and_back_again(repo: Path) -> None:
    (repo / ".mcp.json").write_text('{"mcpServers": {"mine": {"command": "x"}}}\n')
    assert apply(plan(repo, Options())).ok
    local = entries(repo)
    assert any((repo / ".claude").iterdir())
    assert apply(plan(repo, Options(url=URL))).ok
    assert not plan(repo, Options(url=URL)).writes
    assert apply(plan(repo, Options())).ok
    assert entries(repo) == local
    assert apply(plan(repo, Options(url="http://127.0.0.1:8935"))).ok
    assert apply(remove(repo)).ok
    assert (repo / ".mcp.json").read_text() == '{"mcpServers": {"mine": {"command": "x"}}}\n'
    assert not (repo / ".codex").exists()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (Options(url="comity.example"), "init.bad_url"),
        (Options(url="ftp://comity.example"), "init.bad_url"),
        (Options(url="https://user:word@comity.example"), "init.bad_url"),
        (Options(url="https://comity.example/mcp?x=1"), "init.bad_url"),
        (Options(url="https://comity.example/a b"), "init.bad_url"),
        (Options(url=URL, token_env="comity_secret-secret"), "init.bad_token_env"),
        (Options(token_env="TEAM_TOKEN"), "init.bad_token_env"),
    ],
)
def test_refuses_what_is_no_address_or_no_name(repo: Path, options: Options, reason: str) -> None:
    with pytest.raises(Invalid) as refused:
        plan(repo, options)
    assert refused.value.reason == reason

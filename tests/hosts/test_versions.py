"""Versions of hosts: what each takes is data, ``init`` writes that, and what is lost is said."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from comity.hosts import asking, hook_edit, versions
from comity.hosts.catalog import ADAPTERS
from comity.hosts.contract import HookReply
from comity.hosts.heard import host_of, takes_more
from comity.hosts.hook_install import WIRINGS
from comity.hosts.hook_upgrade import upgrade
from comity.hosts.host import Span, Version, Wiring
from comity.hosts.init import Options, apply, plan, remove

WIRING = {wiring.host: wiring for wiring in WIRINGS}
CLAUDE = ".claude/settings.local.json"
TABLED = [wiring for wiring in WIRINGS if wiring.spans]


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    root = Path(tmp_path.resolve()) / "repo"
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    return root


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the whole PATH but for the system's own programs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder


def program(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def events(root: Path, file: str = CLAUDE) -> set[str]:
    return set(json.loads((root / file).read_text())["hooks"])


# --- the table ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("2.1.332 (Claude Code)\n", (2, 1, 332)),
        ("codex-cli 0.169.0", (0, 169, 0)),
        ("codex-cli 0.130.0-alpha.3", (0, 130, 0)),
        ("v1.18.33", (1, 18, 33)),
        ("warning: node 20\n0.61.0\n", (0, 61, 0)),
        ("1.2", None),
        ("10.20.30.40", None),
        ("no version", None),
        ("", None),
    ],
)
def test_what_a_program_prints_is_read(text: str, version: Version | None) -> None:
    assert versions.parse(text) == version


@pytest.mark.parametrize("wiring", TABLED, ids=lambda wiring: wiring.host)
def test_each_version_gets_what_it_takes(wiring: Wiring) -> None:
    spans = {event: span for event, span in wiring.spans.items() if event in wiring.events}
    assert spans
    for event, span in spans.items():
        before = (*span.least[:-1], span.least[-1] - 1) if span.least[-1] else (*span.least[:-2], span.least[-2] - 1, 9)
        assert event in versions.taken(wiring, span.least).events
        assert (event in versions.taken(wiring, before).events) != span.harmful
        assert (event in versions.taken(wiring, None).events) != span.harmful
        assert not span.instead or span.instead in versions.taken(wiring, before).events
        assert not span.lost or any(span.lost in told for told in versions.lost(wiring, before))
        assert not any(span.lost and span.lost in told for told in versions.lost(wiring, span.least))
        assert span.least > wiring.oldest, "every supported version takes it: no span is needed"


@pytest.mark.parametrize("wiring", TABLED, ids=lambda wiring: wiring.host)
def test_who_does_not_tell_gets_what_every_supported_version_takes(wiring: Wiring) -> None:
    least = set(versions.taken(wiring, None).events)
    known = [wiring.oldest, *(span.least for span in wiring.spans.values())]
    harmful = {event for event, span in wiring.spans.items() if span.harmful}
    for version in known:
        taken = set(versions.taken(wiring, version).events)
        assert not least & harmful
        assert least - {span.instead for span in wiring.spans.values()} <= taken


def test_a_span_may_end() -> None:
    span = Span((1, 2, 0), (1, 4, 9))
    assert [span.holds(one) for one in ((1, 1, 9), (1, 2, 0), (1, 4, 9), (1, 5, 0))] == [False, True, True, False]


@pytest.mark.parametrize("host", ADAPTERS)
def test_a_refusal_needs_no_field_that_some_version_ignores(host: str) -> None:
    """Nor is it ever written with one: an older Codex drops the refusal, too."""
    adapter, spans = ADAPTERS[host], WIRING[host].spans
    for event in adapter.guards:
        heard = adapter.read(event, adapter.sample(event, "/repo", "/repo/a"))
        assert heard is not None
        alone = adapter.write(event, heard, HookReply(refuse="REFUSED"))
        both = adapter.write(event, heard, HookReply(refuse="REFUSED", inject="NEWS"))
        assert "REFUSED" in (both.out or both.err)
        fields = {name.partition(".")[2] for name in spans if name.startswith(f"{event}.")}
        assert not any(f'"{field}"' in both.out for field in fields)
        assert both.code == alone.code
        if heard.last:
            assert "NEWS" in (both.out or both.err), "no hook follows that could tell it"


@pytest.mark.parametrize("wiring", [one for one in WIRINGS if one.oldest], ids=lambda wiring: wiring.host)
def test_the_page_tells_the_table(wiring: Wiring) -> None:
    page = (Path(__file__).parents[2] / "docs" / "init.md").read_text()
    table = page.partition("## Versions of hosts")[2].partition("\n## ")[0]
    rows = re.findall(r"^\|([^|]*)\| ([\d.]+) \|", table, re.MULTILINE)
    title, told = "", []
    for name, number in rows:
        title = name.strip() or title
        told += [number] if title == wiring.title else []
    wanted = {wiring.oldest, *(span.least for span in wiring.spans.values() if span.lost or span.instead)}
    assert {versions.shown(one).removesuffix(".0") for one in wanted} == set(told)


# --- init ---------------------------------------------------------------------------------------------------------


def test_init_writes_for_the_version_that_it_is_told(repo: Path) -> None:
    old = plan(repo, Options(hosts=("claude-code",)), versions={"claude-code": (2, 1, 92)})
    assert apply(old).ok
    assert events(repo) == {*events(repo)} - {"PostToolBatch"}
    assert "PostToolUse" in events(repo)
    assert any("2.1.92" in note and "not woken (from 2.1.140 on)" in note for note in old.notes)
    new = plan(repo, Options(hosts=("claude-code",)), versions={"claude-code": (2, 1, 332)})
    assert apply(new).ok
    assert "PostToolBatch" in events(repo)
    assert "PostToolUse" not in events(repo)
    assert "asyncRewake" in (repo / CLAUDE).read_text()
    assert not any("Claude Code" in note for note in new.notes)


def test_a_version_that_is_not_known_any_more_keeps_its_hooks(repo: Path) -> None:
    apply(plan(repo, versions={"claude-code": (2, 1, 332)}))
    before = (repo / CLAUDE).read_bytes()
    assert plan(repo).writes == ()
    assert (repo / CLAUDE).read_bytes() == before


def test_a_version_that_is_too_old_gets_no_hooks(repo: Path) -> None:
    made = plan(repo, versions={"claude-code": (2, 0, 1), "codex": (0, 98, 0)})
    assert apply(made).ok
    assert not (repo / CLAUDE).exists()
    assert not (repo / ".codex/hooks.json").exists()
    assert sum("not written for" in note for note in made.notes) == 2
    assert apply(plan(repo)).ok
    assert (repo / CLAUDE).exists()
    assert apply(plan(repo, versions={"claude-code": (2, 0, 1)})).ok
    assert not (repo / CLAUDE).exists(), "an older version than before would drop all that stands in it"


def test_who_is_there_and_does_not_tell_is_named(repo: Path) -> None:
    made = plan(repo, versions={"claude-code": None})
    assert [note for note in made.notes if "does not tell its version" in note]
    assert not [note for note in plan(repo).notes if "does not tell its version" in note]


def test_an_old_claude_code_keeps_the_users_rules_and_hooks(repo: Path) -> None:
    """Every event in the file is one that 2.1.92 knows, so that it does not skip the file."""
    known = {
        *("PreToolUse", "PostToolUse", "PostToolUseFailure", "Notification", "UserPromptSubmit", "SessionStart"),
        *("SessionEnd", "Stop", "StopFailure", "SubagentStart", "SubagentStop", "PreCompact", "PermissionRequest"),
    }
    path = repo / CLAUDE
    path.parent.mkdir(parents=True)
    path.write_text('{"permissions": {"deny": ["Read(secret.txt)"]}, "hooks": {"Stop": []}}')
    assert apply(plan(repo)).ok
    assert events(repo) <= known
    assert json.loads(path.read_text())["permissions"] == {"deny": ["Read(secret.txt)"]}


# --- asking -------------------------------------------------------------------------------------------------------


def test_programs_are_asked_at_once_and_their_answers_are_read(repo: Path, programs: Path) -> None:
    program(programs, "claude", "echo '2.1.332 (Claude Code)'")
    program(programs, "codex", "echo codex-cli 0.169.0; echo noise >&2; exit 3")
    program(programs, "gemini", "exit 1")
    program(programs, "code", "echo 1.2.3; touch asked")
    told = asking.versions(repo)
    assert told == {"claude-code": (2, 1, 332), "codex": (0, 169, 0), "gemini-cli": None}
    assert asking.versions(repo, ("codex",)) == {"codex": (0, 169, 0)}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("script", ["read line; sleep 600", "sleep 600 & wait", "yes 2.1.332", "exec 2.1.3", "\0"])
def test_a_program_that_hangs_or_floods_costs_no_more_than_the_limit(
    repo: Path, programs: Path, monkeypatch: pytest.MonkeyPatch, script: str
) -> None:
    monkeypatch.setattr(asking, "LIMIT_S", 1.0)
    program(programs, "claude", script)
    program(programs, "codex", "echo 0.169.0")
    told = asking.versions(repo)
    assert told["codex"] == (0, 169, 0)
    assert told["claude-code"] in (None, (2, 1, 332))


def test_a_wrapper_that_asks_in_turn_goes_round_once(
    repo: Path, programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = tmp_path / "count"
    ask = "from pathlib import Path; from comity.hosts import asking; print(asking.versions(Path('.')))"
    program(programs, "claude", f'echo x >> {count}; {sys.executable} -c "{ask}"; echo 2.1.332')
    monkeypatch.setattr(asking, "LIMIT_S", 120.0)
    assert asking.versions(repo) == {"claude-code": (2, 1, 332)}
    assert count.read_text() == "x\n"


def test_a_program_that_came_with_the_repository_is_not_run(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = tmp_path / "ran"
    program(repo / "node_modules/.bin", "claude", f"touch {ran}; echo 2.1.332")
    monkeypatch.setenv("PATH", f"{repo}/node_modules/.bin:/usr/bin:/bin")
    assert asking.versions(repo) == {"claude-code": None}
    assert not ran.exists()


# --- hearing ------------------------------------------------------------------------------------------------------


def heard(root: Path, client: str, version: str) -> bool:
    """What a server does with what its client says of itself."""
    found = takes_more(str(root), client, version)
    return found is not None and upgrade(str(root), *found)


@pytest.mark.parametrize(
    ("client", "host"),
    [
        ("claude-code", "claude-code"),
        ("codex-mcp-client", "codex"),
        ("opencode", "opencode"),
        ("gemini-cli-mcp-client", "gemini-cli"),
        ("claude-ai", None),
        ("host", None),
        ("../init", None),
        ("", None),
    ],
)
def test_a_client_is_known_by_its_name(client: str, host: str | None) -> None:
    found = host_of(client)
    assert (found and found.name) == host


def test_what_a_server_hears_adds_what_is_missing(repo: Path) -> None:
    apply(plan(repo))
    path = repo / CLAUDE
    path.write_text(json.dumps(json.loads(path.read_text()) | {"permissions": {"allow": ["Bash"]}}))
    assert not heard(repo, "claude-code", "2.1.92"), "it takes no more"
    assert not heard(repo, "somebody", "9.9.9")
    assert not heard(repo, "claude-code", "dev")
    assert heard(repo, "claude-code", "2.1.332")
    assert {"PostToolBatch"} == events(repo) - {*versions.taken(WIRING["claude-code"], None).events}
    assert takes_more(str(repo), "claude-code", "2.1.332") is None
    assert plan(repo).writes == ()
    assert apply(remove(repo)).ok
    assert json.loads(path.read_text()) == {"permissions": {"allow": ["Bash"]}}


def test_what_is_not_ours_is_not_touched(repo: Path) -> None:
    assert not heard(repo, "claude-code", "2.1.332"), "init has not run here"
    apply(plan(repo))
    path = repo / CLAUDE
    wiring = versions.taken(WIRING["claude-code"], None)
    path.write_text(hook_edit.merge("", wiring, "/opt/other/comity", ()).text)
    before = path.read_bytes()
    assert not heard(repo, "claude-code", "2.1.332")
    assert path.read_bytes() == before
    path.write_text("{")
    assert not heard(repo, "claude-code", "2.1.332")

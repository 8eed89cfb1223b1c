"""What the user's files say reaches the model after ``init`` as before it, once, in every real host."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from comity.testing import Say, ScriptedModel, Step
from tests.e2e.hosts.driving import HOSTS, Host, NewerClaudeCode, Stage, write

AGENTS, CLAUDE, BELOW, HOUSE = "word-of-agents", "word-of-claude", "word-of-below", "word-of-house"
BLOCK = "## MACP Coordination"
CASES: dict[str, Host] = {**HOSTS, "claude-code newer": NewerClaudeCode()}


def agents_only(repo: Path) -> None:
    write(repo / "AGENTS.md", f"# Rules\n\nThe word is {AGENTS}.\n")
    write(repo / "part/AGENTS.md", f"# Part\n\nThe word is {BELOW}.\n")


def claude_only(repo: Path) -> None:
    write(repo / "CLAUDE.md", f"# Rules\n\nThe word is {CLAUDE}.\n")


def claude_below(repo: Path) -> None:
    write(repo / "part/CLAUDE.md", f"# Part\n\nThe word is {BELOW}.\n")


def both(repo: Path) -> None:
    agents_only(repo)
    claude_only(repo)


def linked(repo: Path) -> None:
    agents_only(repo)
    (repo / "CLAUDE.md").symlink_to("AGENTS.md")


def hard_linked(repo: Path) -> None:
    claude_only(repo)
    os.link(repo / "CLAUDE.md", repo / "AGENTS.md")


def imported(repo: Path) -> None:
    agents_only(repo)
    write(repo / "CLAUDE.md", f"The word is {CLAUDE}. See @AGENTS.md for the rest.\n")


Layout = Callable[[Path], None]
# Which of them make a difference to whom.
LAYOUTS: dict[str, tuple[Layout, ...]] = {
    "claude-code": (agents_only, claude_only, both, linked, hard_linked, imported),
    "claude-code newer": (agents_only, claude_only, both, linked, hard_linked, imported),
    "codex": (agents_only, claude_only, both, hard_linked),
    "gemini-cli": (agents_only, both),
    "opencode": (agents_only, claude_only, claude_below, both, linked),
}
STARTS_BELOW = {("claude-code newer", agents_only), ("opencode", claude_below)}


def with_settings_of_the_home(host: Host, home: Path) -> None:
    """Settings by which a user has the host read other files."""
    if host.name == "codex":
        path = home / ".codex/config.toml"
        path.write_text('project_doc_fallback_filenames = ["CLAUDE.md"]\n' + path.read_text())
    if host.name == "gemini-cli":
        path = home / ".gemini/settings.json"
        settings = json.loads(path.read_text())
        path.write_text(json.dumps(settings | {"context": {"fileName": ["AGENTS.md", "HOUSE.md"]}}))


def told(stage: Stage, host: Host, below: str) -> dict[str, int]:
    """How often each word is in the model's requests, at the most."""
    steps: list[Step] = [host.read(stage.repo / "part/file.txt"), Say("Done."), Say("Done.")]
    with ScriptedModel(steps) as model:
        prepared = host.prepare

        def prepare(repo: Path, home: Path, url: str) -> None:
            prepared(repo, home, url)
            with_settings_of_the_home(host, home)

        host.prepare = prepare  # type: ignore[method-assign]
        try:
            stage.start(host, model, below=below).finish()
        finally:
            host.prepare = prepared  # type: ignore[method-assign]
        bodies = [json.dumps(request.body) for request in model.requests]
    return {word: max(body.count(word) for body in bodies) for word in (AGENTS, CLAUDE, BELOW, HOUSE, BLOCK)}


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize(
    ("name", "layout"),
    [
        pytest.param(name, layout, id=f"{name} {layout.__name__}")
        for name, layouts in LAYOUTS.items()
        for layout in layouts
    ],
)
def test_every_word_is_there_as_it_was(name: str, layout: Layout, bare_stage: Stage) -> None:
    stage, host = bare_stage, CASES[name]
    write(stage.repo / "part/file.txt", "alpha\n")
    write(stage.repo / "HOUSE.md", f"The word is {HOUSE}.\n")
    layout(stage.repo)
    starts = ("", "part") if (name, layout) in STARTS_BELOW else ("",)
    before = {below: told(stage, host, below) for below in starts}
    stage.init()
    for below in starts:
        after = told(stage, host, below)
        assert after.pop(BLOCK) <= 1
        assert {**after, BLOCK: 0} == before[below], below
        assert max(after.values()) <= 1

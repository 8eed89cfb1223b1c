"""Older and newer versions of the real hosts: each is given what it takes, and what it takes works."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import comity
from comity.testing import ModelRequest, Say, ScriptedModel, Step, Use
from comity.workspace import Workspace
from tests.e2e.hosts.driving import HOSTS, Host, NewerClaudeCode, OlderClaudeCode, OlderCodex, Stage, write

SECRET, NEWS = "word-of-the-secret", "The parser has moved."
SETTINGS = ".claude/settings.local.json"


def fired(stage: Stage) -> set[str]:
    return {str(line["event"]) for line in stage.log()}


@pytest.mark.slow
@pytest.mark.timeout(700)
@pytest.mark.parametrize("on_path", [(), ("claude-code older",)], ids=["not asked", "asked"])
def test_an_older_claude_code_keeps_its_users_rules(on_path: tuple[str, ...], bare_stage: Stage) -> None:
    stage, secret = bare_stage, bare_stage.repo / "secret.txt"
    secret.write_text(f"{SECRET}\n")
    write(stage.repo / SETTINGS, {"permissions": {"deny": ["Read(secret.txt)"]}})
    said = stage.init(on_path)
    assert ("2.1.92" in said) == bool(on_path)
    with ScriptedModel([Use("Read", {"file_path": str(secret)}), Say("Done.")]) as model:
        stage.start(OlderClaudeCode(), model).finish()
    assert not any(SECRET in json.dumps(request.body) for request in model.requests)
    assert {"SessionStart", "UserPromptSubmit", "Stop", "SessionEnd"} <= fired(stage)


@pytest.mark.slow
@pytest.mark.timeout(700)
def test_a_newer_claude_code_tells_of_batches_when_it_was_asked(bare_stage: Stage) -> None:
    bare_stage.init(("claude-code newer",))
    file = bare_stage.repo / "free.txt"
    file.write_text("alpha\n")
    host = NewerClaudeCode()
    with ScriptedModel([host.read(file), host.edit(file, "alpha", "beta"), Say("Done.")]) as model:
        bare_stage.start(host, model).finish()
    assert file.read_text() == "beta\n"
    assert "PostToolBatch" in fired(bare_stage)
    assert "PostToolUse" not in fired(bare_stage)


class Held:
    """The model's script: a message comes, then it edits what a peer holds."""

    def __init__(self, host: Host, file: Path, ann: Workspace) -> None:
        self.host, self.file, self.ann = host, file, ann

    def __call__(self, request: ModelRequest) -> Step:
        if request.number == 0:
            return self.host.shell("true")
        if request.number == 1:
            self.ann.message.broadcast(content=NEWS, priority="steering")
            return self.host.shell(f"sed -i s/alpha/beta/ {self.file}")
        return Say("Done.")


@pytest.mark.slow
@pytest.mark.timeout(700)
@pytest.mark.parametrize("host", [OlderCodex(), HOSTS["codex"]], ids=["older", "newer"])
def test_a_refusal_that_carries_news_is_heard_by_every_codex(host: Host, stage: Stage) -> None:
    file = stage.repo / "held.txt"
    file.write_text("alpha\n")
    with comity.open(stage.repo, agent_id="ann") as ann:
        ann.session.start()
        ann.claim.acquire(files=["held.txt"], reason="moving it")
        with ScriptedModel(Held(host, file, ann)) as model:
            stage.start(host, model).finish()
    assert file.read_text() == "alpha\n"
    assert NEWS in model.requests[2].news


@pytest.mark.slow
@pytest.mark.timeout(700)
def test_codex_warns_of_no_second_place_of_hooks(bare_stage: Stage) -> None:
    own = '[[hooks.SessionStart]]\n[[hooks.SessionStart.hooks]]\ntype = "command"\ncommand = "touch mine"\n'
    write(bare_stage.repo / ".codex/config.toml", own)
    bare_stage.init()
    with ScriptedModel([Say("Done.")]) as model:
        printed = bare_stage.start(HOSTS["codex"], model).finish()
    assert "loading hooks from both" not in printed
    assert (bare_stage.repo / "mine").exists()
    assert {"SessionStart", "UserPromptSubmit", "Stop"} <= fired(bare_stage)

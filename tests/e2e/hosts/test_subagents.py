"""A subagent of a real host is an agent of its own, and may edit what its parent holds."""

from __future__ import annotations

import re

import pytest

import comity
from comity.testing import ModelRequest, Say, ScriptedModel, Step, Use
from tests.e2e.hosts.driving import HOSTS, Stage

TASK = "Change both files, please."
SPAWN = {
    "claude-code": Use("Agent", {"description": "both", "prompt": TASK, "subagent_type": "general-purpose"}),
    "codex": Use("multi_agent_v1/spawn_agent", {"message": TASK}),
    "opencode": Use("task", {"description": "both", "prompt": TASK, "subagent_type": "general"}),
}


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", SPAWN)
def test_a_subagent_works_under_its_parent(name: str, stage: Stage) -> None:
    host = HOSTS[name]
    files = {file: stage.repo / f"{file}.txt" for file in ("parent", "child", "held")}
    for path in files.values():
        path.write_text("alpha\n")
    parent = iter((host.read(files["parent"]), host.edit(files["parent"], "alpha", "beta"), SPAWN[name]))
    child = iter(
        (
            tuple(host.read(path) for path in files.values()),
            host.edit(files["parent"], "beta", "gamma"),
            host.edit(files["child"], "alpha", "gamma"),
            host.edit(files["held"], "alpha", "gamma"),
        )
    )

    def script(request: ModelRequest) -> Step:
        below = any(part.who == "user" and TASK in part.text for part in request.parts)
        started = re.search(r'"agent_id":"([^"]+)"', request.news)
        if started and not below:  # Codex does not wait for its subagents unless told to
            return Use("multi_agent_v1/wait_agent", {"targets": [started[1]], "timeout_ms": 200_000})
        return next(child if below else parent, Say("Done."))

    with comity.open(stage.repo, agent_id="ann") as ann:
        ann.session.start()
        ann.claim.acquire(files=["held.txt"])
        with ScriptedModel(script) as model:
            stage.start(host, model).finish()
    assert {file: path.read_text() for file, path in files.items()} == {
        "parent": "gamma\n",
        "child": "gamma\n",
        "held": "alpha\n",
    }
    known = stage.query("SELECT subagent_id <> '', agent_id, parent_agent_id FROM comity_host_sessions ORDER BY 1")
    (_, main, above), (_, sub, below) = known
    assert (above, below) == (None, main)
    assert sub.startswith(f"{main}.")
    claims = stage.query("SELECT DISTINCT agent_id FROM macp_ext_file_claims WHERE file_path = 'child.txt'")
    assert claims == [(sub,)]

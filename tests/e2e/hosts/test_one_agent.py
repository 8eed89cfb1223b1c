"""One turn of each real host beside a peer: what its hooks do for it, from what its model was asked."""

from __future__ import annotations

from pathlib import Path

import pytest

import comity
from comity.testing import ModelRequest, Say, ScriptedModel, Step
from comity.workspace import Workspace
from tests.e2e.hosts.driving import HOSTS, Host, Stage

STEERING, INTERRUPT = "The parser has moved to src/parse.", "Stop before you push: the build is broken."
BESIDE = "I am done with held.txt in a minute."


class Turn:
    """The model's script. ``ann`` is a peer in this process, who acts while the model thinks."""

    def __init__(self, host: Host, repo: Path, ann: Workspace) -> None:
        self.host, self.repo, self.ann = host, repo, ann
        self.held, self.free = repo / "held.txt", repo / "free.txt"

    def __call__(self, request: ModelRequest) -> Step:
        steps = (self.look, self.hear, self.edit_held, self.edit_free, self.stop, self.go_on)
        return steps[request.number]() if request.number < len(steps) else Say("Done.")

    def look(self) -> Step:
        return self.host.tool("macp_ext_list_agents")

    def hear(self) -> Step:
        self.ann.message.broadcast(content=STEERING, priority="steering")
        return (self.host.read(self.held), self.host.read(self.free))

    def edit_held(self) -> Step:
        self.ann.message.broadcast(content=BESIDE, priority="steering")
        return self.host.edit(self.held, "alpha", "beta")

    def edit_free(self) -> Step:
        return self.host.edit(self.free, "alpha", "beta")

    def stop(self) -> Step:
        self.ann.message.broadcast(content=INTERRUPT, priority="interrupt")
        return Say("I am done.")

    def go_on(self) -> Step:
        return Say("I did not push.")


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", HOSTS)
def test_a_turn_beside_a_peer(name: str, stage: Stage) -> None:
    for file in ("held.txt", "free.txt"):
        (stage.repo / file).write_text("alpha\n")
    with comity.open(stage.repo, agent_id="ann") as ann:
        ann.session.start()
        ann.claim.acquire(files=["held.txt"], reason="moving it")
        turn = Turn(HOSTS[name], stage.repo, ann)
        with ScriptedModel(turn) as model:
            stage.start(HOSTS[name], model).finish()
        asked = model.requests
        told = [line for line in stage.log() if line["did"] != "nothing"]
        assert not [line for line in told if line["did"] == "error"]

        assert 'holds "held.txt"' in asked[0].news, "the brief"
        assert STEERING in asked[2].news, "a message between two tool calls"
        assert sum(STEERING in request.news for request in asked) == 1
        refused = asked[3].news.replace('\\"', '"')  # some hosts put it into JSON once more
        assert 'claimed "held.txt"' in refused, "a refusal says who holds it"
        assert BESIDE in asked[3].news, "a message together with a refusal"
        assert (turn.held.read_text(), turn.free.read_text()) == ("alpha\n", "beta\n")
        assert INTERRUPT in asked[5].news, "an interrupt keeps it from stopping"
        assert len(asked) == 6

        ((me,),) = stage.query("SELECT agent_id FROM comity_host_sessions WHERE host = ?", name)
        assert me in asked[1].news, "what it asked over MCP was asked by the same agent"
        states = dict(stage.query("SELECT content, state FROM messages WHERE destination_agent_id = ?", me))
        assert states[STEERING] == "acknowledged", "it was seen"
        assert stage.query("SELECT agent_id FROM agents WHERE agent_id NOT IN ('ann', ?)", me) == []

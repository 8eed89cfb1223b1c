"""Several real hosts at once in one repository: they rewrite the same files and tell each other, by a seed.

Each agent reads a file, and writes it whole with a line of its own added: whoever writes what it read too long ago
takes a line of somebody else away. What an agent's tool said it wrote and what is not in the file in the end, was
overwritten.
"""

from __future__ import annotations

import random
import re
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from comity.testing import ModelRequest, Say, ScriptedModel, Step, Use
from tests.e2e.hosts.driving import HOSTS, Host, Running, Stage

FILES, JOBS, TRIES = 3, 2, 15
TOGETHER_S = 120.0
_MARK = re.compile(r"mark-\d+-\d+")
_AGENT = re.compile(r'\\*"agentId\\*": ?\\*"([^"\\]+)')
_MAIL, _SENT = "mail-{}-{})", re.compile(r"mail-(\d+)-\d+\)")
_UNCHANGED = "file unchanged since your last Read"  # Claude Code shows no file twice


class Turn(NamedTuple):
    """One request of an agent's model: when it came, what was new in it, when it was answered."""

    came: float
    news: str
    answered: float


class Outcome(NamedTuple):
    """What came of a run. ``late``: steering and interrupt messages that were not in the recipient's next request."""

    edits: int
    overwritten: list[str]
    refused: int
    given_up: int
    due: int
    late: list[str]
    crossed: int  # sent, but the sender's own tool had not answered yet, when the recipient's hooks looked
    unheard: int  # sent when the recipient's model was asked no more
    agents: int  # registered, whoever they are
    errors: list[str]
    took_s: float


class Author:
    """The model's script of one agent."""

    def __init__(self, crowd: Crowd, place: int, host: Host) -> None:
        self.crowd, self.place, self.host = crowd, place, host
        self.rng = random.Random(f"{crowd.seed}-{place}")
        self.jobs = deque(self.rng.choice(crowd.files) for _ in range(JOBS))
        self.agent_id = ""
        self.turns: list[Turn] = []
        self.made: list[tuple[Path, str]] = []
        self.confirmed: dict[str, float] = {}  # when its host said that a message was sent
        self._told = ""
        self.refused = self.tries = self.sent = 0
        self._known: dict[Path, list[str]] = {}
        self._next: Callable[[str], Step] = self._who

    def __call__(self, request: ModelRequest) -> Step:
        came = time.time()
        if self._told:
            self.confirmed[self._told] = came
            self._told = ""
        if not request.number:
            self.crowd.together.wait(TOGETHER_S)
        step = self._next(request.news)
        self.turns.append(Turn(came, request.news, time.time()))
        return step

    def _who(self, _news: str) -> Step:
        self._next = self._know
        return self.host.tool("macp_ext_get_session_context")

    def _know(self, news: str) -> Step:
        found = _AGENT.search(news)
        assert found, f"{self.host.name}: no agent id in {news[:2000]}"
        self.agent_id = found[1]
        return self._read(news)

    def _read(self, _news: str) -> Step:
        if not self.jobs or self.tries >= TRIES:
            self._next = self._over
            return Say("Done.")
        self._next = self._write
        return self.host.read(self.jobs[0])

    def _write(self, news: str) -> Step:
        path = self.jobs[0]
        if _UNCHANGED not in news:
            self._known[path] = list(dict.fromkeys(_MARK.findall(news)))
        self._next = self._written
        return self.host.write(path, "\n".join(["# Notes", *self._known[path], self._mark()]) + "\n")

    def _mark(self) -> str:
        return f"mark-{self.place}-{len(self.made)}"

    def _written(self, news: str) -> Step:
        if not self.host.wrote(news):
            self.refused += 1
            self.tries += 1
            self.jobs.rotate(-1)
            return self._read(news)
        path = self.jobs.popleft()
        self.made.append((path, self._mark()))
        self._next = self._read
        release = self.host.tool("macp_ext_release_files", files=[str(path.relative_to(self.crowd.stage.repo))])
        return (self._tell(path), release)

    def _tell(self, path: Path) -> Use:
        self.sent += 1
        self._told = _MAIL.format(self.place, self.sent)
        said = {
            "content": f"I changed {path.name} ({self._told}.",
            "priority": self.rng.choice(("steering", "interrupt")),
        }
        others = sorted(one.agent_id for one in self.crowd.authors if one is not self and one.agent_id)
        if others and self.rng.random() < 0.7:
            return self.host.tool("macp_send_direct", destinationAgentId=self.rng.choice(others), **said)
        return self.host.tool("macp_send_channel", **said)

    def due(self, at: float) -> int | None:
        """In which of its turns something of that moment must be at the latest; None: it had no such turn."""
        until = next((place + 1 for place, turn in enumerate(self.turns) if turn.answered > at), None)
        return until if until is not None and until < len(self.turns) else None

    def heard(self, mail: str, until: int) -> bool:
        return any(mail in turn.news for turn in self.turns[: until + 1])

    def _over(self, _news: str) -> Step:
        return Say("Done.")


class Crowd:
    """A run: these hosts, in this order, by this seed."""

    def __init__(self, stage: Stage, names: list[str], seed: int, *, guarded: bool = True) -> None:
        self.stage, self.seed = stage, seed
        self.files = [stage.repo / f"notes-{number}.md" for number in range(FILES)]
        for file in self.files:
            file.write_text("# Notes\n")
        self.extra = {} if guarded else {"COMITY_ENFORCEMENT": "off"}
        self.together = threading.Barrier(len(names))
        self.authors = [Author(self, place, HOSTS[name]) for place, name in enumerate(names)]

    def run(self) -> Outcome:
        began = time.monotonic()
        models = [ScriptedModel(author) for author in self.authors]
        running: list[Running] = []
        try:
            for author, model in zip(self.authors, models, strict=True):
                running.append(self.stage.start(author.host, model, **self.extra))
            for agent in running:
                agent.finish(TOGETHER_S * 3)
        finally:
            self.together.abort()
            for agent in running:
                agent.kill()
            for model in models:
                model.close()
        return self._outcome(time.monotonic() - began)

    def _outcome(self, took_s: float) -> Outcome:
        text = {file: file.read_text() for file in self.files}
        made = [(path, mark) for author in self.authors for path, mark in author.made]
        due, late, crossed, unheard = self._mail()
        return Outcome(
            len(made),
            [f"{mark} in {path.name}" for path, mark in made if f"{mark}\n" not in text[path]],
            sum(author.refused for author in self.authors),
            sum(len(author.jobs) for author in self.authors),
            due,
            late,
            crossed,
            unheard,
            len(self.stage.query("SELECT agent_id FROM agents")),
            [str(line.get("why")) for line in self.stage.log() if line["did"] == "error"],
            took_s,
        )

    def _mail(self) -> tuple[int, list[str], int, int]:
        """Of all deliveries: how many were due in a request, which were not in it; and those with no such request.

        The model's answer begins a batch of tools, with its hooks. So what was sent before an answer is due in the
        request that follows it at the latest. A message was sent at the latest when the sender's tool said so.
        """
        known = {author.agent_id: author for author in self.authors}
        due, late, crossed, unheard = 0, [], 0, 0
        sent = self.stage.query("SELECT content, destination_agent_id, message_id FROM messages")
        for content, agent_id, message_id in sent:
            author, mail = known.get(agent_id), _SENT.search(content)
            if author is None or mail is None:
                continue
            begun = int(message_id.replace("-", "")[:12], 16) / 1000  # ids begin with the time
            until = author.due(begun)
            if until is None:
                unheard += 1
                continue
            due += 1
            if author.heard(mail[0], until):
                continue
            certain = author.due(self.authors[int(mail[1])].confirmed[mail[0]])
            if certain is None or author.heard(mail[0], certain):
                crossed += 1
            else:
                late.append(f"{mail[0]} to {author.host.name} {author.place}: {author.turns[certain].news[-600:]!r}")
        return due, late, crossed, unheard

"""Real hosts that are idle are woken by a message, each in its own way, and leave nobody waiting when they end."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import comity
from comity.store.sqlite import SqliteStore
from comity.testing import Say, ScriptedModel
from tests.e2e.hosts.driving import HOSTS, TIMEOUT_S, Host, Json, Stage
from tests.e2e.hosts.programs import executable

SECRETS = [f"The parser has moved, part {number}." for number in range(3)]


class Open:
    """One agent whose host stays open between its turns. Subclasses say how it is prompted."""

    name: str
    arguments: tuple[str, ...]

    def __init__(self, stage: Stage, model: ScriptedModel) -> None:
        self.host: Host = HOSTS[self.name]
        self.stage, self.repo, self.home = stage, stage.repo, stage.folder / "home"
        self.home.mkdir()
        self.host.prepare(stage.repo, self.home, model.url)
        self.process = subprocess.Popen(
            [str(executable(self.name)), *self.arguments],
            cwd=stage.repo,
            env={**self.host.surroundings(self.home, model.url), "COMITY_WAKE": "steering"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        self.said: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.put(line)

    def write(self, told: Json) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(told) + "\n")
        self.process.stdin.flush()

    def hear(self, meant: Callable[[str], bool]) -> str:
        """The next line that is meant."""
        until = time.monotonic() + TIMEOUT_S
        while not meant(line := self.said.get(timeout=max(0.0, until - time.monotonic()))):
            continue
        return line

    def prompt(self, text: str) -> None:
        raise NotImplementedError

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()


class OpenClaudeCode(Open):
    name = "claude-code"
    arguments = ("-p", "--input-format", "stream-json", "--output-format", "stream-json", "--verbose")

    def prompt(self, text: str) -> None:
        self.write({"type": "user", "message": {"role": "user", "content": [{"type": "text", "text": text}]}})


class OpenOpenCode(Open):
    name = "opencode"
    arguments = ("serve", "--port", "0")

    def prompt(self, text: str) -> None:
        url = self.hear(lambda line: "http://" in line).split()[-1]

        def ask(path: str, told: Json) -> Any:
            data, kind = json.dumps(told).encode(), {"Content-Type": "application/json"}
            with urllib.request.urlopen(urllib.request.Request(url + path, data, kind), timeout=TIMEOUT_S) as answer:
                return json.load(answer)

        ask(f"/session/{ask('/session', {})['id']}/message", {"parts": [{"type": "text", "text": text}]})


class OpenCodex(Open):
    name = "codex"
    arguments = ("app-server",)

    def ask(self, method: str, **params: Any) -> Any:
        self.write({"id": method, "method": method, "params": params})
        return json.loads(self.hear(lambda line: json.loads(line).get("id") == method))["result"]

    def prompt(self, text: str) -> None:
        self.ask("initialize", clientInfo={"name": "test", "title": "test", "version": "1"})
        self.write({"method": "initialized"})
        (found,) = self.ask("hooks/list", cwds=[str(self.repo)])["data"]
        with open(self.home / ".codex/config.toml", "a", encoding="utf-8") as file:
            for hook in found["hooks"]:
                print(
                    f"[hooks.state.{json.dumps(hook['key'])}]",
                    f'trusted_hash = "{hook["currentHash"]}"',
                    sep="\n",
                    file=file,
                )
        started = self.ask("thread/start", cwd=str(self.repo), approvalPolicy="never", sandbox="danger-full-access")
        self.ask("turn/start", threadId=started["thread"]["id"], input=[{"type": "text", "text": text}])


@contextlib.contextmanager
def opened(kind: type[Open], stage: Stage, model: ScriptedModel) -> Iterator[Open]:
    agent = kind(stage, model)
    try:
        yield agent
    finally:
        agent.kill()


class Looking:
    """Waits for what is to become true, looking again after every commit."""

    def __init__(self, stage: Stage, model: ScriptedModel) -> None:
        self._model = model
        self._store = SqliteStore(stage.database)
        self._waiter = self._store.waiter([])

    def until(self, true: Callable[[], object]) -> None:
        end = time.monotonic() + TIMEOUT_S
        while not true():
            assert time.monotonic() < end
            if self._model.errors:
                raise self._model.errors[0]
            self._waiter.wait(0.5)

    def close(self) -> None:
        self._waiter.close()
        self._store.close()


def waiting(agent: Open) -> list[int]:
    """The processes that wait beside its session."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace").split("\0")
            own = f"HOME={agent.home}".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            if own and words[-4:-2] == ["hook", agent.name] and words[-2] in ("Idle", "session.idle"):
                found.append(int(pid))
    return found


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("kind", [OpenClaudeCode, OpenOpenCode, OpenCodex], ids=lambda kind: kind.name)
def test_an_idle_host_is_woken_once(kind: type[Open], stage: Stage) -> None:
    def rests() -> bool:
        return bool(stage.query("SELECT 1 FROM comity_host_sessions WHERE rested_ms IS NOT NULL AND watcher <> ''"))

    with (
        comity.open(stage.repo, agent_id="ann") as ann,
        ScriptedModel(lambda _: Say("Done.")) as model,
        contextlib.closing(Looking(stage, model)) as looking,
    ):
        ann.session.start()
        with opened(kind, stage, model) as agent:
            agent.prompt("Do the work.")
            looking.until(rests)
            asked = len(model.requests)
            (beside,) = waiting(agent)
            for secret in SECRETS:
                ann.message.broadcast(content=secret, priority="steering")
            looking.until(lambda: all(any(secret in one.news for one in model.requests) for secret in SECRETS))
            looking.until(lambda: rests() and waiting(agent) not in ([], [beside]))
            told = [request.news for request in model.requests[asked:]]
            assert all("wait" in text and "in Comity. macp_poll reads" in text for text in told)
            assert [sum(secret in text for text in told) for secret in SECRETS] == [1, 1, 1]
            assert len(stage.query("SELECT 1 FROM audit_log WHERE event_type = 'session.woken'")) == len(told)
        looking.until(lambda: not waiting(agent))
    assert [line for line in stage.log() if line["did"] == "error"] == []

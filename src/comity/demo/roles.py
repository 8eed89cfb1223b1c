"""What the planner and the workers do, with the tools that any agent has."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any, TextIO

import anyio

from comity.demo import cast
from comity.demo.agent import WAIT_MS, Agent, Declined
from comity.demo.cast import CastMember, Job
from comity.demo.screen import Refusal, Screen

_AGAIN_S = 0.4  # until a refused claim is tried again, if no message says that the file is free
_EDIT_S = (0.6, 1.2)


class Planner(Agent):
    """Dispatches the tasks, then only what the stage asks for. In a later life it goes on where it was."""

    def __init__(self, part: CastMember, root: Path, log: TextIO, jobs: list[Job]) -> None:
        super().__init__(part, root, log)
        self._jobs = jobs

    async def work(self) -> None:
        listed = await self.call("macp_ext_list_tasks", {"limit": 10_000})
        numbers = {task["title"]: task["number"] for task in listed["tasks"]}
        if not numbers:
            await self.say("steering", "plan", f"{len(self._jobs)} tasks: take the next, claim its files")
        for job in self._jobs:
            if job.title not in numbers:
                after = [numbers[job.after]] if job.after else []
                numbers[job.title] = await self.dispatch(job, after)
        await anyio.sleep_forever()

    async def dispatch(self, job: Job, after: list[str] | None = None) -> str:
        """Put a task into the queue; its number."""
        arguments = {"title": job.title, "description": cast.description(job.files), "priority": job.priority}
        answer = await self.call("macp_ext_dispatch_task", arguments | {"dependsOn": after or []})
        return str(answer["task"]["number"])


class Worker(Agent):
    """Takes task after task: claims its files, edits them, completes it, releases them.

    Each edit reads a file, takes its time, and writes the whole file anew with one line more. Two edits of one file at
    the same time would lose a line, and the account would find that.
    """

    def __init__(self, part: CastMember, root: Path, log: TextIO, screen: Screen, seed: int) -> None:
        super().__init__(part, root, log)
        self.editing = anyio.Event()  # on and on, since told to hold
        self.files: list[str] = []  # claimed now
        self.refusals: list[Refusal] = []
        self._screen = screen
        self._random = Random(f"{seed}-{part.agent_id}")
        self._askers: set[str] = set()
        self._free = anyio.Event()

    async def work(self) -> None:
        self.files = []
        self._askers.clear()
        if self.lives > 1:  # what was not taken over in the meantime is still to be done
            mine = await self.call("macp_ext_list_tasks", {"assignedAgentId": self.part.agent_id})
            for task in mine["tasks"]:
                if task["status"] in ("accepted", "in-progress"):
                    await self._do(task)
        while True:
            answer = await self.call("macp_ext_next_task", {"waitMs": WAIT_MS})
            if answer["task"] is not None:
                await self._do(answer["task"])

    async def hear(self, kind: str, sender: str) -> None:
        if kind == "free":
            self._free.set()
        elif kind == "request" and not self.files:
            await self.say("advisory", "free", "I hold nothing any more", sender)
        elif kind == "request":
            self._askers.add(sender)

    async def _do(self, task: dict[str, Any]) -> None:
        number, handoff = task["number"], task.get("handoff")
        if handoff is not None:
            self._screen.handed_over(self.part.agent_id, number, task["title"], handoff["summary"])
        if task["status"] == "accepted":
            await self.call("macp_ext_start_task", {"taskId": number})
        files = cast.files_of(task["description"])
        await self._claim(files, f"{number} {task['title']}")
        await self._edit(files, f"{number} {task['title']}")
        await self.call("macp_ext_complete_task", {"taskId": number, "result": "edited " + ", ".join(files)})
        self.notes.completed.add(number)
        await self.call("macp_ext_release_files", {"files": files})
        self.files = []
        for asker in sorted(self._askers):
            await self.say("advisory", "free", f"{', '.join(files)}: free again", asker)
        self._askers.clear()
        await self.say("info", "done", f"{number} is done")

    async def _claim(self, files: list[str], reason: str) -> None:
        """Hold all the files; while somebody else holds one, ask for it and wait."""
        asked: set[str] = set()
        while True:
            self._free = anyio.Event()
            try:
                await self.call("macp_ext_claim_files", {"files": files, "reason": reason}, ("claim.held",))
            except Declined as declined:
                refusal = Refusal.read(self.part.agent_id, declined.answer)
                if refusal.holder not in asked:
                    asked.add(refusal.holder)
                    self.refusals.append(refusal)
                    self._screen.refused(refusal)
                    text = f"{reason.partition(' ')[0]} needs {refusal.file}, tell me"
                    await self.say("steering", "request", text, refusal.holder)
                with anyio.move_on_after(_AGAIN_S):
                    await self._free.wait()
            else:
                self.files = files
                return

    async def _edit(self, files: list[str], line: str) -> None:
        paths = [self.root / file for file in files]
        texts = [path.read_text(encoding="utf-8") for path in paths]
        half_s = self._random.uniform(*_EDIT_S) / 2
        await anyio.sleep(half_s)
        await self.say("info", "progress", f"{self._random.randint(20, 400)} tests pass")
        await anyio.sleep(half_s)
        if self.hold:
            self.editing.set()
            await self.held()
        for path, text in zip(paths, texts, strict=True):
            if line not in text:  # the holder before may have come so far
                path.write_text(f"{text}{line}\n", encoding="utf-8")

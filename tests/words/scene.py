"""A workspace in which everything that an agent, or another implementation, can write is one hostile text."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any, Self

import apsw

from comity.testing import FakeMachine, World

LEASE_S = 3600
_LONG = 1500  # characters of a name, an id or a state
_OLD = "old-session"


class Scene:
    """Readers and writers around one database.

    ``ann`` has hooks, ``bob`` calls tools, ``mal`` writes through Comity under a plain id and a hostile name; beside
    them is an agent of another implementation whose id and name are hostile. ``path`` is what mal holds just now, and
    ``key`` is that of a memory.
    """

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="comity-words-")).resolve()
        (self.folder / "held.txt").write_text("0")
        self.world = World(self.folder / ".macp.db")
        machine = FakeMachine()
        root = str(self.folder)
        self.ann, self.bob, self.mal = (
            self.world.agent(name, root=root, project_id="shop", observer=machine.start(lease_s=LEASE_S))
            for name in ("ann", "bob", "mal")
        )
        old = self.world.agent("old", session_id=_OLD, observer=machine.start(lease_s=LEASE_S))
        old.claim.acquire(files=["lib", "adv.txt"], reason="x", ttl_seconds=LEASE_S)
        mine = old.task.dispatch(title="x").task.task_id
        old.task.claim(task_id=mine)
        self.task, self.open = (self.mal.task.dispatch(title=title).task.number or "" for title in ("y", "z"))
        waits = self.mal.task.dispatch(title="w", depends_on=[self.open]).task
        self.taken, self.waits = self.mal.task.get(task_id=mine).task.number or "", waits.number or ""
        self.mal.task.claim(task_id=self.task)
        self.mal.plan.deliver(task_id=self.open, content="d")
        self.mal.plan.note(task_id=self.open, note="n")
        self.mal.plan.add_error(task_id=self.open, error_type="t", message="m", context="c")
        self.mal.memory.set(key="k", value="v", scope="workspace")
        self.job = self.mal.vault.index(path=".").job.job_id
        self.mal.goal.create(title="g", type="mission")
        skill: Any = {"id": "w", "name": "w", "tags": ["words"]}
        self.mal.profile.register(slug="p", name="n", role="r", skills=[skill])
        for content in ("one", "two"):
            self.mal.message.broadcast(content=content)
        for reader in (self.ann, self.bob):
            for priority in ("info", "interrupt"):
                self.mal.message.send(destination_agent_id=reader.actor.agent_id, content="x", priority=priority)
        self.path = self.key = ""
        self._raw = apsw.Connection(self.world.path)
        self._raw.set_busy_timeout(5000)
        self._raw.execute("PRAGMA foreign_keys = OFF").fetchall()
        self._began = self.world.clock.ms
        self._pristine = apsw.Connection(":memory:")
        _copy(self._raw, self._pristine)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pristine.close()
        self._raw.close()
        self.world.close()
        for folder, _folders, files in os.walk(self.folder, topdown=False):
            for name in files:
                os.unlink(os.path.join(folder, name))
            os.rmdir(folder)

    def write(self, text: str) -> None:
        """Everything is as it was at first, but that whatever a peer can write is this."""
        _copy(self._pristine, self._raw)
        self.world.clock.ms = self._began
        short, key = text[:_LONG], text[:_LONG].replace("\0", "\u2400")
        self.key = key[:100].strip()
        sender = json.dumps({"agent_id": short, "session_id": "s", "name": short})
        self._raw.execute("BEGIN IMMEDIATE").fetchall()
        for sql, values in (
            ("UPDATE agents SET name = ? WHERE agent_id = 'mal'", (short,)),
            (
                "UPDATE agents SET name = ?, agent_id = ? WHERE agent_id NOT IN ('ann', 'bob', 'mal')",
                (short, key),
            ),
            *(
                (f"UPDATE {table} SET agent_id = ? WHERE session_id = ?", (key, _OLD))
                for table in ("sessions", "channel_members", "macp_ext_file_claims", "comity_presence")
            ),
            ("UPDATE comity_presence SET program = ?, worktree = ? WHERE agent_id <> 'ann'", (short, f"/w/{short}")),
            ("UPDATE macp_ext_agent_state SET reason = ?, status = ? WHERE agent_id = 'mal'", (short, short)),
            ("UPDATE messages SET content = ?, from_json = ?, type = ?, state = 'queued'", (text, sender, short)),
            ("DELETE FROM comity_injections", ()),
            ("UPDATE macp_ext_file_claims SET reason = ?", (short,)),
            (
                "UPDATE macp_ext_tasks SET title = ?1, description = ?1, result_text = ?1, dispatcher_agent_id = ?1",
                (short,),
            ),
            ("UPDATE macp_ext_tasks SET assigned_agent_id = ? WHERE assigned_session_id = ?", (key, _OLD)),
            (
                "UPDATE macp_ext_memories SET value_text = ?, memory_key = ?, author_agent_id = ?",
                (short, self.key, short),
            ),
            (
                "UPDATE comity_jobs SET arguments = ?, agent_id = ?, what = ?, problem = ?",
                (json.dumps({"path": short}), short, short, json.dumps({"message": short, "hint": short})),
            ),
            ("DELETE FROM comity_worktrees", ()),
            (
                """INSERT INTO comity_worktrees (name, branch, base, task_id, agent_id, state, made_ms)
                SELECT ?1, ?2, ?2, task_id, ?3, 'there', 1 FROM comity_task_details WHERE 'task-00' || number = ?4""",
                (f"x/{short}", short, key, self.task),
            ),
            (
                """UPDATE comity_plans SET content = ?1, deliverable = ?1, delivered_by = ?1, created_by = ?1,
                updated_by = ?1""",
                (short,),
            ),
            ("UPDATE comity_plan_entries SET agent_id = ?1, content = ?1, error_type = ?1, context = ?1", (short,)),
            ("UPDATE macp_ext_goals SET title = ?, description = ?, created_by_agent_id = ?", (short,) * 3),
            ("UPDATE macp_ext_profiles SET name = ?, role = ?, context_pack = ?", (short,) * 3),
            (
                "UPDATE audit_log SET event_type = ?1, agent_id = ?1, metadata_json = ? WHERE channel_id IS NULL",
                (short, json.dumps({"reason": short})),
            ),
        ):
            self._raw.execute(sql, values).fetchall()
        self._raw.execute("COMMIT").fetchall()
        self._hold(text, key)

    def _hold(self, text: str, key: str) -> None:
        """mal holds a file of that name, and has edited it."""
        name = "".join(sign for sign in text[:150] if sign not in "\0*?[]{}/\\").strip(" .")
        self.path = f"src/{name or 'x'}.py"
        self.mal.edit.check(files=[self.path])
        self.mal.claim.acquire(files=[self.path, "held.txt"], reason=key)

    def edited(self) -> None:
        """mal has edited the file, and lets go of it."""
        row = (str(self.folder), "", self.path, "mal", self.world.clock.ms)
        self._raw.execute("INSERT OR REPLACE INTO comity_edits VALUES (?, ?, ?, ?, ?)", row).fetchall()
        self.mal.claim.release(files=["**"])

    def unread(self) -> None:
        """Messages wait again."""
        self._raw.execute("DELETE FROM comity_injections").fetchall()
        self._raw.execute("UPDATE messages SET state = 'queued'").fetchall()


def _copy(source: apsw.Connection, target: apsw.Connection) -> None:
    with target.backup("main", source, "main") as backup:
        while not backup.done:
            backup.step()

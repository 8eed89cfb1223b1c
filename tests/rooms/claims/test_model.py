"""Random agents, claims and times, against a model that knows every file by name."""

from __future__ import annotations

from fnmatch import fnmatchcase
from itertools import combinations
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity import Workspace
from comity.kernel.problem import Conflict, NotFound
from tests.rounds import rounds
from tests.wire_format import check, dump
from tests.worlds import fresh

FILES = [f"{folder}/{name}" for folder in ("a", "b") for name in ("x.py", "y.py", "z.md")] + ["top.py", "y.py"]
NAMED = [*FILES[:4], "top.py", "a", "b", "a/*.py", "*/z.md", "*.py", "**/y.py", "."]
MEANT = {
    path: frozenset(
        file
        for file in FILES
        if path in (".", file)
        or file.startswith(path + "/")
        or (fnmatchcase(file, path) and file.count("/") == path.count("/"))
        or (path == "**/y.py" and f"/{file}".endswith("/y.py"))
    )
    for path in NAMED
}
AGENTS = ["ann", "bob", "cid", "dan"]  # dan works in another worktree

names = st.lists(st.sampled_from(NAMED), min_size=1, max_size=3, unique=True)
who = st.sampled_from(AGENTS)
steps = st.one_of(
    st.tuples(
        st.just("acquire"),
        who,
        names,
        st.sampled_from(["exclusive", "exclusive", "shared"]),
        st.booleans(),
        st.integers(1, 9),
    ),
    st.tuples(st.just("release"), who, names),
    st.tuples(st.just("renew"), who, st.integers(1, 9)),
    st.tuples(st.just("wait"), st.integers(1, 4)),
    st.tuples(st.just("restart"), who),
)


class Hold(NamedTuple):
    mode: str
    until: int
    fence: int


class Model:
    """What each agent holds, by path, at a whole second."""

    def __init__(self) -> None:
        self.held: dict[str, dict[str, Hold]] = {agent: {} for agent in AGENTS}
        self.second = 0
        self.fence = 0

    def wait(self, seconds: int) -> None:
        self.second += seconds
        for agent, holds in self.held.items():
            self.held[agent] = {path: hold for path, hold in holds.items() if hold.until > self.second}

    def barred(self, agent: str, path: str, mode: str) -> set[str]:
        """Who keeps this agent from this path."""
        return {
            other
            for other, holds in self.held.items()
            if other != agent and "dan" not in (agent, other)
            for theirs, hold in holds.items()
            if MEANT[path] & MEANT[theirs] and not mode == hold.mode == "shared"
        }

    def acquire(self, agent: str, paths: list[str], mode: str, partial: bool, ttl: int) -> list[str] | None:
        """The paths that are claimed; None for a refusal."""
        free = [path for path in paths if not self.barred(agent, path, mode)]
        if len(free) < len(paths) and not (partial and free):
            return None
        for path in free:
            old = self.held[agent].get(path)
            if old is None or old.mode != mode:
                self.fence += 1
            fence = old.fence if old is not None and old.mode == mode else self.fence
            self.held[agent][path] = Hold(mode, self.second + ttl, fence)
        return free


def took(workspace: Workspace, model: Model, step: Any) -> None:
    """One step in both, and the same answer."""
    kind, agent, *rest = step
    mine = model.held[agent]
    if kind == "acquire":
        paths, mode, partial, ttl = rest
        arguments = {"files": paths, "mode": mode, "partial": partial, "ttl_seconds": ttl}
        holders = {one for path in paths for one in model.barred(agent, path, mode)}
        wanted = model.acquire(agent, paths, mode, partial, ttl)
        if wanted is None:
            with pytest.raises(Conflict) as refused:
                workspace.call("claim.acquire", arguments)
            assert refused.value.data["holders"] == sorted(holders)
            return
        got = workspace.call("claim.acquire", arguments)
        assert {claim.file_path: claim.fence for claim in got.claims} == {p: model.held[agent][p].fence for p in wanted}
        assert sorted(got.refused) == sorted(set(paths) - set(wanted))
        assert {one.agent_id for one in got.conflicts if not one.elsewhere} == holders
    elif kind == "release":
        released = workspace.claim.release(files=rest[0]).released_files
        assert set(rest[0]) & set(mine) <= set(released) <= set(mine)
        for path in released:
            del model.held[agent][path]
    else:
        for path, hold in mine.items():
            mine[path] = hold._replace(until=max(hold.until, model.second + rest[0]))
        if not mine:
            with pytest.raises(NotFound):
                workspace.claim.renew(ttl_seconds=rest[0])
            return
        assert {claim.file_path for claim in workspace.claim.renew(ttl_seconds=rest[0]).claims} == set(mine)


@settings(max_examples=rounds(12, 40), deadline=None)
@given(st.lists(steps, min_size=5, max_size=30))
def test_one_owner_and_what_ends_is_free(script: list[Any]) -> None:
    with fresh() as world:
        places: dict[str, dict[str, Any]] = {agent: {"root": "/nowhere/repo"} for agent in AGENTS}
        places["dan"]["worktree"] = "/nowhere/tree"
        agents = {agent: world.agent(agent, **places[agent]) for agent in AGENTS}
        model = Model()
        for step in script:
            if step[0] == "wait":
                world.clock.advance(step[1])
                model.wait(step[1])
            elif step[0] == "restart":
                agents[step[1]] = world.agent(step[1], **places[step[1]])
            else:
                took(agents[step[1]], model, step)
            listed = agents["ann"].claim.list().claims
            assert {(c.agent_id, c.file_path, c.mode, c.fence) for c in listed} == {
                (agent, path, hold.mode, hold.fence)
                for agent, holds in model.held.items()
                for path, hold in holds.items()
            }
            for one, other in combinations([claim for claim in listed if claim.agent_id != "dan"], 2):
                if one.agent_id != other.agent_id and "exclusive" in (one.mode, other.mode):
                    assert not MEANT[one.file_path] & MEANT[other.file_path], (one, other)
        before = dump(world.path)
        agents["ann"].claim.list(files=["."])
        assert dump(world.path) == before
        check(world.path)

"""Beginning to work: the right place, registered, with a task; all or nothing."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from comity import Problem, Workspace
from comity.kernel.scope import HostSession
from comity.rooms.lifecycle.model import Begun
from comity.testing import FakeMachine, World
from tests.wire_format import check, dump, rows


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a folder, a worktree of it, a neighbour whose name begins alike, and a way in and out of it."""
    for name in ("project/src", "worktree/src", "project-2", "elsewhere"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "way-in").symlink_to(tmp_path / "project" / "src")
    (tmp_path / "project" / "way-out").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "project" / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path / "elsewhere")
    return tmp_path


def placed(world: World, folders: Path, **fields: Any) -> Workspace:
    return world.agent("ann", start=False, root=str(folders / "project"), project_id="p", **fields)


@pytest.mark.parametrize(
    "path",
    ["", "  ", ".", "src", "~/project", "~/project/src/..", "{}/project", "{}/way-in", "{}/elsewhere/../project"],
)
def test_folders_of_the_project(world: World, folders: Path, path: str) -> None:
    ann = placed(world, folders)
    place = ann.workspace.place(path=path.format(folders))
    assert place == (str(folders / "project"), "p", True)


def test_the_worktree_stands_for_the_project(world: World, folders: Path) -> None:
    ann = placed(world, folders, worktree=str(folders / "worktree"))
    for path in ("src", "~/worktree", "~/project/src"):
        assert ann.workspace.place(path=path).same


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("..", "project.other"),
        ("~", "project.other"),
        ("{}/project-2", "project.other"),
        ("way-out", "project.other"),
        ("{}/worktree", "project.other"),
        ("/", "project.other"),
        ("nothing", "path.unknown"),
        ("file", "path.unknown"),
        ("~nobody-of-that-name", "path.unknown"),
    ],
)
def test_other_folders_are_refused_before_anything_happens(world: World, folders: Path, path: str, reason: str) -> None:
    ann = placed(world, folders)
    before = dump(world.path)
    for name, arguments in (("workspace.place", {}), ("session.begin", {"task_title": "x"})):
        with pytest.raises(Problem) as refused:
            ann.call(name, {"path": path.format(folders), **arguments})
        assert refused.value.reason == reason
        assert refused.value.hint
    assert dump(world.path) == before


FOREIGN = [
    "..",
    "/",
    "~",
    "~root",
    "~root/nothing",
    "~nobody-of-that-name",
    "~/project",
    "{}/project/../elsewhere",
    "{}/project-2",
    "{}/project-2/nothing",
    "{}/elsewhere/../nothing",
    "{}/elsewhere/nothing/../../way-in",
    "{}/worktree",
    "{}/way-in",
    "{}/project/file-that-is-not/../../elsewhere",
    "way-out",
    "way-out/nothing",
    "dangling",
    "../project-2",
    "//etc",
    "/proc/self/cwd",
]


@pytest.mark.parametrize("role", ["known", "spectator"])
def test_from_elsewhere_all_that_is_outside_is_the_same(world: World, folders: Path, role: str) -> None:
    (folders / "project" / "dangling").symlink_to(folders / "nothing-there")
    far = placed(world, folders, oversees=False, spectator=role == "spectator")
    told = set()
    for path in (one.format(folders) for one in FOREIGN):
        with pytest.raises(Problem) as refused:
            far.workspace.place(path=path)
        problem = refused.value
        assert problem.data["path"] == path
        told.add((problem.reason, problem.message.removeprefix(path), problem.hint))
    assert [reason for reason, *_ in told] == ["project.other"]


def test_from_elsewhere_the_inside_is_told(world: World, folders: Path) -> None:
    far = placed(world, folders, worktree=str(folders / "worktree"), oversees=False)
    (folders / "worktree" / "in").symlink_to(folders / "project")
    for path in ("", ".", "src", "in/src", "src/../src", "{}/project", "{}/worktree/src", "{}/elsewhere/../project"):
        assert far.workspace.place(path=path.format(folders)).same, path
    for path in ("nothing", "{}/project/file", "src/nothing"):
        with pytest.raises(Problem) as refused:
            far.workspace.place(path=path.format(folders))
        assert refused.value.reason == "path.unknown"


@pytest.mark.parametrize("path", ["a\0b", "\ud800", "x" * 4000, "a/" * 1000])
@pytest.mark.parametrize("oversees", [True, False])
def test_what_no_folder_can_be_called_is_refused(world: World, folders: Path, path: str, *, oversees: bool) -> None:
    with pytest.raises(Problem):
        placed(world, folders, oversees=oversees).workspace.place(path=path)


def test_beginning_with_a_new_task(world: World, folders: Path) -> None:
    begun = placed(world, folders).session.begin(path="src", task_title=" Write the parser ")
    assert begun.task is not None
    assert (begun.task.title, begun.task.status, begun.task.assigned_agent_id) == (
        "Write the parser",
        "in-progress",
        "ann",
    )
    assert begun.task_problem is None
    assert begun.overview.you.joined
    assert [task.number for task in begun.overview.you.current_tasks] == ["task-001"]
    assert rows(world.path, "SELECT channel_id, agent_id FROM channel_members") == [("main", "ann")]
    check(world.path)


def test_beginning_without_a_task(world: World) -> None:
    for title in ("", "  "):
        begun = world.agent("ann", start=False).session.begin(task_title=title)
        assert (begun.agent_id, begun.task, begun.task_problem) == ("ann", None, None)
    assert rows(world.path, "SELECT count(*) FROM macp_ext_tasks") == [(0,)]


def test_a_free_task_of_that_title_is_taken_on_and_ones_own_goes_on(world: World) -> None:
    world.agent("boss").task.add(title="Write it", level=1)
    ann = world.agent("ann", start=False)
    first = ann.session.begin(task_title="write  IT").task
    assert first is not None
    assert (first.number, first.status, first.level) == ("task-001", "in-progress", 1)
    again = ann.session.begin(task_title="Write it").task
    assert again == first
    ann.task.block(task_id="task-001")
    resumed = ann.session.begin(task_title="Write it").task
    assert resumed is not None
    assert resumed.status == "in-progress"


def test_a_task_that_somebody_has_hinders_nobody_from_joining(world: World) -> None:
    ann, bob = world.agent("ann", start=False), world.agent("bob", start=False)
    ann.session.begin(task_title="one")
    begun = bob.session.begin(task_title="One")
    assert begun.task is None
    assert begun.task_problem is not None
    assert (begun.task_problem.reason, bool(begun.task_problem.hint)) == ("task.duplicate", True)
    assert "ann" in begun.task_problem.message
    assert begun.overview.you.joined
    waits = ann.task.dispatch(title="waits", depends_on=["task-001"]).task
    problem = bob.session.begin(task_title="waits").task_problem
    assert problem is not None
    assert problem.reason == "task.waiting"
    assert ann.task.get(task_id=waits.task_id).task.status == "pending"


def test_many_begin_with_the_same_title_and_one_has_it(world: World) -> None:
    agents = [world.agent(f"agent-{place}", start=False) for place in range(8)]
    begun: list[Begun] = []
    threads = [
        threading.Thread(target=lambda agent=agent: begun.append(agent.session.begin(task_title="the one")))
        for agent in agents
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(begun) == 8
    (holder,) = [one.agent_id for one in begun if one.task is not None]
    assert {one.task_problem.reason for one in begun if one.task_problem is not None} == {"task.duplicate"}
    assert rows(world.path, "SELECT assigned_agent_id, status FROM macp_ext_tasks") == [(holder, "in-progress")]
    assert rows(world.path, "SELECT count(*) FROM sessions WHERE state = 'active'") == [(8,)]


def test_a_hosts_session_begins_as_itself(world: World) -> None:
    host = HostSession("claude-code", "s-1", pid=7, started="t")
    server = world.agent("random", start=False, observer=FakeMachine().start(), host=host)
    begun = server.session.begin(task_title="x")
    assert begun.task is not None
    assert begun.task.assigned_agent_id == begun.agent_id == begun.overview.you.agent_id

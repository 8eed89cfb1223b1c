"""Scenes of goals and tasks: each write in the case in which it writes most."""

from __future__ import annotations

from collections.abc import Callable

from comity.testing import World
from tests.sim.scene import Scene

_GOAL = "g"


def _world(world: World) -> tuple[Scene, Scene]:
    """Ann dispatched three tasks, the third waits for the second; bob held the first until his lease was over."""
    ann, bob = world.agent("ann"), world.agent("bob")
    goal = ann.goal.create(type="mission", title="g").goal.goal_id
    part = ann.goal.create(type="project_goal", title="part", parent_goal_id=goal).goal.goal_id
    for first in ([], [], ["task-002"]):
        ann.task.dispatch(title="x", goal_id=part, depends_on=first)
    bob.task.claim(task_id="task-001", lease_s=5)
    world.clock.advance(6)
    task = {"task_id": "task-001"}
    return Scene(ann, "task.claim", {**task, "lease_s": 9}), Scene(bob, "task.complete", {**task, "goal": goal})


def _scene(operation: str, **arguments: object) -> Callable[[World], Scene]:
    """Of the holder."""

    def scene(world: World) -> Scene:
        holder = _world(world)[1]
        goal_id = holder.arguments["goal"]
        given = {name: goal_id if value == _GOAL else value for name, value in arguments.items()}
        return Scene(holder.workspace, operation, given)

    scene.__name__ = operation
    return scene


def claim(world: World) -> Scene:
    """Of a task whose lease is over: it is released first."""
    return _world(world)[0]


def lost_claim(world: World) -> Scene:
    """Of a task that somebody has."""
    scene = _world(world)[0]
    world.agent("cid").task.claim(task_id="task-001")
    return scene._replace(refusal="task.taken")


def none_is_next(world: World) -> Scene:
    """A look that finds why there is none."""
    ann = _world(world)[0].workspace
    ann.task.cancel(task_id="task-002")
    ann.task.cancel(task_id="task-001")
    return Scene(ann, "task.next", {})


def archive(world: World) -> Scene:
    """Of one task."""
    scene = _world(world)[1]
    scene.workspace.task.complete(task_id="task-001")
    return Scene(scene.workspace, "task.archive", {})


def exchange(world: World) -> Scene:
    """Of the present task for the next."""
    ann = _world(world)[0].workspace
    ann.task.claim(task_id="task-002")
    return Scene(ann, "task.take_next", {"lease_s": 5})


def duplicate(world: World) -> Scene:
    """After one that would be added."""
    tasks = [{"title": "y"}, {"title": " Y"}]
    return Scene(_world(world)[0].workspace, "task.add_many", {"tasks": tasks}, "task.duplicate")


_CONTRACT = {"strict": True, "completion_contract": ["tests pass"]}

SCENES = (
    *(claim, lost_claim, none_is_next, archive, exchange, duplicate),
    _scene("task.add", title="y", level=5, contract=_CONTRACT),
    _scene("task.add_many", tasks=[{"title": "y", "level": 1}, {"title": "z", "contract": _CONTRACT}]),
    _scene("task.prioritize", task_id="task-002", level=5),
    _scene("task.transition", task_id="task-001", action="release", handoff={"summary": "s", "next_step": "n"}),
    _scene("task.dispatch", title="x", priority=5, goal_id=_GOAL, parent_task_id="task-001", depends_on=["task-002"]),
    _scene("task.start", task_id="task-001", lease_s=5),
    _scene("task.complete", task_id="task-001", result="r"),
    _scene("task.block", task_id="task-001", reason="r"),
    _scene("task.cancel", task_id="task-002", reason="r"),
    _scene("task.release", task_id="task-001", note="n"),
    _scene("task.depend", task_id="task-003", depends_on=["task-001"]),
    _scene("task.next", lease_s=5),
    _scene("task.get", task_id="task-003", include_subtasks=True),
    _scene("task.list"),
    _scene("task.survey", include_done=True, include_cancelled=True),
    _scene("task.ready"),
    _scene("task.history", task_id="task-001"),
    _scene("goal.create", type="mission", title="x", parent_goal_id=_GOAL, owner_agent_id="ann"),
    _scene("goal.update", goal_id=_GOAL, title="y", parent_goal_id=""),
    _scene("goal.get", goal_id=_GOAL),
    _scene("goal.list"),
    _scene("goal.cascade", goal_id=_GOAL),
)

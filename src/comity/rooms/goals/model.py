"""Records and argument types of goals (protocol reference sections 4.7 and 5.4)."""

from __future__ import annotations

from comity.kernel.argument import Note, Number, Text
from comity.kernel.hints import Annotated, Any, Literal
from comity.kernel.named_tuple import NamedTuple

MAX_DEPTH = 50  # levels of a cascade; JSON nested deeper is more than readers can be expected to parse
MAX_GOALS = 10_000  # goals in one answer

GoalId = Annotated[str, Text("A goal's id.", min=1, max=200)]
ParentGoalId = Annotated[str, Text("The goal that this one serves; empty for none.", max=200)]
GoalType = Annotated[Literal["mission", "project_goal", "agent_goal"], Note("How large a goal it is.")]
GoalStatus = Annotated[Literal["active", "completed", "paused"], Note("Where the goal stands.")]
Title = Annotated[str, Text("What is to be reached, in a line.", min=1, max=1000)]
Description = Annotated[str, Text("More about it.", max=100_000)]
GoalLimit = Annotated[int, Number("How many goals to return at most.", ge=1, le=MAX_GOALS)]


class Progress(NamedTuple):
    """How far a goal is.

    The first three count the goal's own tasks that are not archived, as the protocol does. The ``subtree`` ones count
    those of all goals below it, too, archived tasks included and cancelled ones left out.
    """

    total_tasks: int
    completed_tasks: int
    completion_ratio: float
    subtree_total_tasks: int
    subtree_completed_tasks: int
    subtree_completion_ratio: float


class Goal(NamedTuple):
    """One goal."""

    goal_id: str
    type: str
    title: str
    description: str
    status: str
    parent_goal_id: str | None
    owner_agent_id: str | None
    created_by_agent_id: str
    created_at: str
    updated_at: str
    progress: Progress


class OneGoal(NamedTuple):
    """A goal as it is now."""

    goal: Goal


class Goals(NamedTuple):
    """Goals, oldest first; ``more`` is true when there are others."""

    goals: list[Goal]
    more: bool = False


class GoalView(NamedTuple):
    """A goal with its ancestors, root first, and its direct children.

    ``cycle`` names the goals that are their own ancestors: another program wrote that, and ``goal.update`` with an
    empty parent mends it.
    """

    goal: Goal
    ancestry: list[Goal]
    children: list[Goal]
    cycle: tuple[str, ...] = ()


class Branch(NamedTuple):
    """A goal with everything below it. ``children`` are branches, and left out when there are none.

    ``deeper`` counts goals that are nested too deep to be shown here; ask for the cascade of one of the last shown.
    """

    goal_id: str
    type: str
    title: str
    description: str
    status: str
    parent_goal_id: str | None
    owner_agent_id: str | None
    created_by_agent_id: str
    created_at: str
    updated_at: str
    progress: Progress
    children: tuple[Any, ...] = ()
    deeper: int = 0


class Tree(NamedTuple):
    """A goal at the top of a cascade; its ``children`` are always there."""

    goal_id: str
    type: str
    title: str
    description: str
    status: str
    parent_goal_id: str | None
    owner_agent_id: str | None
    created_by_agent_id: str
    created_at: str
    updated_at: str
    progress: Progress
    children: tuple[Branch, ...]
    deeper: int = 0


class Cascade(NamedTuple):
    """Whole trees of goals.

    ``cycles`` lists parents that go round, each as the ids on the way; such goals have no root and are in no tree.
    ``more`` is true when there are more goals than one answer holds.
    """

    goals: list[Tree]
    cycles: tuple[list[str], ...] = ()
    more: bool = False

"""Operations on goals."""

from __future__ import annotations

from comity.kernel.event import Event
from comity.kernel.javascript import trim
from comity.kernel.op import op
from comity.kernel.problem import Conflict, Invalid, NotFound
from comity.kernel.scope import Scope
from comity.rooms.agents.model import AgentId
from comity.rooms.goals import tree
from comity.rooms.goals.model import (
    Cascade,
    Description,
    Goal,
    GoalId,
    GoalLimit,
    Goals,
    GoalStatus,
    GoalType,
    GoalView,
    OneGoal,
    ParentGoalId,
    Title,
)

_EXAMPLE_ID = "0190d3f0-0000-7000-8000-000000000000"


@op(
    "goal.create",
    effect="write",
    needs="session",
    pausable=True,
    example={"type": "project_goal", "title": "Release 1.0"},
)
def create_goal(
    scope: Scope,
    *,
    type: GoalType,
    title: Title,
    description: Description = "",
    parent_goal_id: GoalId | None = None,
    owner_agent_id: AgentId | None = None,
) -> OneGoal:
    """Set a goal that tasks and other goals can serve."""
    if parent_goal_id is not None:
        require_goal(scope, parent_goal_id)
    if owner_agent_id is not None and scope.tx.one("goals.agent_exists", agent_id=owner_agent_id) is None:
        raise NotFound(
            "agent.unknown",
            f"There is no agent {owner_agent_id}.",
            "Name an agent as the agent list shows it, or leave the owner out.",
            agentId=owner_agent_id,
        )
    goal_id = scope.new_id()
    scope.tx.run(
        "goals.insert_goal",
        goal_id=goal_id,
        type=type,
        title=_title(title),
        description=description,
        parent_goal_id=parent_goal_id,
        owner_agent_id=owner_agent_id,
        agent_id=scope.actor.agent_id,
        now=scope.now.iso,
    )
    _tell(scope, "goal.created", goal_id)
    return OneGoal(_goal(scope, goal_id))


@op("goal.list", effect="read", needs="session", example={"status": "active"})
def list_goals(
    scope: Scope,
    *,
    type: GoalType | None = None,
    status: GoalStatus | None = None,
    owner_agent_id: AgentId | None = None,
    limit: GoalLimit = 1000,
) -> Goals:
    """List goals, oldest first, with their progress."""
    rows = scope.tx.all("goals.listed", type=type, status=status, owner_agent_id=owner_agent_id, limit=limit + 1)
    return Goals(tree.goals_of(scope, rows[:limit]), len(rows) > limit)


@op("goal.get", effect="read", needs="session", example={"goal_id": _EXAMPLE_ID})
def get_goal(scope: Scope, *, goal_id: GoalId) -> GoalView:
    """Show a goal with the goals above it and directly below it."""
    require_goal(scope, goal_id)
    above, cycle = tree.ancestry(scope, goal_id)
    below = {row[0] for row in scope.tx.all("goals.children", goal_id=goal_id)} - {goal_id}
    found = tree.goals_of(scope, tree.rows_of(scope, [*above, goal_id, *below]))
    goals = {goal.goal_id: goal for goal in found}
    children = [goal for goal in found if goal.goal_id in below]
    return GoalView(goals[goal_id], [goals[one] for one in above], children, cycle)


@op(
    "goal.update",
    effect="write",
    needs="session",
    pausable=True,
    example={"goal_id": _EXAMPLE_ID, "status": "completed"},
)
def update_goal(
    scope: Scope,
    *,
    goal_id: GoalId,
    title: Title | None = None,
    description: Description | None = None,
    status: GoalStatus | None = None,
    parent_goal_id: ParentGoalId | None = None,
) -> OneGoal:
    """Change a goal's title, description, status or place in the tree."""
    require_goal(scope, goal_id)
    if parent_goal_id:
        require_goal(scope, parent_goal_id)
        _refuse_cycle(scope, goal_id, parent_goal_id)
    scope.tx.run(
        "goals.update_goal",
        goal_id=goal_id,
        title=None if title is None else _title(title),
        description=description,
        status=status,
        move=parent_goal_id is not None,
        parent_goal_id=parent_goal_id or None,
        now=scope.now.iso,
    )
    _tell(scope, "goal.updated", goal_id)
    return OneGoal(_goal(scope, goal_id))


@op("goal.cascade", effect="read", needs="session", example={})
def cascade_goals(scope: Scope, *, goal_id: GoalId | None = None) -> Cascade:
    """Show the whole tree below a goal, or all trees, with progress rolled up."""
    if goal_id is not None:
        require_goal(scope, goal_id)
    return tree.cascade(scope, goal_id)


def require_goal(scope: Scope, goal_id: str) -> None:
    """NotFound ``goal.unknown`` unless there is this goal."""
    if scope.tx.one("goals.goal_exists", goal_id=goal_id) is None:
        raise NotFound(
            "goal.unknown", f"There is no goal {goal_id}.", "List the goals to see their ids.", goalId=goal_id
        )


def _goal(scope: Scope, goal_id: str) -> Goal:
    return tree.goals_of(scope, tree.rows_of(scope, [goal_id]))[0]


def _title(title: str) -> str:
    wanted = trim(title)
    if not wanted:
        raise Invalid("goal.blank_title", "A goal's title is more than blanks.", "Say what is to be reached.")
    return wanted


def _refuse_cycle(scope: Scope, goal_id: str, parent_goal_id: str) -> None:
    above, _ = tree.ancestry(scope, parent_goal_id)
    if goal_id in (parent_goal_id, *above):
        path = [goal_id, *above[above.index(goal_id) + 1 :], parent_goal_id] if goal_id in above else [goal_id]
        raise Conflict(
            "goal.cycle",
            f"Goal {parent_goal_id} is goal {goal_id} itself or below it, so it cannot be its parent.",
            "Choose a parent outside this goal's own tree, or move that one out first.",
            path=path,
        )


def _tell(scope: Scope, event_type: str, goal_id: str) -> None:
    scope.emit(
        Event(
            event_type,
            agent_id=scope.actor.agent_id,
            metadata={"goal_id": goal_id},
            subjects=(("goal", goal_id),),
        )
    )

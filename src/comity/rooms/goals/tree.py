"""Goals as a tree: what is below and above, and how progress rolls up, whatever circles other programs wrote.

The tools of the protocol cannot make a parent its own descendant; a row written by hand can, and nothing here may hang
on it (protocol reference E-21).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from comity.kernel.named_tuple import NamedTuple
from comity.kernel.scope import Row, Scope
from comity.kernel.text import compact, number
from comity.rooms.goals.model import MAX_DEPTH, MAX_GOALS, Branch, Cascade, Goal, Progress, Tree

Parents = Mapping[str, str | None]


class GoalCounts(NamedTuple):
    """Tasks of one goal: live ones, of those done and cancelled; archived ones but cancelled, of those done."""

    live: int
    live_done: int
    live_cancelled: int
    archived: int
    archived_done: int

    @property
    def total(self) -> int:
        """Everything that was to be done."""
        return self.live - self.live_cancelled + self.archived

    @property
    def done(self) -> int:
        """Everything that was done."""
        return self.live_done + self.archived_done


def goals_of(scope: Scope, rows: Sequence[Row]) -> list[Goal]:
    """Rows of goals with their progress: one query, however many they are."""
    progress = progress_of(scope, [row[0] for row in rows])
    return [Goal._make((*row, progress[row[0]])) for row in rows]


def progress_of(scope: Scope, goal_ids: Iterable[str]) -> dict[str, Progress]:
    """The progress of each of these goals and of every goal below one of them."""
    rows = scope.tx.all("goals.counts", goal_ids=compact(list(goal_ids)))
    counts = {row[0]: GoalCounts._make(row[2:]) for row in rows}
    parents = {row[0]: row[1] for row in rows}
    total = rolled_up(parents, {goal_id: count.total for goal_id, count in counts.items()})
    done = rolled_up(parents, {goal_id: count.done for goal_id, count in counts.items()})
    return {
        goal_id: Progress(
            count.live,
            count.live_done,
            _ratio(count.live_done, count.live),
            total[goal_id],
            done[goal_id],
            _ratio(done[goal_id], total[goal_id]),
        )
        for goal_id, count in counts.items()
    }


def _ratio(part: int, whole: int) -> float:
    return number(part / whole) if whole else 0


def rolled_up(parents: Parents, values: Mapping[str, int]) -> dict[str, int]:
    """For each node the sum over it and everything below it. Nodes of a circle all have the sum over the circle."""
    sums = dict(values)
    waiting = dict.fromkeys(parents, 0)  # children that have not been added yet
    for parent in parents.values():
        if parent in waiting:
            waiting[parent] += 1
    leaves = [node for node, count in waiting.items() if count == 0]
    while leaves:
        node = leaves.pop()
        parent = parents[node]
        if parent in waiting:
            sums[parent] += sums[node]
            waiting[parent] -= 1
            if waiting[parent] == 0:
                leaves.append(parent)
    for cycle in cycles_of({node: parents[node] for node, count in waiting.items() if count}):
        whole = sum(sums[node] for node in cycle)
        sums.update(dict.fromkeys(cycle, whole))
    return sums


def cycles_of(parents: Parents) -> list[list[str]]:
    """Every circle of parents, each from its smallest id on, in the order child, parent, parent's parent."""
    seen: set[str] = set()
    found = []
    for start in parents:
        path: dict[str, int] = {}
        node: str | None = start
        while node is not None and node in parents and node not in seen:
            seen.add(node)
            path[node] = len(path)
            node = parents[node]
        if node is not None and node in path:
            circle = list(path)[path[node] :]
            first = circle.index(min(circle))
            found.append(circle[first:] + circle[:first])
    return sorted(found)


def ancestry(scope: Scope, goal_id: str) -> tuple[list[str], tuple[str, ...]]:
    """The ids above a goal, root first, and the circle that its ancestors run into, if any."""
    parents: dict[str, str | None] = dict(scope.tx.all("goals.ancestors", goal_id=goal_id))
    path: list[str] = []
    node = parents.get(goal_id)
    while node is not None and node in parents and node != goal_id and node not in path:
        path.append(node)
        node = parents[node]
    cycles = cycles_of(parents)
    return path[::-1], tuple(cycles[0]) if cycles else ()


def chain(scope: Scope, goal_id: str | None) -> list[Goal]:
    """A goal and everything above it, root first; nothing for None or a goal that is gone."""
    if goal_id is None:
        return []
    above, _ = ancestry(scope, goal_id)
    found = {goal.goal_id: goal for goal in goals_of(scope, rows_of(scope, [*above, goal_id]))}
    return [found[one] for one in (*above, goal_id) if one in found]


def rows_of(scope: Scope, goal_ids: Sequence[str]) -> list[Row]:
    """The rows of these goals, oldest first."""
    return scope.tx.all("goals.rows", goal_ids=compact(list(goal_ids)))


def cascade(scope: Scope, goal_id: str | None) -> Cascade:
    """The whole tree below one goal, or every tree."""
    if goal_id is None:
        rows = scope.tx.all("goals.everything", limit=MAX_GOALS + 1)
    else:
        rows = scope.tx.all("goals.below", goal_ids=compact([goal_id]), limit=MAX_GOALS + 1)
    goals = {goal.goal_id: goal for goal in goals_of(scope, rows[:MAX_GOALS])}
    children: dict[str | None, list[Goal]] = {}
    for goal in goals.values():
        children.setdefault(goal.parent_goal_id, []).append(goal)
    roots = children.get(None, []) if goal_id is None else [goals[goal_id]]
    parents = {goal.goal_id: goal.parent_goal_id for goal in goals.values()}
    trees = []
    for root in roots:
        below, deeper = _branches(root.goal_id, children, {root.goal_id}, 1)
        trees.append(Tree._make((*root, below, deeper)))
    return Cascade(trees, tuple(cycles_of(parents)), len(rows) > MAX_GOALS)


def _branches(
    goal_id: str, children: Mapping[str | None, list[Goal]], above: set[str], depth: int
) -> tuple[tuple[Branch, ...], int]:
    """What is below a goal, and how many of it are too deep to be shown."""
    below = [goal for goal in children.get(goal_id, []) if goal.goal_id not in above]
    if depth >= MAX_DEPTH:
        return (), _count(below, children, above)
    branches = []
    for goal in below:
        nested, deeper = _branches(goal.goal_id, children, above | {goal.goal_id}, depth + 1)
        branches.append(Branch._make((*goal, nested, deeper)))
    return tuple(branches), 0


def _count(below: list[Goal], children: Mapping[str | None, list[Goal]], above: set[str]) -> int:
    seen, waiting = set(above), [goal.goal_id for goal in below]
    total = 0
    while waiting:
        goal_id = waiting.pop()
        if goal_id not in seen:
            seen.add(goal_id)
            total += 1
            waiting += [child.goal_id for child in children.get(goal_id, [])]
    return total

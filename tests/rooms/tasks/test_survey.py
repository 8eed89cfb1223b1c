"""Looking over the queue: what is still to be done, the urgent first."""

from __future__ import annotations

from comity.testing import World


def test_finished_tasks_are_listed_when_asked_for() -> None:
    with World() as world:
        ann = world.agent("ann")
        for level, title in enumerate(("one", "two", "three", "four", "five"), start=1):
            ann.task.add(title=title, level=6 - level)
            world.clock.advance(1)
        ann.task.claim(task_id="task-001")
        ann.task.claim(task_id="task-002")
        ann.task.complete(task_id="task-002")
        ann.task.cancel(task_id="task-003")

        def titles(**arguments: object) -> list[str]:
            return [task.title for task in ann.call("task.survey", arguments).tasks]

        assert titles() == ["five", "four", "one"]
        assert titles(include_done=True) == ["five", "four", "two", "one"]
        assert titles(include_cancelled=True) == ["five", "four", "three", "one"]
        assert titles(status="done") == ["two"]
        survey = ann.task.survey(limit=2)
        assert ([task.title for task in survey.tasks], survey.more) == (["five", "four"], True)
        assert not ann.task.survey(limit=3).more

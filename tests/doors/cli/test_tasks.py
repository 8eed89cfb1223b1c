"""Tasks and goals at the command line: handing out, taking, doing, giving back, and the drawn tree."""

import json

from tests.doors.cli.program import Program


def test_a_task_from_dispatch_to_done(comity: Program) -> None:
    made = comity("task", "dispatch", "Write the parser", "--priority", "P1", "--as", "ann", "--json")
    assert (made.code, made.json["task"]["number"]) == (0, "task-001")
    comity("task", "dispatch", "Test it", "--after", "task-001", "--priority", "5", "--as", "ann")
    assert "Waits for" in comity("tasks", "--as", "ann").out
    ready = comity("tasks", "--ready", "--as", "bob", "--json").json
    assert [task["number"] for task in ready["tasks"]] == ["task-001"]
    assert comity("task", "next", "--lease", "60", "--as", "bob").out.startswith(
        "Claimed task-001 Write the parser, until"
    )
    lost = comity("task", "claim", "task-001", "--as", "ann", "--json")
    assert (lost.code, lost.error["reason"], lost.error["data"]["assignedAgentId"]) == (6, "task.taken", "bob")
    stale = comity("task", "complete", "task-001", "--revision", "1", "--as", "bob")
    assert (stale.code, stale.out) == (6, "")
    assert "is at revision 2, not 1" in stale.err
    comity("task", "release", "task-001", "--note", "half of it", "--as", "bob")
    assert "half of it" in comity("task", "start", "task-001", "--as", "ann").out
    comity("task", "complete", "task-001", "--result", "fine", "--as", "ann")
    shown = comity("task", "show", "task-001", "--as", "bob").out
    for text in ("task-001  Write the parser", "done", "fine", "task-002 (pending)"):
        assert text in shown
    told = comity("task", "history", "task-001", "--as", "bob", "--json").json
    assert [event["eventType"].partition(".")[2] for event in told["events"]] == [
        *("dispatched", "claimed", "released", "started", "completed")
    ]
    assert "task.released bob in-progress" not in comity("task", "history", "task-001", "--as", "bob").out


def test_what_a_script_took_that_died_is_free_on_a_word(comity: Program) -> None:
    comity("task", "dispatch", "Write the parser")
    assert comity("task", "next", "--as", "worker1").out.startswith("Claimed task-001 Write the parser, until ")
    assert comity("task", "next", "--as", "worker2").out == "No task is pending.\n", (
        "commands free nobody by themselves"
    )
    gone = comity("call", "agent.reap", "--arguments", '{"agent_id": "worker1"}').json["agents"]
    assert [one["agentId"] for one in gone] == ["worker1"]
    assert comity("task", "next", "--as", "worker2").out.startswith("Claimed task-001 ")


def test_nothing_to_do(comity: Program) -> None:
    missing = comity("tasks", "--json")
    assert (missing.code, missing.error["reason"]) == (5, "workspace.missing")
    comity("task", "dispatch", "x")
    comity("task", "cancel", "task-001")
    assert comity("task", "next").out == "No task is pending.\n"
    assert comity("tasks", "--ready").out == "Nothing is ready.\n"
    assert comity("task", "archive", "--status", "cancelled").out == "Archived 1 task.\n"
    assert comity("tasks").out == "No such task.\n"
    both = comity("tasks", "--ready", "--status", "done", "--json")
    assert (both.code, both.error["reason"]) == (2, "tasks.two_lists")


def test_what_a_task_waits_for_is_changed(comity: Program) -> None:
    for title in ("one", "two"):
        comity("task", "dispatch", title)
    assert comity("task", "depend", "task-002", "--after", "task-001", "--json").json["task"]["waitingOn"]
    assert "Now stuck: task-002 (pending)" in comity("task", "cancel", "task-001").out
    assert "1 task stuck" in comity("tasks", "--ready").out
    assert "waitingOn" not in comity("task", "depend", "task-002", "--json").json["task"]


def test_goals_are_drawn_as_trees(comity: Program) -> None:
    top = comity("goals", "create", "Release", "--type", "mission", "--json").json["goal"]["goalId"]
    made = [
        comity("goals", "create", title, "--type", "agent_goal", "--parent", top, "--json").json["goal"]["goalId"]
        for title in ("Parser", "Docs\x1b[31m")
    ]
    for goal_id in made:
        comity("task", "dispatch", "x", "--goal", goal_id)
    comity("task", "start", "task-001")
    comity("task", "complete", "task-001")
    comity("goals", "update", made[1], "--status", "paused")
    assert comity("goals", COLUMNS="100").out.splitlines() == [
        f"Release  █████░░░░░ 1/2  {top}",
        f"├─ Parser  ██████████ 1/1  {made[0]}",
        f"└─ Docs\\x1b[31m paused  ░░░░░░░░░░ 0/1  {made[1]}",
    ]
    assert "Below" in comity("goals", "show", top).out
    assert "Docs" not in comity("goals", "list", "--status", "active").out
    tree = comity("goals", made[0], "--json")
    assert [goal["title"] for goal in json.loads(tree.out)["goals"]] == ["Parser"]
    circle = comity("goals", "update", top, "--parent", made[0])
    assert (circle.code, circle.out) == (6, "")


def test_every_verb_has_an_example(comity: Program) -> None:
    for words in (("task", "claim"), ("task", "depend"), ("goals", "update"), ("goals", "list")):
        shown = comity(*words, "--help")
        assert f"Usage: comity {' '.join(words)}" in shown.out
        assert f"Example: comity {' '.join(words)}" in shown.out
    assert comity("task", "fly").code == 2

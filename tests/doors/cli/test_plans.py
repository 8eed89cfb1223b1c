"""Plans of tasks at the command line: written together, shown whole, and refused to whom they are not."""

from tests.doors.cli.program import Program


def test_a_plan_from_its_beginning_to_what_was_delivered(comity: Program) -> None:
    comity("task", "dispatch", "Write the lexer", "--as", "pat")
    assert comity("plan", "list", "--as", "pat").out == "There is no plan yet: comity plan begin TASK.\n"
    assert comity("plan", "begin", "task-001", "--content", "1. Tokens.", "--as", "pat").out.startswith("Begun\n")
    comity("task", "claim", "task-001", "--as", "ann")
    comity("plan", "write", "task-001", "1. Tokens. 2. Tests.", "--as", "ann")
    assert comity("plan", "note", "task-001", "See the grammar.", "--as", "rob").out == (
        "task-001: 1 note, 0 errors, 0 open.\n"
    )
    comity("plan", "error", "task-001", "1e5 fails", "--type", "test", "--as", "rob")
    assert comity("plan", "resolve", "task-001", "0", "--as", "ann").out.endswith("1 error, 0 open.\n")
    comity("plan", "deliver", "task-001", "src/lexer.py", "--as", "ann")
    shown = comity("plan", "task-001", "--as", "bob").out
    for text in ("1. Tokens. 2. Tests.", "Error 0 resolved test: 1e5 fails", "rob: See the grammar.", "src/lexer.py"):
        assert text in shown
    assert comity("plan", "--as", "ann").out == shown, "without a task it is that of the one she works on"
    (one,) = comity("plan", "list", "--json", "--as", "bob").json["plans"]
    assert (one["task"], one["holder"], one["delivered"], one["openErrors"]) == ("task-001", "ann", True, 0)


def test_what_is_somebody_elses_or_not_there_is_refused_with_a_command(comity: Program) -> None:
    comity("task", "dispatch", "Write the lexer", "--as", "pat")
    comity("task", "claim", "task-001", "--as", "ann")
    lost = comity("plan", "write", "task-001", "mine", "--as", "rob")
    assert lost.code == 6
    assert "comity plan note" in lost.err
    gone = comity("plan", "resolve", "task-001", "3", "--as", "ann", "--json")
    assert (gone.code, gone.error["reason"]) == (5, "plan.none")
    assert "comity plan begin" in comity("plan", "task-001", "--as", "ann").err
    assert comity("plan", "--as", "rob", "--json").error["reason"] == "plan.no_task"
    assert comity("plan", "note", "task-001", "", "--as", "rob").code == 2


def test_the_task_one_works_on(comity: Program) -> None:
    comity("task", "dispatch", "Write the lexer", "--as", "pat")
    assert comity("plan", "current", "--as", "ann").out == "No task is held: comity task next.\n"
    assert comity("plan", "work-on", "task-001", "--as", "ann", "--json").error["reason"] == "plan.not_held"
    comity("task", "claim", "task-001", "--as", "ann")
    assert comity("plan", "current", "--as", "ann").out == "task-001  Write the lexer  (none was named)\n"
    assert comity("plan", "work-on", "task-001", "--as", "ann").out == "task-001  Write the lexer\n"
    assert comity("plan", "current", "--as", "ann", "--json").json["chosen"] is True
    assert comity("plan", "clear", "--as", "ann", "--json").json["chosen"] is False

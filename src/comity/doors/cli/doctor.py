"""``comity doctor``: what is wrong here and what to do about it. It changes nothing and makes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from comity.doors.cli import database_checks, machine_checks
from comity.doors.cli.command import Values, command
from comity.doors.cli.finding import Finding, fail
from comity.doors.cli.invocation import Invocation
from comity.doors.cli.screen import STATUS_STYLES, Column, Part, Screen, count
from comity.kernel.problem import Problem
from comity.settings import Settings

Check = Callable[[Settings], Iterator[Finding]]
CHECKS: tuple[tuple[str, Check], ...] = (
    ("Python", machine_checks.python),
    ("SQLite", machine_checks.sqlite),
    ("Command", machine_checks.program),
    ("Project", machine_checks.checkout),
    ("Disk", machine_checks.disk),
    ("Database", database_checks.database),
    ("Wake-up", machine_checks.notification),
    ("Hosts", machine_checks.hosts),
)


def _doctor(invocation: Invocation, _: Values) -> list[Finding]:
    try:
        settings = invocation.settings
    except Problem as problem:
        return [fail("Settings", problem.message, problem.hint)]
    return [finding for title, check in CHECKS for finding in _run(title, check, settings)]


def _run(title: str, check: Check, settings: Settings) -> Iterator[Finding]:
    """A check's findings; one that breaks is itself a finding."""
    try:
        yield from check(settings)
    except Problem as problem:
        yield fail(title, problem.message, problem.hint)
    except Exception as error:  # noqa: BLE001 (whatever the world does to a check belongs into the report)
        yield fail(title, f"{type(error).__name__}: {error}", "Check the file, its folder and the disk.")


def _program(findings: list[Finding]) -> dict[str, Any]:
    return {"ok": _healthy(findings), "checks": findings}


def _healthy(findings: list[Finding]) -> bool:
    return all(finding.status != "fail" for finding in findings)


def _show(screen: Screen, findings: list[Finding]) -> None:
    rows: list[tuple[Part, ...]] = []
    for finding in findings:
        detail = f"{finding.detail}. {finding.hint}" if finding.hint else finding.detail
        rows.append(((finding.status, STATUS_STYLES[finding.status]), finding.check, detail))
    screen.table((Column(""), Column("Check"), Column("Found", flexible=True)), rows)
    failed = [finding for finding in findings if finding.status == "fail"]
    warned = [finding for finding in findings if finding.status == "warn"]
    screen.say("")
    if failed:
        screen.say((f"{count(len(failed), 'check')} failed.", STATUS_STYLES["fail"]))
    elif warned:
        screen.say((f"It works; {count(len(warned), 'warning')}.", STATUS_STYLES["warn"]))
    else:
        screen.say(("All is well.", STATUS_STYLES["ok"]))


doctor = command(
    _doctor,
    show=_show,
    program=_program,
    needs="project",
    doc="""Find out what is wrong here, and what to do about it.

    Looks at the interpreter, the database, the disk and the agent hosts; changes nothing. Exits with 1 when something
    fails.
    """,
    example="comity doctor --json",
    code=lambda findings: 0 if _healthy(findings) else 1,
)

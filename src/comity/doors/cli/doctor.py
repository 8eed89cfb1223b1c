"""``comity doctor``: what is wrong here and what to do about it. It changes nothing and makes nothing.

But with ``--capture``, which makes the folder that hooks keep payloads in. Installed hooks are run once, and with
``--canary`` tried, in a folder made for it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

from comity.doors.cli import (
    database_checks,
    file_system_checks,
    folder_checks,
    hook_checks,
    machine_checks,
    session_checks,
    trust_checks,
)
from comity.doors.cli.command import Option, Values, command
from comity.doors.cli.findings import Finding, fail, ok
from comity.doors.cli.hook_checks import HookState
from comity.doors.cli.invocation import Invocation
from comity.doors.cli.screen import STATUS_STYLES, Column, Part, Screen, count
from comity.hosts import hook_log
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import NotFound, Problem
from comity.settings import Settings

Check = Callable[[Settings], Iterator[Finding]]
CHECKS: tuple[tuple[str, Check], ...] = (
    ("Python", machine_checks.python),
    ("SQLite", machine_checks.sqlite),
    ("Command", machine_checks.program),
    ("Project", machine_checks.checkout),
    ("Settings", trust_checks.set_aside),
    ("Environment", trust_checks.environment),
    ("Folder", folder_checks.folder),
    ("Disk", file_system_checks.disk),
    ("Database", database_checks.database),
    ("Wake-up", machine_checks.notification),
    ("Hosts", machine_checks.hosts),
)


class DoctorReport(NamedTuple):
    """What was found; ``hooks`` in detail, ``abilities`` when only those were asked for."""

    findings: list[Finding]
    hooks: list[HookState]
    abilities: list[dict[str, Any]]


def _doctor(invocation: Invocation, values: Values) -> DoctorReport:
    if values.get("hosts"):
        return DoctorReport([], [], hook_checks.abilities())
    try:
        spoiled = invocation.despite_spoiled()
    except Problem as problem:
        return DoctorReport([fail("Settings", problem.message, problem.hint)], [], [])
    settings = invocation.settings
    if values.get("canary"):
        return DoctorReport(hook_checks.fly(values["canary"]), [], [])
    if values.get("capture") is not None:
        return DoctorReport([_capture(settings, bool(values["capture"]))], [], [])
    states: list[HookState] = []

    def hooks(settings: Settings) -> Iterator[Finding]:
        states.extend(hook_checks.look(settings))
        yield from hook_checks.findings(states)
        yield from hook_checks.git(settings)

    checks = (*CHECKS, ("Hooks", hooks))
    found = [finding for title, check in checks for finding in _run(title, check, settings)]
    if spoiled is not None and all(finding.check != "Settings" or finding.status == "ok" for finding in found):
        found.insert(0, fail("Settings", spoiled.message, spoiled.hint))
    return DoctorReport(found, states, [])


def _capture(settings: Settings, on: bool) -> Finding:
    """Begin to keep payloads of hooks, or end it and delete them."""
    folder = hook_log.captures_of(settings.db)
    if not on:
        shutil.rmtree(folder, ignore_errors=True)
        return ok("Capture", "off: no payloads are kept, and those that were are gone")
    if not os.path.isdir(os.path.dirname(folder)):
        raise NotFound("workspace.missing", "There is no project here yet.", "Run `comity init`.", path=folder)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    kept = len(os.listdir(folder))
    return ok(
        "Capture", f"on: {kept} payloads of hooks, without anybody's texts, are in {folder}; --no-capture ends it"
    )


def _run(title: str, check: Check, settings: Settings) -> Iterator[Finding]:
    """A check's findings; one that breaks is itself a finding."""
    try:
        yield from check(settings)
    except Problem as problem:
        yield fail(title, problem.message, problem.hint)
    except Exception as error:  # noqa: BLE001 (whatever the world does to a check belongs into the report)
        yield fail(title, f"{type(error).__name__}: {error}", "Check the file, its folder and the disk.")


def _program(report: DoctorReport) -> dict[str, Any]:
    if report.abilities:
        return {"hosts": report.abilities}
    hooks = {"hooks": [state.plain() for state in report.hooks]} if report.hooks else {}
    return {"ok": _healthy(report.findings), "checks": report.findings, **hooks}


def _healthy(findings: list[Finding]) -> bool:
    return all(finding.status != "fail" for finding in findings)


def _show_abilities(screen: Screen, hosts: list[dict[str, Any]]) -> None:
    names = {
        "mid_turn": "mid-turn",
        "at_prompt": "prompt",
        "refuse": "refuse",
        "ask": "ask",
        "stop": "go on",
        "warn": "warn",
        "wake": "wake",
    }
    rows = [
        (host["title"], ", ".join(shown for name, shown in names.items() if host[name]), host["proven"] or "not tried")
        for host in hosts
    ]
    screen.table((Column("Host"), Column("Hooks can", flexible=True), Column("Tried with")), rows)


def _show(screen: Screen, report: DoctorReport) -> None:
    if report.abilities:
        _show_abilities(screen, report.abilities)
        return
    findings = report.findings
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
    elif any(finding.check == session_checks.CHECK for finding in warned):
        screen.say(("Agents without hooks are at work.", STATUS_STYLES["warn"]))
    elif warned:
        screen.say((f"It works; {count(len(warned), 'warning')}.", STATUS_STYLES["warn"]))
    else:
        screen.say(("All is well.", STATUS_STYLES["ok"]))


doctor = command(
    _doctor,
    show=_show,
    program=_program,
    needs="project",
    options=(
        Option("canary", str | None, "Try the installed hooks of this host, in a project made for it.", None),
        Option("capture", bool | None, "Keep payloads of hooks from now on, without anybody's texts; or end it.", None),
        Option("hosts", bool, "Only say what each agent host lets hooks do.", default=False),
    ),
    doc="""Find out what is wrong here, and what to do about it.

    Looks at the interpreter, the database, the disk, the agent hosts and their hooks; changes nothing. Exits with 1
    when something fails.
    """,
    example="comity doctor --json",
    code=lambda report: 0 if _healthy(report.findings) else 1,
)

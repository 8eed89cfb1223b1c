"""``comity init``: the command over ``hosts``."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

from comity import settings, trust
from comity.doors.cli import hook_trial, user_hooks
from comity.doors.cli.command import Option, Values, command
from comity.doors.cli.invocation import Invocation
from comity.doors.cli.screen import Column, Screen
from comity.doors.cli.user_hooks import UserHooks
from comity.hosts import asking, compiled_launcher, githooks, like_main
from comity.hosts.hook_install import launched
from comity.hosts.init import FileChange, InitReport, Options, Plan, apply, plan
from comity.hosts.layout import workspace
from comity.hosts.removal import sweep
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Problem
from comity.opening import Memory
from comity.server.folder import agreement
from comity.settings import CONFIG_NAME, TOML_NAME

_STYLES = {"skipped": "bold red", "unchanged": "dim"}
_DIFF_STYLES = {"+": "green", "-": "red", "@": "cyan"}


class InitOutcome(NamedTuple):
    """What ``init`` did, or would do, and its diff when asked for."""

    report: InitReport
    diff: str | None
    git: githooks.GitHooksReport | None = None  # what became of git's hooks, when they were asked for or taken out
    agreed: tuple[str, ...] = ()  # files to which the user agreed by this
    told: tuple[str, ...] = ()  # what does not count, and why


def _program(answer: InitOutcome | UserHooks) -> dict[str, Any]:
    if isinstance(answer, UserHooks):
        return user_hooks.plain(answer)
    made = answer.report.plan
    written = {change.name for change in answer.report.written}
    return {
        "projectRoot": str(made.root),
        "projectId": made.project_id,
        "defaultChannel": made.channel,
        "database": made.db,
        "dryRun": made.options.dry_run,
        "files": [_file(change, change.name in written) for change in made.changes],
        "notes": [*made.notes, *answer.told],
        "agreed": list(answer.agreed),
        "problems": [problem.as_dict() for problem in answer.report.problems],
        **({} if answer.diff is None else {"diff": answer.diff}),
        **({} if answer.git is None else {"gitHooks": _git_plain(answer.git)}),
    }


def _file(change: FileChange, written: bool) -> dict[str, Any]:
    return {
        "file": change.name,
        "action": change.action,
        "written": written,
        "hosts": list(change.hosts),
        "note": change.note,
    }


def _git_plain(report: githooks.GitHooksReport) -> dict[str, Any]:
    return {"changed": [str(path) for path in report.changed], "notes": list(report.notes)}


def _init(_: Invocation, values: Values) -> InitOutcome | UserHooks:
    listed = values.pop("hosts", None)
    hosts = None
    if listed is not None:
        hosts = tuple(name for words in listed for name in words.replace(",", " ").split())
    if values.pop("user_hooks", False):
        return user_hooks.install(hosts, dry_run=values.get("dry_run", False), remove=values.get("remove", False))
    here = Path(os.getcwd())
    if values.pop("like_main", False):
        alike = like_main.plan(here, dry_run=values.get("dry_run", False))
        return InitOutcome(apply(alike), alike.diff() if alike.options.dry_run else None)
    options = Options(hosts=hosts, **values)
    asks = options.hooks and not options.remove
    if asks and not options.dry_run:
        compiled_launcher.build(launched())
    made = plan(here, options, versions=asking.versions(workspace(here).checkout, hosts) if asks else None)
    report = apply(made)
    if report.ok and made.options.remove and made.options.hosts is None and not made.options.dry_run:
        sweep(made)
    answer = InitOutcome(report, made.diff() if made.options.dry_run else None, _git(made))
    if made.options.dry_run:
        return answer
    if made.options.remove:
        return _forget(answer, made)
    agreed = _agree(answer, made)
    _accept(made)
    return agreed._replace(told=(*agreed.told, *hook_trial.notes(made)))


def _accept(made: Plan) -> None:
    """Take the database that is there now for the project's own, whatever was there before."""
    with contextlib.suppress(Problem):  # whatever is wrong with the settings, the doors say it
        Memory(settings.resolve({}, os.environ, str(made.checkout))).accept()


def _agree(answer: InitOutcome, made: Plan) -> InitOutcome:
    """Who runs this agrees to what it wrote, and to settings of their own, where something there needs it.

    What git tracks came with the repository: to that it is no agreement.
    """
    left = [wish for wish in agreement.look(str(made.root)).left if wish.file in (CONFIG_NAME, TOML_NAME)]
    mine = {wish.path: wish for wish in left if not wish.came}
    told = tuple(
        f"{one.file} came with the repository and sets {one.text}: that does not count; `comity trust` agrees"
        for wish in left
        if wish.came
        for one in wish.asks
    )
    try:
        if mine:
            trust.agree({path: wish.content for path, wish in mine.items()})
    except Problem as problem:
        return answer._replace(
            told=(*told, f"{problem.message} So {', '.join(w.file for w in mine.values())} counts not")
        )
    return answer._replace(agreed=tuple(wish.file for wish in mine.values()), told=told)


def _forget(answer: InitOutcome, made: Plan) -> InitOutcome:
    """What was agreed to goes with the file."""
    gone = [path for path in agreement.paths(str(made.root)) if not os.path.lexists(path)]
    try:
        trust.forget(gone)
    except Problem as problem:
        return answer._replace(told=(problem.message,))
    return answer


def _git(made: Plan) -> githooks.GitHooksReport | None:
    """Put git's hooks in place when asked to; what takes everything back takes them out, too."""
    wanted, whole = made.options.git_hooks, made.options.remove and made.options.hosts is None
    if not wanted and not whole:
        return None
    if made.options.dry_run:
        verb = "be taken out" if made.options.remove else "be installed"
        return githooks.GitHooksReport(notes=(f"git's {' and '.join(githooks.GUARDED)} would {verb}",))
    return githooks.install(made.checkout, remove=made.options.remove)


def _show(screen: Screen, answer: InitOutcome | UserHooks) -> None:
    if isinstance(answer, UserHooks):
        user_hooks.show(screen, answer)
        return
    made = answer.report.plan
    if answer.diff is not None:
        for line in answer.diff.splitlines():
            screen.exact((line, "bold" if line[:3] in ("+++", "---") else _DIFF_STYLES.get(line[:1], "")))
        if answer.diff:
            screen.say("")
    if not made.options.remove:
        screen.fields(
            (("Project", made.project_id), ("Root", str(made.root)), ("Channel", made.channel), ("Database", made.db))
        )
        screen.say("")
    rows = [
        (
            (change.action, _STYLES.get(change.action, "green")),
            change.name,
            change.problem.message if change.problem else change.note,
        )
        for change in made.changes
    ]
    titles = ("Would do" if made.options.dry_run else "Done", "File", "Note")
    screen.table([Column(titles[0]), Column(titles[1]), Column(titles[2], flexible=True)], rows)
    git = answer.git or githooks.GitHooksReport()
    for path in git.changed:
        screen.say(("git hook: ", "green"), str(path))
    for name in answer.agreed:
        screen.say(("agreed: ", "green"), f"{name} counts as it is now; `comity trust --remove` takes that back")
    for note in (*made.notes, *git.notes, *answer.told):
        screen.say(("note: ", "yellow"), note)
    for problem in answer.report.problems:
        screen.say(("problem: ", "bold red"), problem.message)
        screen.say(problem.hint, indent=2)
    if answer.report.ok and not made.options.remove and not made.options.dry_run:
        screen.say("")
        screen.say("Next: open your agent hosts in this repository, then `comity status`.")


init = command(
    _init,
    show=_show,
    program=_program,
    needs="nothing",
    options=(
        Option("project_id", str | None, "The project's id; agents of one project share a database.", None),
        Option("channel", str | None, "The channel that agents join; the project id.", None),
        Option("db", str | None, "The database file; a relative path counts from the project's root.", None),
        Option("force", bool, "Write .macp/config.json anew.", default=False),
        Option("hosts", list[str] | None, "Only these hosts, with commas between; all.", None),
        Option("dry_run", bool, "Show the changes as a diff, write nothing.", default=False),
        Option("hooks", bool, "Install hooks of the hosts as well.", default=True),
        Option("user_hooks", bool, "Install hooks in your own settings instead: for every folder.", default=False),
        Option("git_hooks", bool, "Have git refuse to commit and push what living peers hold.", default=False),
        Option("url", str | None, "Have the hosts use the server at this address, such as https://HOST:PORT.", None),
        Option("token_env", str | None, "The environment variable that holds the token for it.", None),
        Option("like_main", bool, "In a linked worktree: write what the main checkout has, no more.", default=False),
        Option("remove", bool, "Give back what was there before.", default=False),
    ),
    doc="""Tell every agent host of this repository about Comity.

    Files are merged: other entries, comments and order stay. A file that cannot be read is left as it is and named.
    """,
    example="comity init --hosts claude-code,codex --dry-run",
    code=lambda answer: answer.exit_code if isinstance(answer, UserHooks) else answer.report.exit_code,
)
